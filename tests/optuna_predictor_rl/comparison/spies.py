"""A sampler and a pruner that look at everything they can reach through a study."""

import contextlib
from typing import Any

import optuna
from optuna.pruners import BasePruner
from optuna.samplers import RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import Study
from optuna.trial import FrozenTrial

N_IDS = 16  # more than the tests have trials


def reachable(study: Study) -> dict[int, FrozenTrial]:
    """Return all trials that a study shows in public and private ways, by number."""
    storage, study_id = study._storage, study._study_id
    again = optuna.load_study(study_name=study.study_name, storage=storage)
    found = [
        *study.trials,
        *study.get_trials(deepcopy=False),
        *study._get_trials(deepcopy=False, use_cache=True),
        *study._get_trials(deepcopy=False, use_cache=False),
        *storage.get_all_trials(study_id),
        *storage.get_all_trials(study_id, deepcopy=False),
        *again.trials,
    ]
    with contextlib.suppress(ValueError):  # as long as no trial is complete
        found += [
            study.best_trial,
            *study.best_trials,
            storage.get_best_trial(study_id),
            again.best_trial,
        ]
    assert storage.get_n_trials(study_id) == len(study.trials)
    return {trial.number: trial for trial in found}


def readable_ids(study: Study) -> set[int]:
    """Return the identifiers under which a storage tells anything about a trial."""
    ids = set()
    for name in (
        "get_trial",
        "get_trial_number_from_id",
        "get_trial_params",
        "get_trial_user_attrs",
        "get_trial_system_attrs",
    ):
        for trial_id in range(N_IDS):
            with contextlib.suppress(KeyError):
                getattr(study._storage, name)(trial_id)
                ids.add(trial_id)
    for number in range(N_IDS):
        with contextlib.suppress(KeyError):
            find = study._storage.get_trial_id_from_study_id_trial_number
            ids.add(find(study._study_id, number))
    return ids


class SpySampler(RandomSampler):
    """Records what it sees each time it is called, and leaves notes on the study."""

    def __init__(self, name: str) -> None:
        super().__init__(seed=0)
        self.name = name
        self.seen: dict[int, dict[int, FrozenTrial]] = {}
        self.ids: set[int] = set()
        self.notes: set[str] = set()
        self.values: list[float] = []

    def _look(self, study: Study, trial: FrozenTrial) -> None:
        self.seen.setdefault(trial.number, {}).update(reachable(study))
        IntersectionSearchSpace().calculate(study)
        attributes = study._storage.get_study_system_attrs(study._study_id)
        for notes in (attributes, study.user_attrs):
            self.notes |= {key for key in notes if key.startswith("note")}
        if len(self.seen) == 1 and f"note:{self.name}" not in self.notes:
            study._storage.set_study_system_attr(study._study_id, f"note:{self.name}", 1)
            study.set_user_attr(f"note:{self.name}", 1)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._look(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        self._look(study, trial)
        self.ids |= readable_ids(study)
        return {}

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Any) -> Any:
        self._look(study, trial)
        return super().sample_relative(study, trial, search_space)

    def sample_independent(self, study: Study, trial: FrozenTrial, name: str, *rest: Any) -> Any:
        if name == "x":  # the first
            self._look(study, trial)
        return super().sample_independent(study, trial, name, *rest)

    def after_trial(self, study: Study, trial: FrozenTrial, _: Any, values: Any) -> None:
        self._look(study, trial)
        self.values += values or []


class SpyPruner(BasePruner):
    """Records the numbers of the trials that it sees, by the trial that asks."""

    log: dict[int, set[int]] = {}  # noqa: RUF012 # copies of the pruner share it

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        self.log[trial.number] = set(reachable(study))
        return False
