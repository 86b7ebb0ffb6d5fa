"""Configurations that a search would train to the end."""

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest
from optuna.trial import Trial

from optuna_predictor_rl import KnownCost
from optuna_predictor_rl.core.policy.spacing import gower_distance
from optuna_predictor_rl.study.distributions import to_space
from tests.optuna_predictor_rl.search.searched import objective, searched, value


def test_the_study_is_left_as_it_is_and_its_next_suggestion_too() -> None:
    made, study = searched()
    attributes = copy.deepcopy(study.user_attrs)
    made.predict(study, study.trials[:5])
    made.recommend(study, 3)
    assert len(study.trials) == 30
    assert study.user_attrs == attributes
    trial = study.ask()
    objective(trial)
    again = searched()[1].ask()
    objective(again)
    assert trial.params == again.params


@pytest.mark.parametrize("distance", [0.0, 0.1, 0.4])
def test_recommendations_are_good_new_and_different(distance: float) -> None:
    made, study = searched(40)
    found = made.recommend(study, 6, distance=distance)
    assert 2 <= len(found) <= 6
    best = min(trial.value or 0.0 for trial in study.trials)
    assert value(found[0]) <= best + 1.0
    assert (np.diff([r.mean for r in found]) > -0.05).all()  # ranked by targets, not by labels
    space = to_space(study.trials[0].distributions)
    tried = [trial.params for trial in study.trials]
    rows = space.rows(found)
    for i, recommendation in enumerate(found):
        assert dict(recommendation) not in tried
        others = np.delete(rows, i, axis=0)
        apart = gower_distance(others, rows[i], space)
        assert (apart > 0).all()
        assert (apart >= distance - 1e-12).all()
    expected = made.predict(study, found)
    assert [r.mean for r in found] == pytest.approx(expected.mean)
    assert [r.std for r in found] == pytest.approx(expected.std)
    assert [r.rank for r in found] == pytest.approx(expected.rank)


def test_recommendations_come_from_several_rounds() -> None:
    made, study = searched(40)
    assert len({r.round for r in made.recommend(study, 10)} - {-1}) > 1


def test_a_higher_cost_weight_recommends_cheaper_configurations() -> None:
    made, study = searched(40, cost="flops")
    found = made.recommend(study, 2, cost_weight=(0.0, 0.6, 1.0))
    assert [r.cost_weight for r in found] == [0.0, 0.0, 0.6, 0.6, 1.0, 1.0]
    first, middle, last = (found[i]["n"] for i in (0, 2, 4))
    assert first >= middle >= last
    assert first > last
    assert len({repr(r) for r in found}) == 6


def test_what_is_chosen_for_one_cost_weight_is_not_chosen_for_another() -> None:
    """The two weights are so near to each other that their searches find the same optima."""
    made, study = searched(cost="flops")
    found = made.recommend(study, 3, cost_weight=(0.3, 0.3 + 1e-9), distance=0.05)
    assert [r.cost_weight for r in found] == [0.3] * 3 + [0.3 + 1e-9] * 3
    space = to_space(study.trials[0].distributions)
    rows = space.rows(found)
    for i in range(1, 6):
        assert (gower_distance(rows[:i], rows[i], space) >= 0.05 - 1e-12).all()


def test_recommendations_keep_within_a_budget_and_know_their_exact_cost() -> None:
    known = KnownCost(lambda params: 10.0 * params["n"])
    made, study = searched(40, cost=known, max_cost=20.0)
    found = made.recommend(study, 4)
    assert [r.cost_mean for r in found] == [10.0 * r["n"] for r in found]
    assert max(r["n"] for r in found) <= 2
    predicted = made.predict(study, found)
    assert predicted.cost_std is not None
    assert predicted.cost_std.tolist() == [0.0] * len(found)


def test_recommendations_are_likely_to_be_feasible() -> None:
    def constrained(trial: Trial) -> float:
        value = objective(trial)
        trial.set_constraint("n", 4.0 - trial.params["n"])  # the best without it is n = 4
        return value - trial.params["n"] % 2

    made, study = searched(40, of=constrained)
    assert [r["n"] >= 4 for r in made.recommend(study, 4)].count(True) >= 3


def test_a_small_space_runs_out_of_recommendations() -> None:
    made, study = searched(3, of=lambda trial: trial.suggest_int("n", 0, 4) * 1.0)
    tried = {trial.params["n"] for trial in study.trials}
    assert {r["n"] for r in made.recommend(study, 10, distance=0.0)} == set(range(5)) - tried


def test_a_recommendation_is_a_plain_dict_to_optuna_and_to_json() -> None:
    made, study = searched()
    first = made.recommend(study, 1)[0]
    study.enqueue_trial(first, user_attrs={"full_fidelity": True})
    study.optimize(objective, n_trials=1)
    assert study.trials[-1].params == first
    assert json.loads(json.dumps(first)) == first
    for copied in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert copied == first
        assert copied.mean == first.mean
    assert "+-" in repr(first)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, r"k must be at least 1, but got 0\."),
        ({"distance": 1.5}, r"distance must be in \[0, 1\], but got 1\.5\."),
        ({"cost_weight": 0.5}, r"cost_weight must be 0 without a cost, but got 0\.5\."),
        ({"cost_weight": ()}, r"cost_weight must not be empty"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    made, study = searched(3)
    with pytest.raises(ValueError, match=message):
        made.recommend(study, **options)
