import math

import numpy as np

from optuna_predictor_rl.core.curves import Curve, LabelFit, choose_fit
from optuna_predictor_rl.core.curves.label import labels_at
from tests.optuna_predictor_rl.core.curves.cases import crossing_curves


def test_the_better_of_two_fits_is_chosen_and_the_first_on_a_tie():
    curves = [Curve.of(curve) for curve in crossing_curves(seed=5)]
    finals = np.array([curve.values[-1] for curve in curves])
    raw, line = LabelFit(extrapolate_by=0.0), LabelFit(extrapolate_by=20.0, axis="linear")
    options = {"cutoffs": np.array([4.0, 8.0]), "worst": math.inf}
    assert choose_fit(curves, finals, [raw, line], **options) == line
    assert choose_fit(curves, finals, [line, raw], **options) == line
    again = LabelFit(extrapolate_by=21.0, axis="linear")
    assert choose_fit(curves, finals, [line, again], **options) == line


def test_noisy_pilots_choose_a_smoother_fit_than_clean_ones():
    rng = np.random.default_rng(0)
    levels, falls = rng.normal(size=(2, 12))
    steps = np.arange(1, 41)
    clean = levels[:, None] + falls[:, None] / steps
    noisy = clean + 0.5 * rng.normal(size=clean.shape)
    chosen = [
        choose_fit(
            [Curve.from_arrays(steps.astype(float), values) for values in curves],
            clean[:, -1],
            LabelFit().alternatives(),
            cutoffs=np.array([10.0, 15.0, 20.0, 25.0, 30.0]),
            worst=math.inf,
        )
        for curves in (clean, noisy)
    ]
    assert not chosen[0].smooth
    assert chosen[1].smooth


def test_a_curve_that_ended_by_the_cutoff_has_its_last_value_and_no_fit():
    zigzag = Curve.of({1: 5.0, 2: 1.0, 3: 4.0, 4: 2.0})
    goes_on = Curve.of({1: 5.0, 2: 1.0, 3: 4.0, 4: 2.0, 9: 1.0})
    ended, running = labels_at([zigzag, goes_on], 6.0, LabelFit(smooth=True), math.inf)
    assert ended == 2.0
    assert running != 2.0


def test_a_fit_that_ranks_few_curves_hardly_better_is_not_chosen():
    """Raw values confuse one of ten pairs at step 2: .2 of tau there, of .06 needed on average."""
    steps = range(1, 9)
    curves = [Curve.of(dict.fromkeys(steps, level)) for level in (0.0, 1.0, 2.0, 3.0)]
    curves.append(Curve.of({step: 3.9 - 0.2 * step for step in steps}))
    finals = np.array([0.0, 1.0, 2.0, 3.0, 2.3])
    raw, line = LabelFit(extrapolate_by=0.0), LabelFit(extrapolate_by=20.0, axis="linear")
    for cutoffs, chosen in (([2.0, 5.0, 6.0, 7.0], raw), ([2.0, 5.0, 6.0], line)):
        fits = {"cutoffs": np.array(cutoffs), "worst": math.inf}
        assert choose_fit(curves, finals, [raw, line], **fits) == chosen
