import numpy as np
import pytest
from optuna.trial import create_trial
from scipy.stats import kendalltau, rankdata

from optuna_predictor_rl.visualization import plot_predictor_calibration, predictor_calibration
from tests.optuna_predictor_rl.visualization.searches import add_stopped, searched


def test_ranks_are_those_of_the_trials_and_tau_is_that_of_the_ranks() -> None:
    study = searched(18, cost="price")
    value, cost = predictor_calibration(study, n_folds=3)
    trials = study.trials
    assert value.observed.tolist() == rankdata([t.value for t in trials]).tolist()
    assert cost.observed.tolist() == rankdata([t.user_attrs["price"] for t in trials]).tolist()
    assert (value.name, cost.name) == ("value", "price")
    for task in (value, cost):
        assert sorted(task.predicted) == list(range(1, 19))
        assert task.tau == pytest.approx(kendalltau(task.observed, task.predicted).statistic)
        for fold in range(3):
            inside = task.fold == fold
            tau = kendalltau(task.observed[inside], task.predicted[inside]).statistic
            assert task.fold_taus[fold] == pytest.approx(tau)


def test_rank_one_is_the_best_of_a_maximized_study() -> None:
    study = searched(15, direction="maximize")
    (value,) = predictor_calibration(study)
    assert value.observed[study.best_trial.number] == 1


def test_a_predictable_value_is_ranked_well_and_noise_is_not() -> None:
    study = searched(40, n_startup_trials=40)
    noise = np.random.default_rng(1).normal(size=40)
    shuffled = searched(1)
    shuffled.add_trials(
        create_trial(params=t.params, distributions=t.distributions, value=float(y))
        for t, y in zip(study.trials, noise, strict=True)
    )
    (predictable,), (random,) = predictor_calibration(study), predictor_calibration(shuffled)
    assert predictable.tau > 0.7
    assert abs(random.tau) < 0.35  # 3 standard deviations of tau without relation, n = 40
    assert random.training_tau > random.tau + 0.1


def test_trials_without_a_cost_are_left_out_of_its_panel() -> None:
    study = searched(9, cost="price")
    add_stopped(study)
    value, cost = predictor_calibration(study, n_folds=3)
    assert (len(value.observed), len(cost.observed)) == (10, 9)


def test_the_panels_say_tau_overall_and_by_fold() -> None:
    study = searched(15, cost="price")
    tasks = predictor_calibration(study)
    figure = plot_predictor_calibration(study)
    for task, annotation in zip(tasks, figure.layout.annotations, strict=True):
        assert f"tau {task.tau:.2f}" in annotation.text
        assert f"{task.fold_taus.min():.2f} to {task.fold_taus.max():.2f}" in annotation.text
    assert "15 trials in 5 folds" in figure.layout.title.subtitle.text


def test_folds_of_fewer_than_three_trials_are_refused() -> None:
    study = searched(6)
    with pytest.raises(ValueError, match="at least 15 finished trials with a value, but got 6"):
        predictor_calibration(study)
    with pytest.raises(ValueError, match="n_folds must be at least 2, but got 1"):
        predictor_calibration(study, n_folds=1)
    assert len(predictor_calibration(study, n_folds=2)[0].fold_taus) == 2
