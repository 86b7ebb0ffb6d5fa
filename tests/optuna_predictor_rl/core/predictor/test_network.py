from typing import Any

import pytest
import torch
from torch import Tensor, nn

from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.network import MultiTaskMLP


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_member(network: MultiTaskMLP, member: int, task: int, x: Tensor) -> Tensor:
    """Eq. (4) written out with torch.nn.Linear."""
    activation = nn.SiLU() if network.activation is nn.functional.silu else nn.ReLU()
    shared = [p[member] for p in network.shared]
    head = [p[member, task] for p in network.heads]
    layers: list[nn.Module] = []
    for weight, bias in zip((shared + head)[::2], (shared + head)[1::2], strict=True):
        linear = nn.Linear(*weight.shape)
        linear.weight.data, linear.bias.data = weight.data.T, bias.data[0]
        layers += [linear, activation]
    return nn.Sequential(*layers[:-1])(x)[:, 0]


@pytest.mark.parametrize("activation", ["relu", "silu"])
@pytest.mark.parametrize(("shared", "heads"), [((5, 4), (3,)), ((), (3, 2)), ((4,), ())])
def test_each_member_is_a_plain_mlp_with_shared_layers_and_a_head_for_each_task(
    activation: Any, shared: tuple[int, ...], heads: tuple[int, ...]
) -> None:
    config = PredictorConfig(
        n_members=3, shared_widths=shared, head_widths=heads, activation=activation
    )
    network = MultiTaskMLP(config, 6, 2, generator()).eval()
    for bias in (*network.shared[1::2], *network.heads[1::2]):
        bias.data.normal_(generator=generator(1))
    x = torch.randn(7, 6, generator=generator(2))
    score = network(x)
    assert score.shape == (3, 7, 2)
    for member in range(3):
        for task in range(2):
            expected = one_member(network, member, task, x)
            torch.testing.assert_close(score[member, :, task], expected)


def test_dropout_keeps_the_mean_and_is_off_in_evaluation() -> None:
    config = PredictorConfig(n_members=1, shared_widths=(4,), head_widths=(), dropout=0.5)
    network = MultiTaskMLP(config, 3, 1, generator())
    x = torch.randn(1, 3, generator=generator(1))
    with torch.no_grad():
        noisy = network(x.expand(40_000, 3))
        exact = network.eval()(x)
    assert noisy.std() > 0.1
    assert noisy.mean().item() == pytest.approx(exact.item(), abs=0.05)
    assert torch.equal(network(x), exact)


def test_initial_weights_have_the_variance_of_he_and_depend_on_the_generator_alone() -> None:
    config = PredictorConfig(shared_widths=(200,))
    torch.manual_seed(1)
    first = MultiTaskMLP(config, 50, 1, generator(3))
    torch.manual_seed(2)
    again = MultiTaskMLP(config, 50, 1, generator(3))
    assert first.shared[0].var().item() == pytest.approx(2 / 50, rel=0.02)
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_papers_settings_are_those_of_section_4_1_2() -> None:
    config = PredictorConfig.paper()
    network = MultiTaskMLP(config, 17, 2, generator())
    shapes = [tuple(p.shape) for p in (*network.shared[::2], *network.heads[::2])]
    assert shapes == [(10, 17, 50), (10, 2, 50, 50), (10, 2, 50, 1)]
    assert (config.dropout, config.loss, config.margin) == (0.5, "hinge", 0.001)
    assert (config.learning_rate, config.weight_decay) == (1e-3, 5e-3)
    assert not config.gaussian_process
    assert not config.structured_features


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("n_members", 0, "at least 1"),
        ("n_epochs", 0, "at least 1"),
        ("batch_size", -1, "at least 1"),
        ("shared_widths", (8, 0), "positive"),
        ("head_widths", (-2,), "positive"),
        ("dropout", 1.0, r"in \[0, 1\)"),
        ("dropout", float("nan"), r"in \[0, 1\)"),
        ("learning_rate", 0.0, "positive"),
        ("learning_rate", 1e300, "at most 10"),
        ("weight_decay", 1e3, "below 1 / learning_rate = 33.3333"),
        ("weight_decay", float("inf"), "be finite"),
        ("margin", float("inf"), "be finite"),
        ("margin", -0.1, "not be negative"),
        ("weight_decay", float("nan"), "not be negative"),
        ("activation", "tanh", "one of"),
        ("loss", "cross", "one of"),
        ("bootstrap", "jackknife", "one of"),
        ("targets", ("rank", "exp"), "one of"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(name: str, value: Any, rule: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must .*{rule}.*, but got"):
        PredictorConfig(**{name: value})
