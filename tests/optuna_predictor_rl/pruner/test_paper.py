"""The paper's rule, by hand: Eqs. (1) and (2), and the rank correlation of pilots."""

import numpy as np
import pytest
import scipy

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import FIDELITY, LABEL
from tests.optuna_predictor_rl.pruner.studies import (
    add_full_trials,
    attributes,
    make_study,
    report,
    rule_of,
)

SHARE = 0.4


def label_by_hand(curve: dict[int, float], step: int, end: int) -> float:
    """Fit a line to the last five points and follow it from the last value, as Eqs. (1), (2)."""
    known = [(s, v) for s, v in curve.items() if s <= step]
    if len(known) == 1:
        return known[0][1]
    steps, values = np.array(known[-5:]).T
    m, _ = np.polyfit(steps, values, 1)
    return float(values[-1] + m * min(SHARE * (step - known[0][0]), end - step))


def pilots(n: int, seed: int) -> list[dict[int, float]]:
    """Curves that cross early and part late."""
    rng = np.random.default_rng(seed)
    lines = rng.normal(size=(n, 2))
    return [{s: float(3 * a / s + b * s / 10) for s in range(1, 21)} for a, b in lines]


@pytest.mark.parametrize("seed", range(3))
def test_every_later_trial_stops_at_the_cutoff_with_the_label_of_equation_2(seed):
    study = make_study(LowFidelityPruner.paper(extrapolate_by=SHARE))
    curves = pilots(6, seed)
    add_full_trials(study, curves)
    rule = rule_of(study)
    assert rule.cutoff is not None
    taus = {}
    for step in (int(rule.cutoff), int(rule.cutoff) + 1):
        labels = [label_by_hand(curve, step, 20) for curve in curves]
        finals = [curve[20] for curve in curves]
        taus[step] = scipy.stats.kendalltau(labels, finals).statistic
    assert min(taus.values()) >= 0.75
    assert rule.tau == pytest.approx(taus[int(rule.cutoff)])
    best = min(curves, key=lambda curve: curve[20])
    ahead = {s: v - 5.0 for s, v in best.items()}  # would be the best by far
    _, stops = report(study, ahead)
    assert len(stops) == attributes(study)[FIDELITY] == rule.cutoff
    fit = rule.fit
    assert (fit.axis, fit.shrink, fit.smooth, fit.extrapolate_by) == ("linear", 0.0, False, SHARE)
    extrapolated = rule.label(Curve.of(ahead).until(rule.cutoff))
    assert extrapolated is not None
    assert extrapolated.value == pytest.approx(label_by_hand(ahead, int(rule.cutoff), 20))
    assert LABEL in attributes(study)


def test_the_cutoff_is_the_earliest_that_ranks_as_the_end_does():
    study = make_study(LowFidelityPruner.paper())
    add_full_trials(study, [{s: a + 1 / s for s in range(1, 21)} for a in range(6)])
    assert rule_of(study).cutoff == 1


def test_no_cutoff_is_chosen_where_none_ranks_as_the_end_does():
    study = make_study(LowFidelityPruner.paper())
    add_full_trials(
        study, [{s: float(a if s < 20 else -a) for s in range(1, 21)} for a in range(6)]
    )
    assert rule_of(study).cutoff is None


def test_each_rule_takes_its_own_arguments_only():
    assert LowFidelityPruner().by_cutoff is not None
    assert LowFidelityPruner(rule="rungs", n_steps=100).by_cutoff is None
    assert "axis='linear'" in repr(LowFidelityPruner.paper())
    with pytest.raises(ValueError, match=r"rule='cutoff' must be without .* \['n_steps'\]"):
        LowFidelityPruner(n_steps=100)
    with pytest.raises(ValueError, match=r"rule='rungs' must be without .* \['axes', 'cutoff'\]"):
        LowFidelityPruner(rule="rungs", cutoff=3, axis="log")
