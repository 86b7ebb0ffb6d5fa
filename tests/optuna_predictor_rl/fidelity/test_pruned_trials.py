"""Trials that another pruner stopped rank behind those that passed the step."""

import math

import numpy as np
import optuna
import pytest
from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers._tpe.sampler import _get_pruned_trial_score
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from optuna_predictor_rl import PolicyConfig, PredictorConfig, PredictorRLSampler, finalists
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.data.source import Source
from optuna_predictor_rl.fidelity.pruned_trials import ranked_behind
from optuna_predictor_rl.study.attributes import LABEL
from optuna_predictor_rl.visualization import plot_learning_curves
from tests.optuna_predictor_rl.trials import SPACE, UNIT, study_of


def frozen(
    x: float, reports: list[float], value: float | None = None, **attributes: float
) -> FrozenTrial:
    """Complete if it has a value, else stopped at its last report."""
    return create_trial(
        state=TrialState.PRUNED if value is None else TrialState.COMPLETE,
        value=reports[-1] if value is None else value,
        params={"x": x},
        distributions={"x": UNIT},
        intermediate_values=dict(enumerate(reports, 1)),
        user_attrs=attributes,
    )


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9, 1e308])
def test_stopped_trials_rank_as_in_tpe(direction, scale):
    sign = 1.0 if direction == "minimize" else -1.0
    rng = np.random.default_rng(0)
    curves = [
        [sign * scale * float(v) for v in rng.normal(size=rng.integers(1, 6))] for _ in "0" * 20
    ]
    curves[3][-1] = -sign * math.inf
    full = [frozen(0.01 * i, [0.0], scale * v) for i, v in enumerate([0.5, -0.2, 0.9])]
    stopped = [frozen(0.1 + 0.04 * i, curve) for i, curve in enumerate(curves)]
    study = study_of(*full, *stopped, direction=direction)
    labels = read_history(study, SPACE).labels[:, 0]
    assert np.isfinite(labels).all()
    assert labels[:3].tolist() == [sign * scale * v for v in (0.5, -0.2, 0.9)]
    assert labels[3:].min() > labels[:3].max()
    expected = sorted(range(20), key=lambda i: _get_pruned_trial_score(stopped[i], study))
    assert np.argsort(labels[3:], kind="stable").tolist() == expected


def test_equal_values_and_the_best_label_stay_before_stopped_trials():
    study = study_of(
        *(frozen(x, [0.0, 0.0], 0.0) for x in (0.1, 0.2)),
        frozen(0.3, [-9.0]),
        frozen(0.4, [-9.0, -9.0]),
        frozen(0.5, [-1.0], **{LABEL: -0.5}),
    )
    labels = read_history(study, SPACE).labels[:, 0].tolist()
    assert labels[:2] == [0.0, 0.0]
    assert 0.0 < labels[3] < labels[2]
    assert labels[4] == -0.5
    assert [t.number for t in finalists(study, 9)] == [4, 0, 1]
    assert Source.of(study).labels.argmin() == 4


def test_stopped_trials_alone_are_ranked_but_nothing_is_predicted_from_them():
    study = study_of(frozen(0.1, [3.0]), frozen(0.2, [2.0]), frozen(0.3, [9.0, 9.0]))
    labels = read_history(study, SPACE).labels[:, 0]
    assert np.argsort(labels).tolist() == [2, 1, 0]
    with pytest.raises(ValueError, match="must have a finished trial with a value"):
        PredictorRLSampler(seed=0).predict(study, [{"x": 0.5}])
    assert finalists(study) == []


def test_a_trial_that_was_stopped_at_nan_is_last_of_its_step():
    diverged = create_trial(
        state=TrialState.PRUNED, params={"x": 0.6}, distributions={"x": UNIT},
        intermediate_values={1: 0.0, 2: math.nan},
    )  # fmt: skip
    unlabelled = frozen(0.7, [0.0, 5.0], **{LABEL: math.nan})
    study = study_of(
        frozen(0.1, [0.0, 0.0], 1.0),
        diverged,
        unlabelled,
        frozen(0.2, [0.0, 9.0]),
        frozen(0.3, [0.0]),
    )
    labels = read_history(study, SPACE).labels[:, 0]
    assert np.argsort(labels).tolist() == [0, 2, 3, 1, 4]


def growing_total(trial: Trial) -> float:
    x, total = trial.suggest_float("x", 0.0, 1.0), 0.0
    for step in range(1, 11):
        total += 0.2 + (x - 0.7) ** 2
        trial.report(total, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return total


def test_a_growing_total_under_the_median_pruner_misleads_nothing():
    sampler = PredictorRLSampler(
        predictor=PredictorConfig(n_members=2, n_epochs=3), policy=PolicyConfig(n_steps=3), seed=0
    )
    study = optuna.create_study(sampler=sampler, pruner=MedianPruner())
    study.optimize(growing_total, n_trials=16)
    near = [t for t in study.trials[8:] if abs(t.params["x"] - 0.7) < 0.15]
    assert len(near) > 4  # 2.4 of 8 by chance
    assert all(t.state == TrialState.COMPLETE for t in finalists(study, 9))
    best, far = sampler.predict(study, [{"x": 0.7}, {"x": 1.0}]).mean
    assert best < 2.1
    assert far > 2.3  # not 0.29, the report at the first step
    names = [trace.name for trace in plot_learning_curves(study, n_best=3).data if trace.name]
    assert len(names) == 3
    assert all("(full)" in name for name in names)


def test_behind_a_trial_that_diverged_stopped_trials_are_not_as_far():
    full = [frozen(0.1 * i, [0.0], v) for i, v in enumerate([1.0, 2.0, 3.0, 1e6, 0.5])]
    labels = read_history(study_of(*full, frozen(0.9, [0.0])), SPACE).labels[:, 0]
    assert labels[[0, 1, 2, 4]].tolist() == [1.0, 2.0, 3.0, 0.5]
    assert 3.0 < labels[3] < labels[5] < 40.0
    assert read_history(study_of(*full), SPACE).labels[3, 0] == 1e6


def test_the_first_ten_trials_show_what_an_outlier_is():
    """Their third quartile is 6, from which 10 times its distance from the best makes 66."""
    labels = np.array([*range(10), *[1e6] * 30], dtype=float)
    trials = [frozen(0.5, [0.0, 0.0], 0.0)] * 40
    found = ranked_behind(labels, trials, np.zeros(40, dtype=bool), 1.0)
    assert found.tolist() == [*range(10), *[66.0] * 30]


@pytest.mark.parametrize("make", [MedianPruner, SuccessiveHalvingPruner, HyperbandPruner])
def test_trials_that_any_pruner_stopped_are_labelled_with_what_they_would_come_to(make):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), pruner=NopPruner())
    study.optimize(growing_total, n_trials=6)
    study.pruner = make()
    study.optimize(growing_total, n_trials=19)
    labels = read_history(study, study.trials[0].distributions).labels[:, 0]
    x = np.array([t.params["x"] for t in study.trials])
    stopped = np.array([t.state == TrialState.PRUNED for t in study.trials])
    true = 10.0 * (0.2 + (x - 0.7) ** 2)
    assert stopped.any()
    assert np.median(np.abs(labels - true)[stopped]) < 0.1
