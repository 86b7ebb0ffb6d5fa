"""A study of pilots, labelled, failed and killed trials gives one cutoff, whoever reads it."""

import math
from typing import Any

import numpy as np
import optuna
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.labels import FIDELITY, LABEL
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.rules import RULE
from tests.optuna_predictor_rl.pruner.studies import N_STEPS, make_study

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
    rule = pruner.rule(study)
    return pruner, None if rule is None else rule.to_json()


@settings(deadline=None, derandomize=True, max_examples=25)
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


@settings(deadline=None, derandomize=True, max_examples=25)
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
