"""The configurations that deserve a full training."""

import math

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

from optuna_predictor_rl import finalists
from optuna_predictor_rl.fidelity.labels import is_full
from optuna_predictor_rl.study.attributes import LABEL
from tests.optuna_predictor_rl.core.strategies import lawful
from tests.optuna_predictor_rl.trials import UNIT, trial

MIXED = [
    trial(0.1, value=3.0),
    trial(0.2, state=TrialState.PRUNED, **{LABEL: 1.0}),
    trial(0.3, value=2.0, **{LABEL: 2.0}),
    trial(0.4, state=TrialState.FAIL),
    trial(0.5, state=TrialState.RUNNING),
    trial(0.6, state=TrialState.PRUNED, **{LABEL: math.nan}),
    trial(0.7, value=math.inf),
]


@pytest.mark.parametrize(
    ("direction", "order"), [("minimize", [1, 2, 0]), ("maximize", [0, 2, 1])]
)
def test_the_best_by_value_or_label_come_first(direction, order):
    study = optuna.create_study(direction=direction)
    study.add_trials(MIXED)
    assert [t.number for t in finalists(study, 9)] == order
    assert [t.number for t in finalists(study, 2)] == order[:2]


def test_a_full_value_replaces_the_labels_of_its_configuration():
    study = optuna.create_study()
    study.add_trials(
        [
            trial(0.1, state=TrialState.PRUNED, **{LABEL: 1.0}),
            trial(0.1, value=5.0),
            trial(0.2, state=TrialState.PRUNED, **{LABEL: 2.0}),
            trial(0.2, state=TrialState.PRUNED, **{LABEL: 3.0}),
        ]
    )
    chosen = finalists(study)
    assert [t.number for t in chosen] == [2, 1]
    assert [is_full(t) for t in chosen] == [False, True]


def test_a_study_without_a_value_has_no_finalists():
    assert finalists(optuna.create_study()) == []


def test_a_bad_number_is_refused():
    with pytest.raises(ValueError, match=r"k must be at least 1, but got 0\."):
        finalists(optuna.create_study(), 0)


def test_infeasible_trials_are_no_finalists():
    study = optuna.create_study()
    for value, broken in [(1.0, 0.1), (2.0, 0.0), (0.5, math.nan), (3.0, -1.0)]:
        limit = {"system_attrs": {"constraints": (broken,)}}  # as Optuna's samplers store them
        study.add_trial(
            create_trial(value=value, params={"x": value / 4}, distributions={"x": UNIT}, **limit)
        )
    assert [t.number for t in finalists(study)] == [1, 3]


DIRECTIONS = st.lists(st.sampled_from(["minimize", "maximize"]), min_size=2, max_size=3)
LIMIT = st.sampled_from([-1.0, 0.0, 0.5])


def rows_of(directions: list[str]) -> st.SearchStrategy:
    """Values of each objective and of a constraint."""
    row = st.tuples(*[st.integers(0, 3)] * len(directions), LIMIT)
    return st.tuples(st.just(directions), st.lists(row, max_size=8))


@settings(lawful, max_examples=25)
@given(DIRECTIONS.flatmap(rows_of))
def test_the_first_finalists_of_several_objectives_are_optunas_best_trials(given_study):
    directions, rows = given_study
    study = optuna.create_study(directions=directions)
    for i, (*values, limit) in enumerate(rows):
        study.add_trial(
            create_trial(
                values=values,
                params={"x": i / 8},
                distributions={"x": UNIT},
                constraints={"c": limit},
            )
        )
    best = {t.number for t in study.best_trials}
    assert {t.number for t in finalists(study, max(len(best), 1))} == best
    feasible = [t.number for t in study.trials if t.constraints["c"] <= 0.0]
    assert sorted(t.number for t in finalists(study, 99)) == feasible


def test_finalists_of_several_objectives_are_complete_finite_and_one_a_configuration():
    study = optuna.create_study(directions=["minimize", "maximize"])
    for x, values in [(0.1, (1.0, 1.0)), (0.1, (2.0, 2.0)), (0.2, (-math.inf, 0.0))]:
        study.add_trial(create_trial(values=values, params={"x": x}, distributions={"x": UNIT}))
    study.add_trials([trial(0.3, state=TrialState.FAIL), trial(0.4, state=TrialState.RUNNING)])
    study.add_trial(trial(0.5, state=TrialState.PRUNED, **{LABEL: 0.0}))
    assert [t.number for t in finalists(study)] == [0]
