"""The 18 decisions without those that have no effect: a module that is off has no knobs.

`suggest_config` suggests all 18 in every trial. Configurations that differ only in knobs of absent
modules are then one network under several names, and a search trains it again and again. Left out
(`only_active`), they are conditional parameters, whose conditions the sampler learns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.trial import BaseTrial, FixedTrial

from dhen_objective import DHENConfig, TrainConfig, suggest_config

SWITCHES = ("use_dlrm", "use_attn", "use_linear", "use_dcn", "use_conv")


def suggest_active(trial: BaseTrial) -> tuple[DHENConfig, TrainConfig]:
    """Ask for the decisions that have an effect: for `DHENObjective(suggest=...)`."""
    return suggest_config(trial, only_active=True)


def config_of(params: Mapping[str, Any], *, seed: int = 0) -> tuple[DHENConfig, TrainConfig]:
    """Return the network of parameters, with or without those that have no effect."""
    trial = FixedTrial(active(params))
    return suggest_config(trial, training=TrainConfig(seed=seed), only_active=True)


def active(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that have an effect; with all modules off, the linear one is on."""
    params = dict(params)
    if "linear_embs" in params and not any(params[name] for name in SWITCHES):
        params["use_linear"] = True
    off = {name.removeprefix("use_") for name in SWITCHES if not params[name]}
    return {name: value for name, value in params.items() if name.split("_")[0] not in off}
