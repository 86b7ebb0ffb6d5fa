import importlib.util
import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.config import DHENConfig, Interaction, TrainConfig

# beartype looks at random items, which strategies must not: so configs are built in the tests
fields = st.builds(
    dict,
    n_layers=st.integers(1, 8),
    modules=st.sets(st.sampled_from(list(Interaction)), min_size=1).map(tuple),
    dlrm_k=st.integers(0, 16),
    attn_heads=st.sampled_from([1, 2, 4]),
    linear_embs=st.integers(1, 24),
    conv_kernel=st.sampled_from([1, 3, 5]),
    conv_2d=st.booleans(),
    ensemble=st.sampled_from(["concat", "sum"]),
    head_hidden=st.lists(st.integers(1, 256), max_size=3).map(tuple),
    w_init_scale=st.floats(0.01, 10),
    ln_init=st.floats(0, 10),
)


@given(fields)
def test_a_config_survives_json(given: dict) -> None:
    config = DHENConfig(**given)
    assert DHENConfig.from_json(config.to_json()) == config


@given(st.builds(TrainConfig, lr=st.floats(1e-6, 1), seed=st.integers(0, 2**32)))
def test_a_train_config_survives_json(config: TrainConfig) -> None:
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@given(fields)
def test_a_canonical_config_is_canonical_again(given: dict) -> None:
    config = DHENConfig(**given)
    assert config.canonical().canonical() == config.canonical()


def test_configs_that_differ_in_an_absent_module_are_canonically_equal() -> None:
    one = DHENConfig(modules=(Interaction.LINEAR,), dcn_rank=64)
    other = DHENConfig(modules=(Interaction.LINEAR,), attn_heads=4, conv_2d=True)
    assert one != other
    assert one.canonical() == other.canonical()
    kept = DHENConfig(modules=(Interaction.DCN,), dcn_rank=64)
    assert kept.canonical() == kept


def test_the_order_of_the_modules_does_not_matter() -> None:
    one, other = (Interaction.DCN, Interaction.DLRM), (Interaction.DLRM, Interaction.DCN)
    assert DHENConfig(modules=one) == DHENConfig(modules=other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modules": ()}, "modules must be a non-empty set of dlrm, .*, but got \\[\\]"),
        ({"modules": ("mlp",)}, "modules must be .*, but got \\['mlp'\\]"),
        ({"modules": ("dcn", "dcn")}, "modules must be .* each once"),
        ({"n_layers": 0}, "n_layers must be at least 1, but got 0"),
        ({"dlrm_k": -1}, "dlrm_k must be at least 0, but got -1"),
        ({"conv_kernel": 2}, "conv_kernel must be odd, but got 2"),
        ({"attn_heads": 3}, "attn_heads must divide dim = 16, but got 3"),
        ({"w_init_scale": 0.0}, "w_init_scale must be positive, but got 0.0"),
        ({"ln_init": float("nan")}, "ln_init must be at least 0, but got nan"),
        ({"ensemble": "mean"}, "ensemble must be 'concat' or 'sum', but got 'mean'"),
        ({"head_hidden": (0,)}, "head_hidden must be positive, but got \\(0,\\)"),
    ],
)
def test_a_bad_architecture_is_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DHENConfig.from_dict(DHENConfig().to_dict() | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.0}, "lr must be positive, but got 0.0"),
        ({"wide_lr": 0.0}, "wide_lr must be positive, but got 0.0"),
        ({"embedding_start": -1.0}, "embedding_start must be at least 0, but got -1.0"),
        ({"batch_size": 0}, "batch_size must be at least 1, but got 0"),
        ({"window": 0.0}, "window must be in \\(0, 1\\], but got 0.0"),
        ({"seed": -1}, r"seed must be in \[0, 2\*\*64\), but got -1"),
        ({"seed": 2**64}, r"seed must be in \[0, 2\*\*64\), but got 18446744073709551616"),
        ({"device": "gpu"}, "device must name one of torch's, .* but got 'gpu'"),
    ],
)
def test_a_bad_training_is_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(TrainConfig(), **changes)


@pytest.fixture(scope="module")
def config() -> Any:
    """The module as users have it: the tests' own check of types refuses numpy's numbers."""
    path = sys.modules[TrainConfig.__module__].__file__
    spec = importlib.util.spec_from_file_location("config_as_users_have_it", str(path))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_numbers_of_numpy_become_plain_values(config: Any) -> None:
    training = config.TrainConfig(
        batch_size=np.int64(256), lr=np.float64(0.5), seed=np.uint8(3), window=1,
        device=torch.device("cpu"), autocast=np.bool_(True),
    )  # fmt: skip
    plain = TrainConfig(
        batch_size=256, lr=0.5, seed=3, window=1.0, device="cpu", autocast=True
    )  # fmt: skip
    assert json.dumps(training.to_dict()) == json.dumps(plain.to_dict())
    model = config.DHENConfig(
        n_layers=np.int32(2), head_hidden=[np.int64(8)], conv_2d=np.bool_(True)
    )  # fmt: skip
    assert model.to_json() == DHENConfig(n_layers=2, head_hidden=(8,), conv_2d=True).to_json()
    assert config.DHENConfig.from_json(model.to_json()) == model


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 2.0}, "batch_size must be int, but got 2.0"),
        ({"batch_size": True}, "batch_size must be int, but got True"),
        ({"lr": "0.1"}, "lr must be float, but got '0.1'"),
        ({"autocast": 1}, "autocast must be bool, but got 1"),
        ({"device": 0}, r"device must be str \| device, but got 0"),
    ],
)
def test_a_value_of_another_kind_is_named(config: Any, changes: dict, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        config.TrainConfig(**changes)


@pytest.mark.parametrize("widths", [8, "8", [8.5]])
def test_widths_that_are_no_integers_are_named(config: Any, widths: object) -> None:
    with pytest.raises(TypeError, match="head_hidden must be tuple"):
        config.DHENConfig(head_hidden=widths)


def test_unknown_fields_are_named() -> None:
    with pytest.raises(ValueError, match=r"DHENConfig must be given known fields.*'n_layer'"):
        DHENConfig.from_dict({"n_layer": 2})


def test_a_window_of_less_than_a_report_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 1 / n_reports, .* 0\.01 with n_reports = 20"):
        TrainConfig(window=0.01)
    for n_reports in range(1, 100):
        TrainConfig(n_reports=n_reports, window=1 / n_reports)
