"""Access to what Optuna keeps private: the only module that uses its private names.

Optuna has no public way to write on a `FrozenTrial`, which is all that samplers and pruners get;
to read all trials once a trial without copies; to see what a live `Trial` has reported; to tell
other workers of parameters before the objective asks for them; to pass a storage's heartbeat on
from a view of a study; to see the values that a `PartialFixedSampler` fixes; or to store the
constraints of a function.
"""

import json
import warnings
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from optuna._deprecated import _DEPRECATION_WARNING_TEMPLATE
from optuna.samplers import PartialFixedSampler
from optuna.samplers._base import _process_constraints_after_trial
from optuna.storages import BaseStorage
from optuna.storages._heartbeat import BaseHeartbeat, is_heartbeat_enabled
from optuna.study import Study
from optuna.trial import BaseTrial, FixedTrial, FrozenTrial, Trial, TrialState

from optuna_predictor_rl.study.attributes import PLANNED

__all__ = ["BaseHeartbeat", "is_heartbeat_enabled"]

LABELLED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of the trials that a predictor learns from and whose parameters make the space."""

MAX_LENGTH = 2045
"""Characters of a piece, as in Optuna's samplers: MySQL's older schemas have no room for more."""


def set_trial_attribute(study: Study, trial_id: int, key: str, value: Any) -> None:
    """Store a user attribute on a running trial; `value` must be JSON-serializable."""
    study._storage.set_trial_user_attr(trial_id, key, value)


def set_study_attribute(study: Study, key: str, value: Any) -> None:
    """Store a user attribute on a study, also on one that a pruner narrowed to a bracket."""
    study._storage.set_study_user_attr(study._study_id, key, value)


def study_attributes(study: Study) -> dict[str, Any]:
    """Return the study's user attributes as its storage has them now."""
    return study._storage.get_study_user_attrs(study._study_id)


def trials(
    study: Study, states: Container[TrialState] | None = None, *, fresh: bool = False
) -> list[FrozenTrial]:
    """Return the study's trials, not copied: read them only.

    Args:
        study: The study.
        states: Keep the trials in these states; None keeps all.
        fresh: Ask the storage now instead of once a trial; running trials need it.
    """
    return study._get_trials(deepcopy=False, states=states, use_cache=not fresh)


def trial_id(trial: Trial | FrozenTrial) -> int:
    """Return the storage's identifier of a trial."""
    return trial._trial_id


def set_planned(study: Study, trial: FrozenTrial, numbers: Mapping[str, float]) -> None:
    """Store all parameters that a trial will be given, before the objective asks for them."""
    text = json.dumps(numbers)
    for i in range(0, len(text), MAX_LENGTH):
        piece = text[i : i + MAX_LENGTH]
        study._storage.set_trial_system_attr(
            trial._trial_id, f"{PLANNED}:{i // MAX_LENGTH}", piece
        )


def planned(trial: FrozenTrial) -> object:
    """Return what `set_planned` stored, not yet checked; None without it or if it is no JSON."""
    pieces: list[str] = []
    while isinstance(piece := trial.system_attrs.get(f"{PLANNED}:{len(pieces)}"), str):
        pieces.append(piece)
    try:
        # A retried trial may have pieces of an earlier, longer text behind its own.
        return json.JSONDecoder().raw_decode("".join(pieces))[0]
    except (ValueError, RecursionError):  # Python refuses integers of many digits, too
        return None


def enqueued(trial: FrozenTrial) -> dict[str, Any]:
    """Return the parameters that a trial was enqueued with."""
    fixed = trial.system_attrs.get("fixed_params")
    return fixed if isinstance(fixed, dict) else {}


def known_params(trial: BaseTrial) -> dict[str, Any]:
    """Return all parameters that a trial has, or was made with and not asked for yet."""
    if isinstance(trial, FixedTrial):
        return trial._params
    return {**(enqueued(trial) if isinstance(trial, FrozenTrial) else {}), **trial.params}


def fixed(study: Study) -> dict[str, Any]:
    """Return the parameters that a `PartialFixedSampler` around the study's sampler fixes."""
    found: dict[str, Any] = {}
    sampler = getattr(study, "sampler", None)
    while isinstance(sampler, PartialFixedSampler):
        found = {**sampler._fixed_params, **found}
        sampler = sampler._base_sampler
    return found


def latest(trial: Trial) -> FrozenTrial:
    """Return a running trial as the storage has it now, with all it has reported."""
    return trial._get_latest_trial()


def storage_of(study: Study) -> BaseStorage:
    """Return the storage of a study."""
    return study._storage


def id_of(study: Study) -> int:
    """Return the storage's identifier of a study."""
    return study._study_id


def forget_trials(study: Study) -> None:
    """Make a study read its trials again; Optuna does so only when asked for a trial."""
    study._thread_local.cached_all_trials = None


def warn_of_constraints_func() -> None:
    """Warn as Optuna's samplers do that `constraints_func` is deprecated."""
    deprecated = _DEPRECATION_WARNING_TEMPLATE.format(
        name="`constraints_func`", d_ver="5.0.0", r_ver="7.0.0"
    )
    warnings.warn(
        f"{deprecated} Use `optuna.trial.Trial.set_constraint` instead.",
        FutureWarning,
        stacklevel=5,  # past the sampler's constructor and its two decorators
    )


def store_constraints(
    constraints_func: Callable[[FrozenTrial], Sequence[float]],
    study: Study,
    trial: FrozenTrial,
    state: TrialState,
) -> None:
    """Store a finished trial's constraints as Optuna's samplers do."""
    _process_constraints_after_trial(constraints_func, study, trial, state)


def stored_trial(study: Study, trial: FrozenTrial) -> FrozenTrial:
    """Return a trial as the storage has it now."""
    return study._storage.get_trial(trial._trial_id)
