"""A study as one searcher sees it: the shared trials and its own, and none of the others'.

Samplers reach trials by many ways, all of which end at the storage. So the view is a storage that
filters what the study's storage returns, and a study over it.
"""

import copy
from collections.abc import Callable, Container, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.comparison.marks import SHARED, searcher_of
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import SEARCHER, SEARCHER_PREFIX, WORKER


class ArmStorage(BaseStorage, storage.BaseHeartbeat):
    """A storage that passes everything on, but shows one study's trials as a searcher sees them.

    New trials carry the searcher's name from the moment they exist. What is written on the study
    (a pruner's rule, a sampler's population) is seen by the same searcher only, and by all if it
    was written in the shared part. Waiting trials are shown to those whose they are: so shared
    ones are not taken from the queue by a searcher.
    """

    def __init__(
        self,
        study: Study,
        searcher: str,
        *,
        worker: dict[str, Any],
        pending: bool = False,
    ) -> None:
        """Reads nothing yet.

        Args:
            study: Whose storage to pass on to.
            searcher: Whose view this is; ``SHARED`` for the shared part.
            worker: Written on the trials that are started through this view.
            pending: Show the searcher's own trials as running, whether they have ended or not,
                and nothing that was measured in them.
        """
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
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
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
        if changed and state == TrialState.RUNNING:  # out of the queue
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

    # From here on, everything is passed on as it is.

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        return self._backend.create_new_study(directions, study_name)

    def delete_study(self, study_id: int) -> None:
        self._backend.delete_study(study_id)

    def get_study_id_from_name(self, study_name: str) -> int:
        return self._backend.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._backend.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._backend.get_study_directions(study_id)

    def get_all_studies(self) -> list[Any]:
        return self._backend.get_all_studies()

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float | int,
        distribution: BaseDistribution,
    ) -> None:
        self._backend.set_trial_param(trial_id, param_name, param_value_internal, distribution)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        self._backend.set_trial_intermediate_value(trial_id, step, intermediate_value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._backend.set_trial_user_attr(trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._backend.set_trial_system_attr(trial_id, key, value)

    def remove_session(self) -> None:
        self._backend.remove_session()

    def record_heartbeat(self, trial_id: int) -> None:
        self._heartbeat.record_heartbeat(trial_id)

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        stale = self._heartbeat._get_stale_trial_ids(study_id)
        return [trial_id for trial_id in stale if self._sees(self._backend.get_trial(trial_id))]

    def get_heartbeat_interval(self) -> int | None:
        has_one = isinstance(self._backend, storage.BaseHeartbeat)
        return self._heartbeat.get_heartbeat_interval() if has_one else None

    def get_heartbeat_stale_trial_callback(self) -> Callable[[Study, FrozenTrial], None] | None:
        return self._heartbeat.get_heartbeat_stale_trial_callback()

    @property
    def _heartbeat(self) -> storage.BaseHeartbeat:
        assert isinstance(self._backend, storage.BaseHeartbeat)
        return self._backend


_OF_SUGGESTIONS = ("relative_params", "fixed_params", "generation", "grid_id", "search_space")
"""In the names of system attributes that samplers write with a suggestion, not with a result."""


class ArmStudy(Study):
    """A study as one searcher sees it; it remembers that its sampler or objective stopped it."""

    stopped = False

    def stop(self) -> None:
        """See `optuna.study.Study.stop`."""
        super().stop()
        self.stopped = True


def without_results(trial: FrozenTrial) -> FrozenTrial:
    """A trial as it was when its parameters were known and nothing else."""
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
