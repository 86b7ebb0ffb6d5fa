import math
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from dhen_objective.config import DHENConfig, Interaction
from dhen_objective.interactions import n_layer_embs
from dhen_objective.layers import CountMap, initialize
from dhen_objective.model import DHEN, DHENLayer

EVERY = DHENConfig(modules=tuple(Interaction), dim=8, module_embs=3, linear_embs=4, ln_init=1.0)
SIZES = (5, 7, 3)


def layer(config: DHENConfig, n_in: int) -> DHENLayer:
    built = DHENLayer(n_in, config)
    initialize(built, scale=1.0, generator=torch.Generator().manual_seed(0))
    return built


def model(config: DHENConfig, **kwargs: float) -> DHEN:
    return DHEN(config, field_sizes=SIZES, n_dense=2, **kwargs)


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    sparse = torch.stack([torch.randint(n, (6,), generator=generator) for n in SIZES], dim=1)
    return torch.randn(6, 2, generator=generator), sparse


def test_a_layer_normalizes_the_joined_modules_plus_the_shortcut() -> None:
    built = layer(EVERY, n_in=6)
    x = torch.randn(2, 6, 8)
    outputs = [built.interactions[kind.value](x) for kind in Interaction]
    assert isinstance(built.shortcut, CountMap)
    total = torch.cat(outputs, 1) + torch.einsum("lm,bmd->bld", built.shortcut.weight, x)
    torch.testing.assert_close(built(x), torch.nn.functional.layer_norm(total, (8,)))


def test_a_sum_ensemble_adds_the_modules() -> None:
    built = layer(replace(EVERY, ensemble="sum", ln_init=0.0), n_in=3)
    x = torch.randn(2, 3, 8)
    expected = sum(module(x) for module in built.interactions.values()) + x
    torch.testing.assert_close(built(x), expected)


def test_the_shortcut_is_learned_only_where_the_count_changes() -> None:
    counts = n_layer_embs(EVERY)
    assert isinstance(layer(EVERY, counts).shortcut, torch.nn.Identity)
    assert isinstance(layer(EVERY, counts + 1).shortcut, CountMap)


@pytest.mark.parametrize("n_layers", [1, 8])
@pytest.mark.parametrize("ensemble", ["concat", "sum"])
def test_every_parameter_of_a_deep_model_gets_a_gradient(n_layers: int, ensemble: str) -> None:
    config = DHENConfig.from_dict(EVERY.to_dict() | {"ensemble": ensemble, "n_layers": n_layers})
    built = model(config)
    built(*inputs()).sum().backward()
    without = [name for name, parameter in built.named_parameters() if parameter.grad is None]
    assert without == ["wide.ids", "wide.others"]  # which have a rule of their own


def test_the_first_predictions_lie_around_the_prior() -> None:
    logits = model(replace(EVERY, w_init_scale=1e-6), prior=0.02)(*inputs())
    torch.testing.assert_close(logits, torch.full((6,), math.log(0.02 / 0.98)))
    with pytest.raises(ValueError, match=r"prior must be between 0 and 1, but got 0\.0"):
        model(EVERY, prior=0.0)


def test_a_seed_fixes_the_weights_and_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = (model(EVERY, seed=seed)(*inputs()) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


def test_an_example_s_logit_does_not_depend_on_the_others_in_its_batch() -> None:
    built = model(EVERY)
    dense, sparse = inputs()
    alone = torch.cat([built(dense[i : i + 1], sparse[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(built(dense, sparse), alone)


@pytest.mark.parametrize("conv_2d", [False, True])
@pytest.mark.parametrize("ensemble", ["concat", "sum"])
def test_a_model_runs_in_bfloat16(conv_2d: bool, ensemble: str) -> None:
    built = model(replace(EVERY, conv_2d=conv_2d, ensemble=ensemble))
    expected = built(*inputs())
    with torch.autocast("cpu", torch.bfloat16):
        half = built(*inputs())
    torch.testing.assert_close(half.float(), expected, atol=0.1, rtol=0.1)


def test_a_model_compiles_without_a_graph_break_and_learns() -> None:
    code = (
        "import copy, torch; from dhen_objective import DHEN, DHENConfig, Interaction\n"
        "config = DHENConfig(n_layers=2, modules=tuple(Interaction), ln_init=0.1)\n"
        "model = DHEN(config, field_sizes=(5, 6), n_dense=2)\n"
        "same = copy.deepcopy(model)\n"
        "inputs = torch.randn(4, 2), torch.randint(5, (4, 2))\n"
        "compiled = torch.compile(model, fullgraph=True, backend='aot_eager')\n"
        "logits = compiled(*inputs)\n"
        "torch.testing.assert_close(logits, same(*inputs))\n"
        "logits.sum().backward(); same(*inputs).sum().backward()\n"
        "for mine, theirs in zip(model.parameters(), same.parameters()):\n"
        "    if mine.requires_grad:\n"
        "        torch.testing.assert_close(mine.grad.to_dense(), theirs.grad.to_dense())\n"
    )  # another process: the type checks of this one cannot be compiled
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_model_without_dense_features_runs() -> None:
    built = DHEN(EVERY, field_sizes=SIZES, n_dense=0)
    assert built(torch.zeros(6, 0), inputs()[1]).shape == (6,)
