import math

import numpy as np
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from optuna_predictor_rl.core.curves import Curve
from optuna_predictor_rl.fidelity.rung_table import Rungs, RungTable, column_of, row_of


def full(curve: dict[int, float]) -> FrozenTrial:
    return create_trial(value=curve[max(curve)], intermediate_values=curve)


def rungs_of_steps(steps: range, n_steps: int | None = None) -> Rungs:
    rungs = Rungs.of([full(dict.fromkeys(steps, 1.0))] * 3, n_steps)
    assert rungs is not None
    return rungs


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (range(1, 65), [1, 4, 16]),
        (range(64), [0, 3, 15]),  # training began one step before its first report
        (range(1000, 64001, 1000), [1000, 4000, 16000]),
        (range(1, 53), [1, 4, 13]),  # 52 / 16 = 3.25 and 52 / 64 = 0.8 are rounded up
        (range(1, 4), [1]),
        (range(1, 2), []),
    ],
)
def test_rungs_are_the_first_reports_at_a_64th_a_16th_and_a_quarter(steps, expected):
    assert rungs_of_steps(steps).steps.tolist() == expected


def test_the_longest_training_or_the_number_that_is_told_is_the_end():
    curves = [dict.fromkeys(range(1, n + 1), 1.0) for n in (32, 64, 48)]
    rungs = Rungs.of([full(curve) for curve in curves])
    assert rungs is not None
    assert (rungs.end, rungs.steps.tolist()) == (64.0, [1, 4, 16])
    assert rungs_of_steps(range(1, 65), n_steps=32).steps.tolist() == [1, 2, 8]


def test_there_are_no_rungs_without_a_full_curve():
    assert Rungs.of([]) is None


def test_a_value_counts_for_the_steps_that_it_is_the_first_past():
    rungs = rungs_of_steps(range(1, 65))
    values = rungs.values(Curve.of({3: 0.3, 5: 0.5, 17: 0.7, 20: 0.9}))
    at = dict(zip(rungs.grid.tolist(), values.tolist(), strict=True))
    assert math.isnan(at[1.0])  # three times as much had been trained at the first report
    assert (at[4.0], at[16.0]) == (0.5, 0.7)
    assert column_of(np.append(values, math.nan)) == int(np.flatnonzero(~np.isnan(values))[-1])


def test_a_curve_that_went_on_from_a_checkpoint_has_no_early_values():
    rungs = rungs_of_steps(range(1, 101))
    values = rungs.values(Curve.of(dict.fromkeys(range(91, 101), 1.0)))
    assert np.isnan(values[rungs.grid < 46]).all()


def test_a_full_training_that_ended_early_keeps_its_last_value():
    rungs = rungs_of_steps(range(1, 65))
    row = row_of(full({1: 4.0, 2: 3.0, 4: 2.0}), rungs, sign=1.0)
    assert row[rungs.columns].tolist() == [4.0, 2.0, 2.0]
    assert row[-1] == 2.0


def test_failed_trials_and_missing_values_are_left_out_and_maximized_ones_turn_around():
    rungs = rungs_of_steps(range(1, 65))
    trials = [
        full(dict.fromkeys(range(1, 65), 3.0)),
        create_trial(state=TrialState.FAIL, intermediate_values={1: 1.0}),
        create_trial(state=TrialState.PRUNED, intermediate_values={1: math.nan}),
        create_trial(state=TrialState.PRUNED, intermediate_values={1: 2.0}),
    ]
    for number, trial in enumerate(trials):
        trial._trial_id = number
    table = RungTable.of(trials, rungs, sign=-1.0)
    assert table.values[:, 0].tolist() == [-3.0, -2.0]
    assert table.full.tolist() == [True, False]
