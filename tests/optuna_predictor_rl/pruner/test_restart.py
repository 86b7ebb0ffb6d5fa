"""A study of pilots, labelled, failed and killed trials gives one cutoff, whoever reads it."""

import math
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl import PredictorRLSampler, extrapolate
from optuna_predictor_rl.data.history import read_history
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.stored_rules import stored_rule
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import FIDELITY, FULL_FIDELITY, LABEL, RULE
from optuna_predictor_rl.visualization import plot_learning_curves, plot_rank_correlation
from tests.optuna_predictor_rl.pruner.studies import (
    N_STEPS,
    add_full_trials,
    followed_rule,
    make_study,
    objective,
    parallel_curves,
    rule_of,
)

Reports = dict[int, float]


def reports(kind: str, level: float, seed: int) -> Reports:
    """A curve of a kind that trainings have."""
    noise = np.random.default_rng(seed).normal(size=N_STEPS + 1)
    steps = range(1, N_STEPS + 1)
    curves: dict[str, Reports] = {
        "straight": {s: level - 0.03 * s for s in steps},
        "constant": dict.fromkeys(steps, level),
        "noisy": {s: level + 1 / s + 0.2 * float(noise[s]) for s in steps},
        "gap": {s: math.nan if s in (4, 5) else level + 1 / s for s in steps},
        "NaN": {s: math.nan if s > 8 else level + 1 / s for s in steps},
        "one point": {1: level},
    }
    return curves[kind]


def frozen(kind: str, state: str, level: float, seed: int) -> FrozenTrial:
    curve = reports(kind, level, seed)
    last = [v for v in curve.values() if math.isfinite(v)][-1]
    if state in ("full", "returned label"):
        marks: dict[str, Any] = {LABEL: last, FIDELITY: 6} if state == "returned label" else {}
        return create_trial(value=last, intermediate_values=curve, user_attrs=marks)
    if state == "pruned":
        marks = {LABEL: last, FIDELITY: 6}
        return create_trial(state=TrialState.PRUNED, intermediate_values=curve, user_attrs=marks)
    ended = TrialState.FAIL if state == "failed" else TrialState.RUNNING
    return create_trial(state=ended, intermediate_values=curve)


trials = st.lists(
    st.builds(
        frozen,
        st.sampled_from(["straight", "constant", "noisy", "gap", "NaN", "one point"]),
        st.sampled_from(["full", "full", "full", "returned label", "pruned", "failed", "killed"]),
        st.floats(-1, 1),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=12,
)


def read(study: Study) -> tuple[LowFidelityPruner, dict[str, Any] | None]:
    """As a process that has just been started."""
    pruner = LowFidelityPruner(n_pilot_trials=3, promising=1.0)
    study.pruner = pruner
    rule = pruner.rule(study)
    assert followed_rule(study) == rule
    return pruner, None if rule is None else rule.to_json()


@settings(deadline=None, derandomize=True, max_examples=15)
@given(mixed=trials, seed=st.integers(0, 99))
def test_a_mixed_study_gives_one_rule_after_a_restart_and_in_any_order(mixed, seed):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study, other = make_study(LowFidelityPruner()), make_study(LowFidelityPruner())
    study.add_trials(mixed)
    _, rule = read(study)
    assert read(study)[1] == rule  # as it is stored
    other.add_trials([mixed[i] for i in np.random.default_rng(seed).permutation(len(mixed))])
    assert read(other)[1] == rule  # decided anew
    full = [t for t in mixed if t.state == TrialState.COMPLETE and LABEL not in t.user_attrs]
    n_pilots = sum(len(t.intermediate_values) > 1 for t in full)
    assert (rule is None) == (n_pilots < 3)
    assert [key for key in study.user_attrs if key.startswith(RULE)] == (
        [] if rule is None else [f"{RULE}{n_pilots - n_pilots % 3}"]
    )


@settings(deadline=None, derandomize=True, max_examples=15)
@given(mixed=trials)
def test_every_curve_is_labelled_with_a_number_or_has_diverged(mixed):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = make_study(LowFidelityPruner())
    study.add_trials(mixed)
    pruner, _ = read(study)
    for trial in study.trials:
        diverged = not math.isfinite(list(trial.intermediate_values.values())[-1])
        assert math.isfinite(pruner.label(trial)) or diverged
        if trial.state == TrialState.RUNNING:
            assert pruner.prune(study, trial) in (True, False)


def test_reading_a_rule_writes_nothing():
    pruner = LowFidelityPruner(n_pilot_trials=3)
    sampler = PredictorRLSampler(learn_from_running=True, n_startup_trials=9)
    study = make_study(pruner, sampler=sampler)
    add_full_trials(study, parallel_curves(4))
    study.ask({"level": FloatDistribution(0.0, 1.0)})
    assert pruner.rule(study) is not None
    plot_learning_curves(study)
    plot_rank_correlation(study)
    assert study.user_attrs == {}
    rule = pruner.rule(study)
    assert followed_rule(study) == rule
    assert list(study.user_attrs) == [f"{RULE}3"]


def test_a_fixed_cutoff_is_stored_and_its_labels_are_corrected():
    pruner = LowFidelityPruner(cutoff=4, promising=1.0)
    study = make_study(pruner)
    space: dict[str, BaseDistribution] = {"level": FloatDistribution(0.0, 1.0)}
    study.optimize(objective, n_trials=1)
    assert stored_rule(study) == StoppingRule(cutoff=4.0, fit=rule_of(study).fit)
    raw = read_history(study, space)
    assert raw.errors is None
    for level in (0.3, 0.5, 0.9):  # each loses .2 more than 1 / step tells
        study.enqueue_trial({"level": level}, user_attrs={FULL_FIDELITY: True})
    study.optimize(lambda t: objective(t) - 0.2, n_trials=4)
    assert stored_rule(study) == StoppingRule(cutoff=4.0, end=12.0, fit=rule_of(study).fit)
    history = read_history(study, space)
    first = study.trials[0]
    # Eq. (2) with half of the way from step 1 to 4, in the logarithm, lacks what full trials tell.
    fit = extrapolate([1, 2, 3, 4], [1, 1 / 2, 1 / 3, 1 / 4], delta=1.5, axis="log", shrink=25)
    missed = fit.value - (1 / N_STEPS - 0.2)
    assert raw.labels[0, 0] == pytest.approx(first.params["level"] + fit.value)
    assert history.labels[0, 0] == pytest.approx(raw.labels[0, 0] - missed)
    assert history.errors is not None
    assert history.errors[0, 0] > 0.0


def test_a_rule_of_pilots_replaces_that_of_a_fixed_cutoff():
    study = make_study(LowFidelityPruner(cutoff=4))
    add_full_trials(study, parallel_curves(3))
    assert followed_rule(study) == LowFidelityPruner(cutoff=4).rule(study)
    study.pruner = LowFidelityPruner(n_pilot_trials=3)
    assert followed_rule(study) == rule_of(study)
    assert rule_of(study).n_pilots == 3
    study.pruner = LowFidelityPruner(cutoff=5)
    assert followed_rule(study) == rule_of(study)
    assert rule_of(study).cutoff == 5
