"""Recorded runs of searchers, and those of them that can be compared side by side."""

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Record = dict[str, Any]

BUDGETS = (25, 50, 100)

_WINDOW = 10


def normalized(record: Record, values: Sequence[float]) -> np.ndarray:
    """Put losses on the scale where 0 is the best known and 1 the median of random ones."""
    best = record["best_known"]
    return (np.asarray(values, float) - best) / (record["median_random"] - best)


def regret(record: Record, budget: int) -> float:
    """Return the normalized regret of the best of the first `budget` trials."""
    return float(np.min(normalized(record, record["values"][:budget])))


def seconds_at(record: Record, n_completed: int, field: str = "seconds") -> float:
    """Return the mean over the ten suggestions that complete trial `n_completed`.

    A mean, so that a searcher which refits only now and then still pays for its fits.
    """
    return float(np.mean(record[field][max(n_completed - _WINDOW, 0) : n_completed]))


@dataclass(frozen=True)
class Comparison:
    """Runs side by side: `runs[pair][sampler]`, each pair a task and a seed."""

    samplers: list[str]
    runs: dict[tuple[str, int], dict[str, Record]]

    @property
    def tasks(self) -> list[str]:
        return list(dict.fromkeys(task for task, _ in self.runs))

    @cached_property
    def _task_rows(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {task: [] for task in self.tasks}
        for row, (task, _) in enumerate(self.runs):
            rows[task].append(row)
        return rows

    def regrets(self, budget: int) -> np.ndarray:
        """Return the normalized regret, one row a pair and one column a sampler."""
        return np.array(
            [[regret(run[s], budget) for s in self.samplers] for run in self.runs.values()]
        )

    def by_task(self, per_pair: np.ndarray) -> np.ndarray:
        """Return the mean over seeds: one row a task."""
        return np.array([per_pair[rows].mean(axis=0) for rows in self._task_rows.values()])

    def time_ratios(self, seconds: np.ndarray, against: str) -> np.ndarray:
        """Return the median over tasks of the ratio of the medians over seeds, for each sampler.

        Args:
            seconds: One row a pair and one column a sampler.
            against: The sampler whose time is 1.
        """
        medians = np.array([np.median(seconds[r], axis=0) for r in self._task_rows.values()])
        reference = medians[:, [self.samplers.index(against)]]
        return np.median(medians / reference, axis=0)


def side_by_side(
    records: Iterable[Record],
    *,
    samplers: Sequence[str] = (),
    protocol: str = "sequential",
    n_trials: int = max(BUDGETS),
    tasks: Sequence[str] = ("*",),
) -> Comparison:
    """Keep the task-seed pairs for which every sampler has a run of at least `n_trials` trials.

    Args:
        records: Of several runs of a pair the first counts.
        samplers: Those to compare (default: all that occur).
        protocol: "sequential" or "batch".
        n_trials: The least number of trials of a run.
        tasks: Shell patterns of the tasks that count.

    Raises:
        ValueError: If no pair is left, or runs of a task disagree on its scale.
    """
    found: dict[tuple[str, int], dict[str, Record]] = {}
    scales: dict[str, tuple[float, float]] = {}
    for r in records:
        counts = r["protocol"] == protocol and len(r["values"]) >= n_trials
        if not counts or not any(fnmatch.fnmatchcase(r["task"], t) for t in tasks):
            continue
        scale = (r["best_known"], r["median_random"])
        best, median = scales.setdefault(r["task"], scale)
        if not np.allclose(scale, (best, median), rtol=0, atol=1e-3 * abs(median - best)):
            raise ValueError(
                f"runs of {r['task']} must share a scale, but got {scale} and others."
            )
        found.setdefault((r["task"], r["seed"]), {}).setdefault(r["sampler"], r)
    compared = list(samplers) or list(dict.fromkeys(s for run in found.values() for s in run))
    runs = {pair: found[pair] for pair in sorted(found) if set(compared) <= set(found[pair])}
    if not runs:
        raise ValueError(f"records must hold a pair that all of {compared} have, but got none.")
    return Comparison(compared, runs)
