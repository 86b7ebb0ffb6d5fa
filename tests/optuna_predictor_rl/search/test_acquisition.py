"""The score of rows, what they cost, and where searches start from."""

from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import create_trial
from scipy.stats import zscore

from optuna_predictor_rl import KnownCost, PolicyConfig, PredictorConfig
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.data.costs import RowCosts
from optuna_predictor_rl.data.history import History, read_history
from optuna_predictor_rl.search.acquisition import Acquisition, SearchProblem
from optuna_predictor_rl.search.known_costs import KnownCosts
from tests.optuna_predictor_rl.trials import SPACE, study_of, trial

XS = np.array([0.1, 0.2, 0.45, 0.7, 0.9])
BUDGET = 1.5
NEW = np.array([[0.02], [0.33], [0.58], [0.99]])


def history(*infeasible: float) -> History:
    """Values that fall with x, some of which break a constraint."""
    study = optuna.create_study()
    for x in XS.tolist():
        constraints = {"c": 1.0 if x in infeasible else -1.0} if infeasible else None
        study.add_trial(
            create_trial(
                value=1.0 - x, params={"x": x}, distributions=SPACE, constraints=constraints
            )
        )
    return read_history(study, SPACE)


def costs(known: History, budget: float | None = BUDGET) -> KnownCosts:
    """The cost of x is 2 x."""
    return KnownCosts(known, RowCosts(KnownCost(lambda params: 2.0 * params["x"]), budget))


def acquisition(
    known: History, weight: tuple[float, ...] = (1.0,), priced: bool = False, **policy: Any
) -> Acquisition:
    problem = SearchProblem(known, np.array(weight), None, None)
    of_rows = costs(known) if priced else KnownCosts(known, None)
    ensemble = fit_ensemble(
        PredictorConfig(n_members=2, n_epochs=5),
        known.space,
        problem.training_data(of_rows.standard),
        rng=np.random.default_rng(0),
    )
    return Acquisition(problem, ensemble, of_rows, PolicyConfig(**policy))


def test_known_costs_are_in_standard_deviations_of_the_labelled_rows() -> None:
    found = costs(history())
    assert found.standard is not None
    assert found.standard(XS[:, None]) == pytest.approx(zscore(2.0 * XS))
    over = np.maximum(2.0 * NEW[:, 0] - BUDGET, 0.0) / np.std(2.0 * XS)
    assert found.excess(NEW) == pytest.approx(over)
    assert found.affordable(NEW).tolist() == NEW[:3].tolist()
    assert costs(history(), -1.0).affordable(NEW[::-1]).tolist() == NEW.tolist()  # cheapest first


def test_without_a_known_cost_everything_is_affordable() -> None:
    for found in (KnownCosts(history(), None), costs(history(), budget=None)):
        assert found.excess(NEW).tolist() == [0.0] * 4
        assert found.affordable(NEW).tolist() == NEW.tolist()
    assert KnownCosts(history(), None).standard is None


def test_moves_towards_the_budget_find_what_is_within_it() -> None:
    found = costs(history(), 0.5)
    start = np.array([[0.5], [0.9]])
    assert found.excess(start).all()
    assert found.is_over_budget(start[0])
    assert not found.excess(found.cheaper(start, np.random.default_rng(0))).all()


@pytest.mark.parametrize("reward", ["improvement", "mean"])
def test_the_score_is_the_negative_reward_and_worse_over_the_budget(reward: str) -> None:
    found = acquisition(history(), (0.7, 0.3), priced=True, reward=reward, distances=(0.0,))
    weight = np.array([0.7, 0.3])
    expected = found.ensemble.predict(NEW)[0] @ weight
    if reward == "improvement":
        expected = -found.ensemble.log_improvement(NEW, weight).improvement
    over = 2.0 * NEW[3, 0] - BUDGET
    expected[3] += 1e3 * (1.0 + over / np.std(2.0 * XS))
    assert found(NEW) == pytest.approx(expected)


@pytest.mark.parametrize(("n_trials", "penalty"), [(24, 0.0), (26, 1e3)])
def test_a_row_that_is_likely_infeasible_is_worse_once_enough_trials_have_ended(
    n_trials: int, penalty: float
) -> None:
    study = optuna.create_study()
    for x in np.linspace(0.0, 1.0, n_trials).tolist():
        study.add_trial(
            create_trial(
                value=1.0 - x,
                params={"x": x},
                distributions=SPACE,
                constraints={"c": x - 0.5},
            )
        )
    found = acquisition(read_history(study, SPACE), distances=(0.0,))
    rows = np.array([[0.3], [0.9]])
    improvement, feasibility = found.ensemble.log_improvement(rows, np.ones(1))
    added = found(rows) + improvement + 3.0 * feasibility
    assert np.exp(feasibility[1]) < 0.5
    assert added[0] == pytest.approx(0.0, abs=1e-9)
    assert added[1] >= penalty
    assert (added[1] < 1e-9) == (penalty == 0.0)


def test_a_row_near_to_a_trial_is_worse_at_the_distance_whose_turn_it_is() -> None:
    near = np.array([[0.2], [0.45]])
    for distances, penalty in (((0.0, 0.5), 1e3), ((0.5, 0.0), 0.0)):  # in turns: 5 trials
        found = acquisition(history(), distances=distances)
        assert found(near) - found.reward_score(near) == pytest.approx(np.full(2, penalty))


def test_pending_trials_are_scored_worse_once_they_are_conditioned_on() -> None:
    known = history()
    plain = acquisition(known)
    best = NEW[plain.reward_score(NEW).argmin()]
    pending = replace(plain, problem=replace(plain.problem, history=known.with_pending(best)))
    after = pending.condition_on_pending()
    assert after.reward_score(best[None]) > plain.reward_score(best[None])
    assert pending.problem.key == plain.problem.key  # the search is the same


def test_a_problem_is_another_with_another_weight_and_its_fit_is_not() -> None:
    known = history()
    first, second = (SearchProblem(known, np.array([w]), None, None) for w in (0.3, 0.4))
    assert first.fit_key == second.fit_key
    assert first.key != second.key
    fewer = read_history(study_of(trial(0.1, value=0.9)), SPACE)
    assert SearchProblem(fewer, np.array([0.3]), None, None).fit_key != first.fit_key


def test_the_elite_are_the_best_rows_that_are_feasible_and_within_the_budget() -> None:
    found = acquisition(history(0.45, 0.9), (1.0, 0.0), priced=True)
    # 0.9 breaks the constraint and costs 1.8, 0.3 over the budget.
    assert found.elite()[:, 0].tolist() == [0.7, 0.2, 0.1, 0.45, 0.9]
    by_cost = acquisition(history(0.45, 0.9), (0.0, 1.0), priced=True)
    assert by_cost.elite()[:, 0].tolist() == [0.1, 0.2, 0.7, 0.45, 0.9]
