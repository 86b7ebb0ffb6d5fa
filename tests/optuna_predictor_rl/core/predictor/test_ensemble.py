from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kendalltau, norm

from optuna_predictor_rl.core.decisions import Categorical, Numeric
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.ensemble import Ensemble
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.space import Rows, SearchSpace

SPACE = SearchSpace(
    (
        Categorical(name="kind", choices=("a", "b", "c")),
        Categorical(name="width", choices=(16, 32, 64, 128)),
        Numeric(name="rate", low=1e-4, high=1.0, log=True),
    )
)
TINY = PredictorConfig(n_members=2, n_epochs=5)
ONE = np.array([1.0])


def value(rows: Rows) -> np.ndarray:
    return np.array([0.0, 1.0, -0.5])[rows[:, 0].astype(int)] + (rows[:, 2] - 0.4) ** 2 * 4


def fitted(config: PredictorConfig = TINY, n: int = 30, n_tasks: int = 1) -> Ensemble:
    rows = SPACE.random(n, np.random.default_rng(0))
    labels = np.stack([value(rows), 1e8 * rows[:, 1]][:n_tasks], axis=1)
    return fit_ensemble(config, SPACE, TrainingData(rows, labels), rng=np.random.default_rng(1))


def new_rows(n: int = 50) -> Rows:
    return SPACE.random(n, np.random.default_rng(7))


@pytest.mark.parametrize(
    "config",
    [PredictorConfig(), PredictorConfig(gaussian_process=False), PredictorConfig.paper()],
    ids=["default", "networks alone", "paper"],
)
def test_it_ranks_unseen_configurations(config: PredictorConfig) -> None:
    rows = new_rows()
    mean, std = fitted(config, n=50, n_tasks=2).predict(rows)
    assert mean.shape == std.shape == (50, 2)
    assert kendalltau(mean[:, 0], value(rows)).statistic > 0.6
    assert kendalltau(mean[:, 1], rows[:, 1]).statistic > 0.6


def test_the_mean_is_that_of_the_members_and_the_spread_that_of_their_mixture() -> None:
    ensemble, rows = fitted(), new_rows(20)
    moments = [member.tasks for member in ensemble.member_moments(rows)]
    assert len(moments) == 3
    draws = np.random.default_rng(0).normal(size=(3, 20_000))
    mean, std = ensemble.predict(rows)
    for i in range(len(rows)):
        mixture = np.concatenate(
            [m[i, 0] + s[i, 0] * d for (m, s), d in zip(moments, draws, strict=True)]
        )
        assert mean[i, 0] == pytest.approx(np.mean([m[i, 0] for m, _ in moments]))
        assert std[i, 0] == pytest.approx(mixture.std(), rel=0.03)


def test_the_mean_of_several_tasks_is_the_weighted_sum_of_eq_6() -> None:
    ensemble, rows = fitted(n_tasks=2), new_rows(10)
    mean = ensemble.predict(rows)[0]
    found = ensemble.mean(rows, np.array([0.7, 0.3]))
    assert found == pytest.approx(0.7 * mean[:, 0] + 0.3 * mean[:, 1])


def test_the_improvement_is_the_members_mean_expected_improvement() -> None:
    ensemble, rows = fitted(n_tasks=2), new_rows(20)
    weight = np.array([0.8, 0.2])
    known = ensemble.encoding(ensemble.rows)
    expected = np.zeros(20)
    members = (ensemble.networks, *ensemble.processes)
    for member, moments in zip(members, ensemble.member_moments(rows), strict=True):
        mean, std = moments.tasks
        best = (member.predict(known)[0] @ weight).min()
        spread = np.hypot(0.8 * std[:, 0], 0.2 * std[:, 1])
        for i, z in enumerate((best - mean @ weight) / spread):
            expected[i] += spread[i] * quad(norm.cdf, -40.0, z, epsabs=0.0)[0] / 3
    near = expected > 1e-100  # the quadrature underflows farther away
    assert near.sum() > 4
    found = ensemble.log_improvement(rows, weight).improvement[near]
    assert found == pytest.approx(np.log(expected[near]), rel=1e-5)


