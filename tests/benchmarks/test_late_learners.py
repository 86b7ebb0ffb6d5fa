"""The constructed tasks mislead early ranks as their description says."""

import numpy as np
import pytest
from optuna.samplers import RandomSampler
from scipy.stats import kendalltau

from benchmarks.fidelity.late_learners import (
    DISTRIBUTIONS,
    N_STEPS,
    NOISE,
    LateLearners,
    late_learners,
)

EIGHTH, HALF = N_STEPS // 8 - 1, N_STEPS // 2 - 1


def random_curves(task: LateLearners, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return the momentum of random configurations and their curves."""
    study = task.study(RandomSampler(seed=0))
    asked = [task.ask(study) for _ in range(n)]
    return np.array([t.params["momentum"] for t, _ in asked]), np.array([c for _, c in asked])


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the share of the others that are lower."""
    return np.argsort(np.argsort(values)) / len(values)


@pytest.mark.parametrize("seed", range(2))
def test_curves_of_the_crossing_family_tell_little_at_an_eighth_and_much_at_a_half(
    seed: int,
) -> None:
    _, curves = random_curves(LateLearners("crossing", seed))
    final = curves[:, -1]
    assert -0.1 < kendalltau(curves[:, EIGHTH], final).statistic < 0.25
    assert kendalltau(curves[:, HALF], final).statistic > 0.65
    best = np.argsort(final)[:10]
    assert 0.4 < np.median(ranks(curves[:, EIGHTH])[best]) < 0.8


@pytest.mark.parametrize("seed", range(2))
def test_the_hidden_family_ranks_well_except_where_the_best_are(seed: int) -> None:
    momentum, curves = random_curves(LateLearners("hidden", seed))
    final, ordinary = curves[:, -1], momentum < 0.75
    assert kendalltau(curves[ordinary, EIGHTH], final[ordinary]).statistic > 0.8
    best = np.argsort(final)[:10]
    assert np.all(momentum[best] > 0.75)
    assert np.all(ranks(curves[:, EIGHTH])[best] > 0.75)
    assert 0.1 < np.mean(~ordinary) < 0.35


@pytest.mark.parametrize("task", late_learners(n_seeds=1), ids=lambda task: task.name)
def test_no_configuration_is_better_than_the_best_known_value(task: LateLearners) -> None:
    _, curves = random_curves(task)
    assert curves[:, -1].min() > task.best_known
    at_optimum = {
        name: d.low * (d.high / d.low) ** u if d.log else d.low + u * (d.high - d.low)
        for (name, d), u in zip(DISTRIBUTIONS.items(), task.optimum, strict=True)
    }
    assert task.curve(at_optimum)[-1] == pytest.approx(task.best_known)
    assert np.median(curves[:, -1]) == pytest.approx(task.median_random, rel=0.15)


def test_a_curve_is_the_same_each_time_and_its_noise_has_the_stated_deviation() -> None:
    task, place = LateLearners("crossing", 1), np.array([0.3, 0.5, 0.5, 0.5])
    params = {"learning_rate": 1e-4 * 1000**0.3, "momentum": 0.5, "weight_decay": 1e-4,
              "dropout": 0.25}  # fmt: skip
    curve = task.curve(params)
    assert np.array_equal(curve, task.curve(params))
    noise = curve - task._values(place)
    assert noise[-1] == pytest.approx(0, abs=1e-9)
    assert np.std(noise[:-1]) == pytest.approx(NOISE, rel=0.3)


def test_a_crossing_curve_follows_its_formula() -> None:
    task = LateLearners("crossing", 0)
    u, c, t = np.array([0.5, 0.1, 0.2, 0.3]), task.optimum, 0.5
    bowl = sum((u[i] - c[i]) ** 2 for i in (1, 2, 3)) / 3 / 0.15
    final = 0.2 + 0.6 * 0.3 + 0.2 * bowl
    constant = 1.5 * 0.01**0.5
    progress = (1 - np.exp(-t / constant)) / (1 - np.exp(-1 / constant))
    assert task._values(u)[24] == pytest.approx(1 - (1 - final) * progress)
