"""The mathematics of the search-quality report, on runs small enough to work out by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import json_lines
from benchmarks.search import report, runs

Record = dict[str, Any]


def run(sampler: str, values: list[float], *, task: str = "a", seed: int = 0) -> Record:
    """A run on a task whose best known loss is 2 and whose random median is 6."""
    return {
        "protocol": "sequential",
        "task": task,
        "sampler": sampler,
        "seed": seed,
        "best_known": 2.0,
        "median_random": 6.0,
        "values": values,
        "seconds": [0.1] * len(values),
        "cpu_seconds": [0.1] * len(values),
        "n_distinct": len(values),
        "shared_values": [],
    }


def test_regret_is_zero_at_the_best_known_and_one_at_the_median_of_random() -> None:
    assert runs.regret(run("x", [2.0]), 1) == 0
    assert runs.regret(run("x", [6.0]), 1) == 1


def test_regret_counts_only_the_trials_of_the_budget() -> None:
    r = run("x", [6.0, 4.0, 2.0])
    assert [runs.regret(r, budget) for budget in (1, 2, 3)] == [1, 0.5, 0]


def test_a_run_that_beats_the_best_known_keeps_its_negative_regret() -> None:
    assert runs.regret(run("x", [1.0]), 1) == -0.25


def test_a_run_worse_than_random_keeps_a_regret_above_one() -> None:
    assert runs.regret(run("x", [10.0]), 1) == 2


def test_only_pairs_that_all_samplers_have_are_compared() -> None:
    records = [
        run("x", [3.0], seed=0),
        run("y", [3.0], seed=0),
        run("x", [3.0], seed=1),
        run("y", [3.0], seed=1, task="b"),
    ]
    assert list(runs.side_by_side(records, n_trials=1).runs) == [("a", 0)]
    alone = runs.side_by_side(records, n_trials=1, samplers=["x"])
    assert list(alone.runs) == [("a", 0), ("a", 1)]


def test_runs_with_too_few_trials_are_left_out() -> None:
    records = [run("x", [3.0, 3.0]), run("x", [3.0], seed=1)]
    assert list(runs.side_by_side(records, n_trials=2).runs) == [("a", 0)]


def test_tasks_are_picked_by_shell_patterns() -> None:
    records = [run("x", [3.0], task=t) for t in ("nb:1", "nb:2", "mlp:1")]
    assert runs.side_by_side(records, n_trials=1, tasks=["nb:*"]).tasks == ["nb:1", "nb:2"]


def test_of_repeated_runs_the_first_counts() -> None:
    compared = runs.side_by_side([run("x", [3.0]), run("x", [2.0])], n_trials=1)
    assert compared.regrets(1).tolist() == [[0.25]]


def test_no_common_pair_is_an_error_that_names_the_samplers() -> None:
    with pytest.raises(ValueError, match=r"\['x', 'y'\]"):
        runs.side_by_side([run("x", [3.0]), run("y", [3.0], seed=1)], n_trials=1)


def test_runs_of_a_task_on_different_scales_are_refused() -> None:
    other = run("y", [3.0]) | {"best_known": 1.0}
    with pytest.raises(ValueError, match="share a scale"):
        runs.side_by_side([run("x", [3.0]), other], n_trials=1)


def test_equal_regrets_share_the_mean_of_their_ranks() -> None:
    regrets = np.array([[0.1, 0.2, 0.2], [0.3, 0.1, 0.2]])
    np.testing.assert_allclose(report.average_ranks(regrets), [2.0, 1.75, 2.25])


def test_wins_ties_and_losses_count_every_pair_once() -> None:
    ours, peer = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.2, 0.2, 0.1, 0.5])
    assert report.wins_ties_losses(ours, peer) == (2, 1, 1)
    assert report.wins_ties_losses(peer, ours) == (1, 1, 2)


def test_a_mean_by_task_averages_its_seeds() -> None:
    records = [
        run("x", [2.0], task="a", seed=0),
        run("x", [6.0], task="a", seed=1),
        run("x", [4.0], task="b", seed=0),
    ]
    compared = runs.side_by_side(records, n_trials=1)
    assert compared.tasks == ["a", "b"]
    assert compared.by_task(compared.regrets(1)).tolist() == [[0.5], [0.5]]


def test_seconds_at_a_budget_are_the_mean_of_its_last_ten_suggestions() -> None:
    r = run("x", [3.0] * 30) | {"seconds": [float(i) for i in range(30)]}
    assert runs.seconds_at(r, 20) == 14.5  # of 10, 11, ..., 19
    assert runs.seconds_at(r, 5) == 2.0  # of 0, 1, ..., 4


def test_time_ratios_are_medians_over_tasks_of_ratios_of_medians_over_seeds() -> None:
    records = [
        run(s, [3.0], task=t, seed=i) for t in ("a", "b", "c") for i in (0, 1, 2) for s in "xy"
    ]
    compared = runs.side_by_side(records, n_trials=1)
    reference, slower = np.ones(9), np.array([2, 2, 90, 3, 3, 3, 8, 8, 8])
    ratios = compared.time_ratios(np.stack([reference, slower], axis=1), "x")
    assert ratios.tolist() == [1, 3]


def test_batch_measures_are_the_best_the_best_with_shared_and_the_mean_of_the_top_five() -> None:
    r = run("x", [6.0, 4.0, 10.0, 6.0, 6.0, 8.0]) | {"shared_values": [3.0]}
    assert report.batch_measures(r) == (0.5, 0.25, pytest.approx((0.5 + 1 + 1 + 1 + 1.5) / 5))


def test_a_line_cut_off_by_an_interruption_is_skipped_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(run("x", [3.0])) + '\n{"task": "a", "val')
    with pytest.warns(UserWarning, match="runs.jsonl:2"):
        assert len(json_lines.read_lines(path)) == 1


def test_the_report_lists_every_task_and_sampler_also_where_ours_lost() -> None:
    records = [
        run(s, [v], task=t)
        for t in ("won", "lost")
        for s, v in (("gp", 3.0), ("predictor_rl", 2.5 if t == "won" else 6.0))
    ]
    text = report.render(records, budgets=[1])
    assert "| lost | 0.250 | 1.000 |" in text
    assert "| won | 0.250 | 0.125 |" in text
    assert "| gp | 0.250 | 0.250 | 1.500 | 1-0-1 |" in text


def test_the_report_of_batches_covers_all_three_measures() -> None:
    batch = {"protocol": "batch", "shared_values": [3.0]}
    text = report.render([run("gp", [4.0] * 5) | batch], protocol="batch")
    assert "| gp | 0.500 / 0.250 / 0.500 |" in text