def test_pending_rows_become_less_worth_trying_and_keep_the_mean() -> None:
    ensemble, rows = fitted(), new_rows(200)
    best = rows[np.argmax(ensemble.log_improvement(rows, ONE).improvement), None]
    after = ensemble.condition_on_pending(best)
    worth = [e.log_improvement(best, ONE).improvement for e in (ensemble, after)]
    assert worth[1] < worth[0]
    assert after.mean(rows, ONE) == pytest.approx(ensemble.mean(rows, ONE))
    assert ensemble.condition_on_pending(rows[:0]) is ensemble


@pytest.mark.parametrize("gaussian_process", [True, False])
@pytest.mark.parametrize("structured", [True, False])
def test_the_members_are_the_networks_and_a_process_for_each_target(
    gaussian_process: bool, structured: bool
) -> None:
    config = PredictorConfig(
        n_members=2,
        n_epochs=2,
        gaussian_process=gaussian_process,
        structured_features=structured,
        targets=("rank", "log"),
    )
    ensemble = fitted(config)
    assert len(ensemble.networks.scores(ensemble.encoding(new_rows(1)))) == 2
    assert len(ensemble.processes) == 2 * gaussian_process


def test_the_networks_input_has_unit_variance_on_average() -> None:
    ensemble = fitted(PredictorConfig(n_members=1, n_epochs=1, gaussian_process=False))
    x = ensemble.encoding(SPACE.random(20_000, np.random.default_rng(3)))
    assert ensemble.networks.scaled(x).var(0).mean() == pytest.approx(1.0, rel=0.1)


def test_a_fit_depends_on_its_random_stream_alone() -> None:
    torch.manual_seed(1)
    first = fitted().predict(new_rows())
    torch.manual_seed(2)
    again = fitted().predict(new_rows())
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


@pytest.mark.parametrize(
    "labels", [[0.0], [1e308, -1e308], [1.0] * 12, [1e308] + [0.0] * 11, list(range(12))]
)
def test_any_finite_labels_give_finite_predictions(labels: list[float]) -> None:
    rows = SPACE.random(len(labels), np.random.default_rng(0))
    y: Any = np.asarray(labels, dtype=np.float64)[:, None]
    ensemble = fit_ensemble(TINY, SPACE, TrainingData(rows, y), rng=np.random.default_rng(0))
    for found in (*ensemble.predict(new_rows()), *ensemble.log_improvement(new_rows(), ONE)):
        assert np.isfinite(found).all()


def constrained(limit: float, config: PredictorConfig = TINY, **known: Any) -> Ensemble:
    """Feasible where the rate's position is at most the limit."""
    rows = SPACE.random(40, np.random.default_rng(0))
    limited = 1e6 * (rows[:, 2:] - limit)
    data = TrainingData(rows, value(rows)[:, None], constraints=limited, **known)
    return fit_ensemble(config, SPACE, data, rng=np.random.default_rng(1))


def test_the_improvement_is_on_the_best_feasible_row_beside_how_likely_others_are() -> None:
    ensemble, rows = constrained(0.5), new_rows(20)
    assert ensemble.constraints is not None
    feasible = ensemble.rows[ensemble.rows[:, 2] <= 0.5]
    expected, feasible_share = np.zeros(20), np.zeros(20)
    members = (ensemble.networks, *ensemble.processes)
    for i, (member, moments) in enumerate(
        zip(members, ensemble.member_moments(rows), strict=True)
    ):
        mean, std = (of_tasks[:, 0] for of_tasks in moments.tasks)
        best = member.predict(ensemble.encoding(feasible))[0][:, 0].min()
        z = (best - mean) / std
        gain = std * [quad(norm.cdf, -40.0, upper, epsabs=0.0)[0] for upper in z]
        expected += gain / 3
        limited, threshold = moments.constraints, ensemble.constraints.thresholds[i][0]
        feasible_share += norm.cdf((threshold - limited.mean[:, 0]) / limited.std[:, 0]) / 3
    near = expected > 1e-100  # the quadrature underflows farther away
    assert near.sum() > 4
    improvement, feasibility = ensemble.log_improvement(rows, ONE)
    assert improvement[near] == pytest.approx(np.log(expected[near]), rel=1e-5)
    assert np.exp(feasibility) == pytest.approx(feasible_share)


