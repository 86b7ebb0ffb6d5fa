"""The 18 decisions without those that have no effect: a module that is off has no knobs.

`suggest_config` suggests all 18 in every trial. Configurations that differ only in knobs of absent
modules are then one network under several names, and a search trains it again and again. Left out,
they are conditional parameters, whose conditions the sampler learns from the trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import BaseTrial, FixedTrial

from dhen_objective import DHENConfig, TrainConfig, suggest_config

SWITCHES = ("use_dlrm", "use_attn", "use_linear", "use_dcn", "use_conv")


class ActiveDecisions(FixedTrial):
    """Asks a trial for the decisions that have an effect; others take their default.

    Args:
        trial: The trial.
    """

    def __init__(self, trial: BaseTrial) -> None:
        super().__init__({})
        self._asked = trial
        self._off: set[str] = set()

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """As a trial's."""
        if self._idle(name):
            return int(self._default(name))
        return self._asked.suggest_int(name, low, high, step=step, log=log)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """As a trial's."""
        return self._asked.suggest_float(name, low, high, step=step, log=log)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """As a trial's."""
        if self._idle(name):
            return self._default(name)
        chosen = self._asked.suggest_categorical(name, choices)
        if name in SWITCHES and not chosen:
            self._off.add(name)
        return chosen

    def _idle(self, name: str) -> bool:
        return f"use_{name.split('_')[0]}" in self._off

    @staticmethod
    def _default(name: str) -> Any:
        return getattr(DHENConfig(), name)


def suggest_active(trial: BaseTrial) -> tuple[DHENConfig, TrainConfig]:
    """For `DHENObjective(suggest=...)`: asks for the decisions that have an effect."""
    return suggest_config(ActiveDecisions(trial))


def config_of(params: Mapping[str, Any], *, seed: int = 0) -> tuple[DHENConfig, TrainConfig]:
    """The network of parameters, with or without those that have no effect."""
    trial = ActiveDecisions(FixedTrial(active(params)))
    return suggest_config(trial, training=TrainConfig(seed=seed))


def active(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that have an effect; with all modules off, the linear one is on."""
    params = dict(params)
    if "linear_embs" in params and not any(params[name] for name in SWITCHES):
        params["use_linear"] = True
    off = {name.removeprefix("use_") for name in SWITCHES if not params[name]}
    return {name: value for name, value in params.items() if name.split("_")[0] not in off}
