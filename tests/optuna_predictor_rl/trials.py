"""Finished trials of one parameter, and studies of them."""

from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

UNIT = FloatDistribution(0.0, 1.0)
SPACE: dict[str, BaseDistribution] = {"x": UNIT}


def trial(
    x: float | None = 0.5,
    value: float | None = None,
    state: TrialState = TrialState.COMPLETE,
    **attributes: Any,
) -> FrozenTrial:
    return create_trial(
        state=state,
        value=value,
        params={} if x is None else {"x": x},
        distributions={} if x is None else {"x": UNIT},
        user_attrs=attributes,
    )


def study_of(*trials: FrozenTrial, **options: Any) -> Study:
    study = optuna.create_study(**options)
    study.add_trials(trials)
    return study
