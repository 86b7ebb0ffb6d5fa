"""Random studies: no exception, and every suggestion is in the space.

A short run is part of the tests. For a long one, of random steps that differ from run to run::

    FUZZ_STUDIES=2000 FUZZ_STEPS=60 python -m pytest tests/optuna_predictor_rl/test_fuzz.py
"""

import os
import pickle
from typing import Any

import optuna
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from optuna_predictor_rl import (
    HopelessTrialPruner,
    LowFidelityPruner,
    PolicyConfig,
    PredictorConfig,
    PredictorRLSampler,
    finalists,
)
from optuna_predictor_rl.study import storage
from optuna_predictor_rl.study.attributes import FIDELITY, FULL_FIDELITY, LABEL, LABEL_STD
from tests.optuna_predictor_rl.fuzzed import (
    another_range,
    distributions,
    is_member,
    names,
    suggest,
    values,
)

LONG = "FUZZ_STUDIES" in os.environ
N_STUDIES = int(os.environ.get("FUZZ_STUDIES", "40"))
N_STEPS = int(os.environ.get("FUZZ_STEPS", "30"))
MAX_PARAMETERS = 8
MOST_RUNNING = 6

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{message}")
    for message in ("Fixed parameter", "The distribution is specified", "The reported value is")
]


class Checked(PredictorRLSampler):
    """Optuna silently replaces what lies outside of the space, so look before it does."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        suggested = super().sample_relative(study, trial, search_space)
        # All but what is enqueued, and what trials are not asked for any more.
        assert suggested.keys() <= search_space.keys()
        for name, value in suggested.items():
            assert is_member(value, search_space[name]), (name, value, search_space[name])
        return suggested


class Search(RuleBasedStateMachine):
    """A study whose space, trials and workers do what they may do in any order."""

    def __init__(self) -> None:
        super().__init__()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.space: dict[str, BaseDistribution] = {}
        self.known: dict[str, BaseDistribution] = {}
        self.running: list[Trial] = []

    @initialize(
        direction=st.sampled_from(["minimize", "maximize"]),
        weight=st.sampled_from([None, 0.0, 0.5, (0.0, 1.0)]),
        n_startup_trials=st.integers(0, 3),
        mean_reward=st.booleans(),
        learn_from_running=st.booleans(),
        seed=st.integers(0, 2**63 - 1),
    )
    def start(
        self,
        direction: str,
        weight: Any,
        n_startup_trials: int,
        mean_reward: bool,
        learn_from_running: bool,
        seed: int,
    ) -> None:
        self.sampler = Checked(
            predictor=PredictorConfig(n_members=2, n_epochs=3),
            policy=PolicyConfig(n_steps=2, reward="mean" if mean_reward else "improvement"),
            cost=None if weight is None else "flops",
            cost_weight=weight or 0.0,
            n_startup_trials=n_startup_trials,
            learn_from_running=learn_from_running,
            seed=seed,
        )
        pruner = HopelessTrialPruner(LowFidelityPruner(n_pilot_trials=3), n_warmup_reports=2)
        self.study = optuna.create_study(direction=direction, sampler=self.sampler, pruner=pruner)

    @rule(name=names, data=st.data())
    def change_the_space(self, name: str, data: st.DataObject) -> None:
        if name not in self.space and len(self.space) == MAX_PARAMETERS:
            del self.space[next(iter(self.space))]
        known = self.known.get(name)
        drawn = data.draw(distributions if known is None else another_range(known))
        self.space[name] = self.known[name] = drawn

    @precondition(lambda self: self.space and len(self.running) < MOST_RUNNING)
    @rule(data=st.data(), cost=values)
    def ask(self, data: st.DataObject, cost: float) -> None:
        asked = data.draw(st.lists(st.sampled_from(sorted(self.space)), unique=True))
        trial = self.study.ask()
        enqueued = storage.enqueued(storage.latest(trial))
        for name in asked:
            value = suggest(trial, name, self.space[name])
            # Optuna hands on what was enqueued, although the range may have changed since.
            handed_on = name in enqueued and value == enqueued[name]
            assert handed_on or is_member(value, self.space[name]), (
                name,
                value,
                self.space[name],
            )
        trial.set_user_attr("flops", cost)
        self.running.append(trial)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), reports=st.dictionaries(st.integers(0, 5), values))
    def report(self, data: st.DataObject, reports: dict[int, float]) -> None:
        trial = data.draw(st.sampled_from(self.running))
        for step, value in reports.items():
            trial.report(value, step)
        trial.should_prune()

    @precondition(lambda self: self.running)
    @rule(
        data=st.data(),
        state=st.sampled_from([TrialState.COMPLETE] * 3 + [TrialState.FAIL, TrialState.PRUNED]),
        value=values,
    )
    def tell(self, data: st.DataObject, state: TrialState, value: float) -> None:
        trial = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        if state != TrialState.COMPLETE or value != value:
            state = TrialState.FAIL if state == TrialState.COMPLETE else state
            self.study.tell(trial, state=state)
        else:
            self.study.tell(trial, value)

    @rule(data=st.data(), value=values, count=st.integers(1, 12), cost=values)
    def add_trials(self, data: st.DataObject, value: float, count: int, cost: float) -> None:
        """Whole trials from elsewhere, many of them the same."""
        params = {n: self._member(data, d) for n, d in self.space.items()}
        pruned = value != value or data.draw(st.booleans())
        trial = create_trial(
            state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
            value=value,
            params=params,
            distributions=dict(self.space),
            user_attrs={"flops": cost},
            intermediate_values=data.draw(st.dictionaries(st.integers(0, 5), values)),
        )
        self.study.add_trials([trial] * count)

    @precondition(lambda self: self.space)
    @rule(data=st.data())
    def enqueue(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.space)))
        full = data.draw(st.booleans())
        self.study.enqueue_trial(
            {name: self._member(data, self.space[name])}, user_attrs={FULL_FIDELITY: full}
        )

    @precondition(lambda self: self.running)
    @rule(
        data=st.data(),
        key=st.sampled_from([LABEL, LABEL_STD, FIDELITY, FULL_FIDELITY]),
        attribute=st.one_of(
            values, st.none(), st.text(max_size=3), st.booleans(), st.lists(values, max_size=2)
        ),
    )
    def mislabel(self, data: st.DataObject, key: str, attribute: Any) -> None:
        data.draw(st.sampled_from(self.running)).set_user_attr(key, attribute)

    @rule()
    def restart(self) -> None:
        """Another process goes on with the study."""
        self.study.sampler = pickle.loads(pickle.dumps(self.study.sampler))

    @rule(k=st.integers(1, 3))
    def look(self, k: int) -> None:
        assert len(finalists(self.study, k)) <= k

    @staticmethod
    def _member(data: st.DataObject, distribution: BaseDistribution) -> Any:
        choices = getattr(distribution, "choices", None)
        if choices is not None:
            return data.draw(st.sampled_from(choices))
        return data.draw(st.sampled_from([distribution.low, distribution.high]))  # type: ignore[attr-defined]


Search.TestCase.settings = settings(
    max_examples=N_STUDIES,
    stateful_step_count=N_STEPS,
    deadline=None,
    derandomize=not LONG,
    phases=[Phase.generate],  # the failing study is printed whole: to shrink it takes minutes
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestRandomStudies = Search.TestCase
