"""A study as one searcher sees it: with the shared trials and its own, without the others'.

Samplers reach trials in many ways, all of which end at the storage. So the view is a storage that
filters what the study's storage returns, and a study on top of it.
"""

import copy
from collections.abc import Container, Sequence
from typing import Any

from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.comparison.marks import SHARED, searcher_of
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import SEARCHER, SEARCHER_PREFIX, WORKER

_OF_SUGGESTIONS = ("relative_params", "fixed_params", "generation", "grid_id", "search_space")
"""Parts of names of system attributes that samplers write with a suggestion, not with a result."""


def _passed_on(name: str) -> Any:
    """Return a method that calls the method of this name of the storage behind a view."""

    def call(self: "ArmStorage", *args: Any, **kwargs: Any) -> Any:
        return getattr(self._backend, name)(*args, **kwargs)

    return call


class ArmStorage(BaseStorage, storage.BaseHeartbeat):
    """A storage that shows one study's trials as a searcher sees them.

    New trials carry the searcher's name from the moment they exist. Study attributes (a pruner's
    rule, a sampler's population) are seen by the searcher that wrote them, and by all searchers if
    the shared part wrote them. A waiting trial is seen by its own searcher only, so that no other
    takes it from the queue.

    Args:
        study: The study whose storage to show.
        searcher: Name of the searcher, or `SHARED` for the shared part.
        worker: Written on the trials that are started through this view.
        pending: Show the searcher's own trials as running even if they have ended, without their
            results.
    """

    def __init__(
        self, study: Study, searcher: str, *, worker: dict[str, Any], pending: bool = False
    ) -> None:
        self._backend = storage.storage_of(study)
        self._study_id = storage.id_of(study)
        self._searcher = searcher
        self._worker = worker
        self._pending = pending

    def _sees(self, trial: FrozenTrial) -> bool:
        owner = searcher_of(trial)
        if owner == self._searcher:
            return True
        return owner == SHARED and trial.state != TrialState.WAITING

    def _shown(self, trial: FrozenTrial) -> FrozenTrial:
        hide = self._pending and searcher_of(trial) == self._searcher
        return without_results(trial) if hide else trial

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        if study_id != self._study_id:
            return self._backend.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        trials = self._backend.get_all_trials(study_id, deepcopy=False)
        shown = [self._shown(trial) for trial in trials if self._sees(trial)]
        if states is not None:
            shown = [trial for trial in shown if trial.state in states]
        return copy.deepcopy(shown) if deepcopy else shown

    def get_trial(self, trial_id: int) -> FrozenTrial:
        trial = self._backend.get_trial(trial_id)
        if not self._sees(trial):
            raise KeyError(f"No trial with trial_id {trial_id} is seen by {self._searcher!r}.")
        return self._shown(trial)

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        number = self._backend.get_trial_id_from_study_id_trial_number(study_id, trial_number)
        self.get_trial(number)
        return number

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        if template_trial is None:
            template_trial = create_trial(state=TrialState.RUNNING)
        template = copy.deepcopy(template_trial)
        template.user_attrs = {SEARCHER: self._searcher, **template.user_attrs}
        if template.state == TrialState.RUNNING:
            template.system_attrs = {**template.system_attrs, WORKER: self._worker}
        return self._backend.create_new_trial(study_id, template)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        changed = self._backend.set_trial_state_values(trial_id, state, values)
        if changed and state == TrialState.RUNNING:  # it was in the queue
            self._backend.set_trial_user_attr(trial_id, SEARCHER, self._searcher)
            self._backend.set_trial_system_attr(trial_id, WORKER, self._worker)
        return changed

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._backend.set_study_user_attr(study_id, self._own_key(study_id, key), value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self._backend.set_study_system_attr(study_id, self._own_key(study_id, key), value)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._own_attributes(study_id, self._backend.get_study_user_attrs(study_id))

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self._own_attributes(study_id, self._backend.get_study_system_attrs(study_id))

    def _own_key(self, study_id: int, key: str) -> str:
        shared = study_id != self._study_id or self._searcher == SHARED
        return key if shared else f"{SEARCHER_PREFIX}{self._searcher}:{key}"

    def _own_attributes(self, study_id: int, attributes: dict[str, Any]) -> dict[str, Any]:
        if study_id != self._study_id:
            return attributes
        prefix = f"{SEARCHER_PREFIX}{self._searcher}:"
        shared = {
            key: value for key, value in attributes.items() if not key.startswith(SEARCHER_PREFIX)
        }
        own = {
            key.removeprefix(prefix): value
            for key, value in attributes.items()
            if key.startswith(prefix)
        }
        return shared | own

    create_new_study = _passed_on("create_new_study")
    delete_study = _passed_on("delete_study")
    get_study_id_from_name = _passed_on("get_study_id_from_name")
    get_study_name_from_id = _passed_on("get_study_name_from_id")
    get_study_directions = _passed_on("get_study_directions")
    get_all_studies = _passed_on("get_all_studies")
    set_trial_param = _passed_on("set_trial_param")
    set_trial_intermediate_value = _passed_on("set_trial_intermediate_value")
    set_trial_user_attr = _passed_on("set_trial_user_attr")
    set_trial_system_attr = _passed_on("set_trial_system_attr")
    remove_session = _passed_on("remove_session")
    record_heartbeat = _passed_on("record_heartbeat")
    get_heartbeat_stale_trial_callback = _passed_on("get_heartbeat_stale_trial_callback")

    def get_heartbeat_interval(self) -> int | None:
        backend = self._backend
        return (
            backend.get_heartbeat_interval()
            if isinstance(backend, storage.BaseHeartbeat)
            else None
        )

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        assert isinstance(self._backend, storage.BaseHeartbeat)
        stale = self._backend._get_stale_trial_ids(study_id)
        return [trial_id for trial_id in stale if self._sees(self._backend.get_trial(trial_id))]


class ArmStudy(Study):
    """A study as one searcher sees it, which remembers that it was stopped."""

    stopped = False

    def stop(self) -> None:
        """See `optuna.study.Study.stop`."""
        super().stop()
        self.stopped = True


def without_results(trial: FrozenTrial) -> FrozenTrial:
    """Return a trial with its parameters and nothing that was measured later."""
    attributes = {
        key: value
        for key, value in trial.system_attrs.items()
        if any(part in key for part in _OF_SUGGESTIONS)
    }
    return FrozenTrial(
        number=trial.number,
        trial_id=storage.trial_id(trial),
        state=TrialState.WAITING if trial.state == TrialState.WAITING else TrialState.RUNNING,
        value=None,
        datetime_start=trial.datetime_start,
        datetime_complete=None,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs={SEARCHER: searcher_of(trial)},
        system_attrs=attributes,
        intermediate_values={},
    )
