import numpy as np
import pytest

from optuna_predictor_rl import PolicyConfig
from optuna_predictor_rl.visualization import plot_rl_convergence, rl_convergence
from tests.optuna_predictor_rl.visualization.searches import searched, small_sampler

BY_MEAN = PolicyConfig(n_rounds=2, n_steps=4, batch_size=6, reward="mean", distances=(0.0,))
WIDE = PolicyConfig(n_rounds=2, n_steps=4, batch_size=64, n_refinements=1)


def test_the_curves_are_those_of_the_costs_that_the_policy_was_rewarded_for() -> None:
    study = searched(policy=BY_MEAN)
    data = rl_convergence(study)
    trace = small_sampler(policy=BY_MEAN).inspect(study).candidates.trace
    score = trace.score  # (steps, rounds, n)
    assert data.steps.tolist() == [1, 2, 3, 4]
    for r in range(2):
        for s in range(4):
            assert data.mean[r, s] == pytest.approx(sum(score[s, r]) / 6)
            assert data.best[r, s] == pytest.approx(min(score[: s + 1, r].ravel()))


def test_random_sampling_draws_as_many_and_the_best_trial_is_the_lowest() -> None:
    study = searched()
    data = rl_convergence(study)
    found = small_sampler().inspect(study)
    space = found.history.space
    random = found.ensemble.predict(space.random(2 * 4 * 6, np.random.default_rng(0)))[0][:, 0]
    assert data.random_mean.mean() == pytest.approx(random.mean())
    assert data.random_best[:, -1].min() == pytest.approx(random.min())
    best = min(study.trials, key=lambda trial: trial.value or 0.0)
    row = space.rows([best.params])
    assert data.best_trial == pytest.approx(found.ensemble.predict(row)[0][0, 0])
    everything = found.candidates.rows
    assert data.refined == pytest.approx(found.ensemble.predict(everything)[0].min())


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_best_after_local_moves_is_no_worse_than_before_them(direction: str) -> None:
    sign = 1.0 if direction == "minimize" else -1.0
    # The moves climb the expected improvement; here all of them lie behind by the score.
    study = searched(5, direction=direction, policy=WIDE, seed=1, n_startup_trials=5)
    data = rl_convergence(study)
    assert sign * data.refined <= (sign * data.best).min()
    *_, way, star = plot_rl_convergence(study).data
    assert list(way.y) == [sign * (sign * data.best).min(), data.refined]
    assert list(star.y) == [data.refined]


def test_a_maximized_study_has_the_same_curves_turned_over() -> None:
    low, high = rl_convergence(searched()), rl_convergence(searched(direction="maximize"))
    assert (low.higher_is_better, high.higher_is_better) == (False, True)
    for name in ("mean", "best", "random_mean", "random_best", "best_trial", "refined"):
        assert getattr(high, name) == pytest.approx(-np.asarray(getattr(low, name)))
    figure = plot_rl_convergence(searched(direction="maximize"))
    assert "higher is better" in figure.layout.yaxis.title.text


def test_a_score_with_a_cost_in_it_stays_lower_if_better() -> None:
    data = rl_convergence(searched(direction="maximize", cost="price", cost_weight=0.3))
    assert not data.higher_is_better
    assert data.weight.tolist() == [0.7, 0.3]


def test_long_searches_are_thinned_and_keep_their_ends() -> None:
    study = searched(policy=PolicyConfig(n_rounds=2, n_steps=300, batch_size=2))
    data = rl_convergence(study)
    assert len(data.steps) == 120
    assert (data.steps[0], data.steps[-1]) == (1, 300)
    assert data.best.shape == (2, 120)
