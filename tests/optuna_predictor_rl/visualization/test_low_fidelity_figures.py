import json

import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import Trial, TrialState, create_trial
from scipy.stats import kendalltau

from optuna_predictor_rl.core.curves import extrapolate
from optuna_predictor_rl.hopeless_pruner import HopelessTrialPruner
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL
from optuna_predictor_rl.visualization import (
    learning_curves,
    plot_learning_curves,
    plot_rank_correlation,
    rank_correlation,
)

N_STEPS = 15


def objective(trial: Trial) -> float:
    level = trial.suggest_float("level", 0.0, 1.0)
    for step in range(1, N_STEPS + 1):
        value = level + (1.0 + np.sin(9 * level)) / step
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value


@pytest.fixture
def study() -> Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = LowFidelityPruner(n_pilot_trials=6, extrapolate_by=0.5, promising=1.0)
    study = optuna.create_study(pruner=pruner, sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=14)
    return study


def test_every_curve_is_there_and_only_stopped_ones_are_extended(study):
    curves, rule = learning_curves(study)
    assert rule is not None
    assert [curve.number for curve in curves] == list(range(14))
    assert [curve.label is None for curve in curves] == [True] * 6 + [False] * 8


def test_the_extended_curve_leads_from_the_last_report_to_the_label(study):
    curves, rule = learning_curves(study)
    assert rule is not None
    for curve, trial in zip(curves[6:], study.trials[6:], strict=True):
        cutoff = trial.user_attrs[FIDELITY]
        delta = 0.5 * (cutoff - 1)
        expected = extrapolate(curve.steps, curve.values, delta=delta, axis="log", shrink=25)
        assert curve.label is not None
        assert curve.label.value == trial.user_attrs[LABEL]
        assert curve.label.value != expected.value  # the full trials' differences are in it
        assert curve.path_steps[0] == cutoff
        assert curve.path_values[0] == curve.values[-1]
        assert curve.path_steps[-2] == expected.step
        assert curve.path_values[-2] == pytest.approx(expected.value)
        assert (curve.path_steps[-1], curve.path_values[-1]) == (N_STEPS, curve.label.value)


def test_the_best_curves_are_named_from_the_best_on(study):
    curves, _ = learning_curves(study)
    ranked = sorted(curves, key=lambda curve: curve.long_term)
    figure = plot_learning_curves(study, n_best=4)
    named = [trace.legendgroup for trace in figure.data if trace.showlegend is None][::-1]
    assert [name.split()[1] for name in named if name] == [str(c.number) for c in ranked[:4]]


def test_the_best_of_a_maximized_study_is_the_highest():
    study = optuna.create_study(direction="maximize")
    for level in (1.0, 3.0, 2.0):
        study.add_trial(create_trial(value=level, intermediate_values={1: 0.0, 2: level}))
    figure = plot_learning_curves(study, n_best=1)
    assert figure.data[-1].name == "trial 1 (full)"


def test_tau_in_the_figure_is_that_of_the_full_trials(study):
    table, rule = rank_correlation(study)
    full = study.trials[:6]
    assert table.n_total == 6
    for i in (2, 7):
        raw = [trial.intermediate_values[int(table.cutoffs[i])] for trial in full]
        expected = kendalltau(raw, [trial.value for trial in full]).statistic
        assert table.raw.tau[i] == pytest.approx(expected)
    assert rule is not None
    figure = plot_rank_correlation(study)
    assert list(figure.data[1].y) == list(table.label.tau)
    assert list(figure.data[2].y) == list(table.raw.tau)
    assert any(f"cutoff {rule.cutoff:g}" in a.text for a in figure.layout.annotations)


def test_figures_are_small_enough_to_be_sent_again_and_again(study):
    for figure in (plot_learning_curves(study), plot_rank_correlation(study)):
        assert len(json.dumps(figure.to_plotly_json(), default=lambda a: a.tolist())) < 60_000


def test_figures_work_without_a_low_fidelity_pruner():
    study = optuna.create_study()
    for level in (1.0, 2.0, 3.0):
        curve = {step: level + 1 / step for step in range(1, 5)}
        study.add_trial(create_trial(value=curve[4], intermediate_values=curve))
        study.add_trial(create_trial(state=TrialState.FAIL, intermediate_values=curve))
    assert len(learning_curves(study)[0]) == 3
    assert plot_learning_curves(study).data
    assert plot_rank_correlation(study, min_rank_correlation=None).data


def test_the_pruner_inside_a_wrapper_is_found(study):
    inner = study.pruner
    assert isinstance(inner, LowFidelityPruner)
    study.pruner = HopelessTrialPruner(inner)
    assert learning_curves(study)[1] == inner.rule(study)


def test_a_study_with_too_few_curves_is_refused():
    study = optuna.create_study()
    with pytest.raises(ValueError, match=r"a trial that reported a finite value, but got none"):
        plot_learning_curves(study)
    with pytest.raises(ValueError, match=r"at least 3 trials .* but got 0"):
        plot_rank_correlation(study)
