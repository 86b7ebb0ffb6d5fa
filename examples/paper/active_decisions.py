"""The 18 decisions without those that have no effect: a module that is off has no knobs.

`suggest_config` suggests all 18 in every trial. Configurations that differ only in knobs of absent
modules are then one network under several names, and a search trains it again and again. Left out
(`only_active`), they are conditional parameters, whose conditions the sampler learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from optuna.trial import BaseTrial, FixedTrial

from dhen_objective import DHENConfig, TrainConfig, suggest_config

NETWORK = DHENConfig(wide=False)
TRAINING = TrainConfig(lr=3e-4, embedding_start=0.0, batch_size=512)
"""What is not searched, as in the recorded trainings: the paper's network has no linear path."""

SWITCHES = ("use_dlrm", "use_attn", "use_linear", "use_dcn", "use_conv")


def suggest_active(trial: BaseTrial) -> tuple[DHENConfig, TrainConfig]:
    """Ask for the decisions that have an effect: for `DHENObjective(suggest=...)`."""
    return suggest_config(trial, model=NETWORK, training=TRAINING, only_active=True)


def suggest_all(trial: BaseTrial) -> tuple[DHENConfig, TrainConfig]:
    """Ask for all 18 decisions, as in the recorded trainings."""
    return suggest_config(trial, model=NETWORK, training=TRAINING)


def config_of(params: Mapping[str, Any], *, seed: int = 0) -> tuple[DHENConfig, TrainConfig]:
    """Return the network of parameters, with or without those that have no effect."""
    trial = FixedTrial(active(params))
    training = replace(TRAINING, seed=seed)
    return suggest_config(trial, model=NETWORK, training=training, only_active=True)


def active(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that have an effect; with all modules off, the linear one is on."""
    params = dict(params)
    if "linear_embs" in params and not any(params[name] for name in SWITCHES):
        params["use_linear"] = True
    off = {name.removeprefix("use_") for name in SWITCHES if not params[name]}
    return {name: value for name, value in params.items() if name.split("_")[0] not in off}