@pytest.mark.parametrize("config", [PredictorConfig(), PredictorConfig(gaussian_process=False)])
def test_feasible_rows_are_told_from_infeasible_ones(config: PredictorConfig) -> None:
    rows = new_rows()
    probability = constrained(0.3, config=config).feasibility(rows)
    truth = rows[:, 2] <= 0.3
    assert ((probability > 0.5) == truth).mean() > 0.85


def test_while_nothing_is_feasible_only_feasibility_counts() -> None:
    ensemble, rows = constrained(-0.1), new_rows()
    improvement, feasibility = ensemble.log_improvement(rows, ONE)
    assert not improvement.any()
    assert np.exp(feasibility) == pytest.approx(ensemble.feasibility(rows))
    assert rows[np.argmax(feasibility)][2] < 0.3


def test_a_known_cost_is_taken_as_it_is() -> None:
    ensemble, rows = constrained(2.0, exact_cost=lambda rows: 7.0 * rows[:, 1]), new_rows(20)
    mean, std = ensemble.predict(rows)
    assert mean.shape == (20, 2)
    assert mean[:, 1] == pytest.approx(7.0 * rows[:, 1])
    assert std[:, 1] == pytest.approx(np.zeros(20), abs=1e-5)
    weighed = ensemble.mean(rows, np.array([0.5, 0.5]))
    assert weighed == pytest.approx(0.5 * mean[:, 0] + 3.5 * rows[:, 1])
    assert np.isfinite(ensemble.log_improvement(rows, np.array([0.0, 1.0])).improvement).all()


def test_the_processes_believe_a_label_with_an_error_less() -> None:
    rows = SPACE.random(20, np.random.default_rng(0))
    labels = value(rows)[:, None]
    labels[4] += 10.0
    errors = np.zeros_like(labels)
    errors[4] = 10.0
    found = []
    for known in (None, errors):
        rng = np.random.default_rng(1)
        ensemble = fit_ensemble(TINY, SPACE, TrainingData(rows, labels, known), rng=rng)
        predicted = ensemble.member_moments(rows[4:5])[1:]
        found.append([float(member.tasks.mean[0, 0]) for member in predicted])
    believed, doubted = np.array(found)
    assert (doubted < believed - 0.3).all()  # the label lies far above what the others tell


def test_the_improvement_is_on_the_best_feasible_row_where_an_infeasible_one_is_better() -> None:
    ensemble = constrained(0.2)  # the best rates are near 0.4
    members = (ensemble.networks, *ensemble.processes)
    means = [member.predict(ensemble.encoding(ensemble.rows))[0][:, 0] for member in members]
    feasible = ensemble.rows[:, 2] <= 0.2
    assert any(mean[~feasible].min() < mean[feasible].min() for mean in means)
    assert ensemble._best((1.0,)) == pytest.approx([mean[feasible].min() for mean in means])


def test_networks_are_as_sure_of_a_place_as_the_first_processes_are() -> None:
    ensemble, rows = fitted(), new_rows(20)
    x = ensemble.encoding(rows)
    own, process = ensemble.networks.predict(x).std, ensemble.processes[0].predict(x).std
    far = ensemble.processes[0].predict(np.full_like(x, 1e6)).std
    found = ensemble.member_moments(rows)[0].tasks.std
    assert found == pytest.approx(own * process / far)
    assert (found < 0.9 * own).any()


def test_feasibility_lowers_the_score_of_the_mean_by_its_logarithm() -> None:
    ensemble, rows = constrained(0.5), new_rows(20)
    assert ensemble.constraints is not None
    probability = np.zeros(20)
    members = zip(ensemble.member_moments(rows), ensemble.constraints.thresholds, strict=True)
    for (_, (mean, std)), threshold in members:
        probability += norm.cdf((threshold[0] - mean[:, 0]) / std[:, 0]) / 3
    assert (probability > 1e-9).sum() > 4
    expected = ensemble.mean(rows, ONE) - np.log(np.maximum(probability, 1e-300))
    assert ensemble.posterior_mean_score(rows, ONE) == pytest.approx(expected)


def test_pending_rows_count_as_feasible_where_that_is_likely() -> None:
    pending = np.array([[0.0, 0.0, 0.05], [0.0, 0.0, 0.95]])
    after = constrained(0.5).condition_on_pending(pending).constraints
    assert after is not None
    assert after.feasible[-2:].tolist() == [True, False]
