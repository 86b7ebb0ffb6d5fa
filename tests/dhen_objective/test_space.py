from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.space import KNOBS, SPACES, DHENSpace, params_of, suggest_config

SWITCHES = ["use_dlrm", "use_attn", "use_linear", "use_dcn", "use_conv"]


def ask(seed: int) -> optuna.Trial:
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()


@pytest.mark.parametrize("scale", list(SPACES))
@given(seed=st.integers(0, 10_000))
def test_all_18_decisions_are_suggested_whatever_they_are(scale: str, seed: int) -> None:
    trial = ask(seed)
    config, training = suggest_config(trial, scale=scale)
    assert len(trial.params) == 18
    assert config == config.canonical()
    on = [name for name in SWITCHES if trial.params[name]]
    assert len(config.modules) == max(1, len(on))
    assert training.lr == trial.params["lr"]


def test_parameters_rebuild_their_config() -> None:
    trial = ask(3)
    config = suggest_config(trial)
    assert suggest_config(optuna.trial.FixedTrial(trial.params)) == config
    assert DHENConfig.from_json(config[0].to_json()) == config[0]


@given(seed=st.integers(0, 10_000))
def test_asking_for_active_decisions_only_gives_the_same_network_without_the_others(
    seed: int,
) -> None:
    trial = ask(seed)
    network = suggest_config(trial, only_active=True)
    asked = {KNOBS[name] for name in trial.params if name in KNOBS}
    assert asked == set(network[0].modules)
    filled = params_of(*network) | trial.params
    assert suggest_config(optuna.trial.FixedTrial(filled)) == network


def test_all_modules_off_is_repaired_to_the_linear_one() -> None:
    suggest_config(trial := ask(0))
    params = trial.params | dict.fromkeys(SWITCHES, False)
    config, _ = suggest_config(optuna.trial.FixedTrial(params))
    assert config.modules == (Interaction.LINEAR,)


def test_what_is_not_searched_is_kept() -> None:
    model, training = DHENConfig(dim=8, ensemble="sum"), TrainConfig(batch_size=99, seed=5)
    config, trained = suggest_config(ask(1), model=model, training=training)
    assert (config.dim, config.ensemble) == (8, "sum")
    assert (trained.batch_size, trained.seed) == (99, 5)


def test_the_default_config_lies_in_the_cpu_space() -> None:
    config, training = DHENConfig(), TrainConfig()
    for name, choices in SPACES["cpu"].choices.items():
        assert getattr(config, name) in choices
    low, high = SPACES["cpu"].lr
    assert low <= training.lr <= high


def test_an_unknown_scale_is_named() -> None:
    with pytest.raises(ValueError, match="scale must be one of cpu, gpu, but got 'tpu'"):
        suggest_config(ask(0), scale="tpu")


def test_a_given_network_supplies_what_is_not_searched_at_any_scale() -> None:
    for scale in SPACES:
        config, _ = suggest_config(ask(1), scale=scale, model=DHENConfig(dim=64, module_embs=5))
        assert (config.dim, config.module_embs) == (64, 5)
    assert suggest_config(ask(1), scale="gpu")[0].dim == 128


def test_parameters_that_would_make_another_network_are_refused() -> None:
    wide, training = DHENConfig(dim=32, dense_hidden=(8,)), TrainConfig(lr=1e-3)
    with pytest.raises(ValueError, match=r"base must .* \['dim', 'dense_hidden'\] differ"):
        params_of(wide, training)
    trial = optuna.trial.FixedTrial(params_of(wide, training, base=wide))
    assert suggest_config(trial, model=wide) == (wide.canonical(), training)
    gpu = suggest_config(ask(1), scale="gpu")
    assert params_of(*gpu) == params_of(*gpu, base=gpu[0])


def test_knobs_without_choices_are_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {"n_layers": (1, 1), "dcn_layers": (1, 2), "lr": (1e-3, 1e-2)}
    space = DHENSpace(**given, choices={"dlrm_k": (4,)}, fixed={"dcn_rank": 7, "attn_heads": 4})
    monkeypatch.setitem(SPACES, "mine", space)
    suggest_config(trial := ask(0), scale="mine")
    assert set(KNOBS) & set(trial.params) == {"dlrm_k", "dcn_layers"}
    dcn = optuna.trial.FixedTrial(trial.params | {"use_dcn": True, "use_attn": True})
    config, _ = suggest_config(dcn, scale="mine")
    assert (config.dcn_rank, config.attn_heads, config.conv_kernel) == (7, 4, 3)
    with pytest.raises(ValueError, match=r"fixed must not name what is searched.*\['dlrm_k'\]"):
        DHENSpace(**given, choices={"dlrm_k": (4,)}, fixed={"dlrm_k": 8})
