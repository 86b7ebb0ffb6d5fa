import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dhen_objective.config import DHENConfig, Interaction, TrainConfig

settings.register_profile("laws", deadline=None, derandomize=True)
settings.load_profile("laws")

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
        ({"batch_size": 0}, "batch_size must be at least 1, but got 0"),
        ({"window": 0.0}, "window must be in \\(0, 1\\], but got 0.0"),
        ({"seed": -1}, "seed must be at least 0, but got -1"),
    ],
)
def test_a_bad_training_is_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(TrainConfig(), **changes)


def test_unknown_fields_are_named() -> None:
    with pytest.raises(ValueError, match=r"DHENConfig must be given known fields.*'n_layer'"):
        DHENConfig.from_dict({"n_layer": 2})
