"""Recorded curves are read with their parameters, from the repository's file and from others."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fidelity.recorded import load_npz
from benchmarks.fidelity.tables import load_table, read_recordings

DHEN = Path(__file__).parents[2] / "benchmarks" / "fidelity" / "curves" / "dhen_coupons.npz"


def test_each_recorded_training_has_parameters_that_its_distributions_hold() -> None:
    (recording,) = read_recordings(DHEN)
    assert len(recording.params) == len(recording.curves) == 60
    for params in recording.params:
        for name, distribution in recording.distributions.items():
            assert distribution._contains(distribution.to_internal_repr(params[name]))


def test_a_table_and_a_task_of_one_file_agree() -> None:
    table, (task,) = load_table(DHEN), load_npz(DHEN)
    assert table.name == task.name
    assert table.n_steps == task.n_steps
    assert table.best_known == task.finals.min()
    assert len(task.params) == 60


def test_arrays_of_curves_without_parameters_are_tasks_by_name(tmp_path: Path) -> None:
    curves = np.arange(6.0).reshape(2, 3)
    np.savez(tmp_path / "two.npz", first=curves, second=curves + 1, steps=np.arange(3))
    first, second = load_npz(tmp_path / "two.npz")
    assert (first.name, second.name) == ("first", "second")
    assert second.finals.tolist() == [3.0, 6.0]
    assert first.params == []


def test_noise_changes_the_curves_and_leaves_the_final_values() -> None:
    (task,) = load_npz(DHEN)
    noisy = task.noisy(0.5, seed=0)
    spread = np.subtract(*np.percentile(task.finals, [75, 25]))
    assert np.std(noisy.values - task.values) == pytest.approx(0.5 * spread, rel=0.1)
    assert noisy.finals is task.finals
