"""Report who found what, from the JSON lines that `python -m benchmarks search quality` writes.

    python -m benchmarks search report runs.jsonl --samplers tpe gp predictor_rl

Only task-seed pairs that every compared sampler has count, so name the samplers to compare when
one of them ran on fewer. Normalized regret is `(best so far - best known) / (median random - best
known)`, never clipped: 0 is the best known value, 1 the median of random configurations, and
negative is better than what was known.

Takes a few seconds.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from benchmarks.json_lines import read_lines
from benchmarks.search.runs import (
    BUDGETS,
    Comparison,
    Record,
    normalized,
    seconds_at,
    side_by_side,
)

OURS = "predictor_rl"
TIMED_AGAINST = "gp"
_TIMED_AT = (50, 100)


def average_ranks(regrets: np.ndarray) -> np.ndarray:
    """Return the mean rank of each column, 1 the least regret; equal ones share their mean."""
    return rankdata(regrets, axis=1).mean(axis=0)


def wins_ties_losses(ours: np.ndarray, peer: np.ndarray) -> tuple[int, int, int]:
    """Count the pairs in which ours is less than, equal to and greater than the peer's."""
    return int((ours < peer).sum()), int((ours == peer).sum()), int((ours > peer).sum())


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table whose first column is text and whose others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float) -> str:
    return f"{value:.3f}"


def _triples(per_budget: Sequence[np.ndarray]) -> list[str]:
    """Join each column's values of the budgets as `a / b / c`."""
    return [" / ".join(_number(v[i]) for v in per_budget) for i in range(len(per_budget[0]))]


def _scores(comparison: Comparison, per_measure: Sequence[np.ndarray], title: str) -> list[str]:
    """Return tables of mean, median, ranks and wins, and by task, for each measure."""
    names = comparison.samplers
    means, medians = [m.mean(axis=0) for m in per_measure], [np.median(m, 0) for m in per_measure]
    ranks = [average_ranks(m) for m in per_measure]
    columns = [_triples(means), _triples(medians), _triples(ranks)]
    header = ["sampler", f"mean {title}", f"median {title}", "average rank"]
    if OURS in names:
        ours = names.index(OURS)
        header.append(f"{OURS} wins-ties-losses")
        counts = [
            " / ".join(
                "-".join(map(str, wins_ties_losses(m[:, ours], m[:, i]))) for m in per_measure
            )
            for i in range(len(names))
        ]
        counts[ours] = ""
        columns.append(counts)
    summary = markdown_table(header, zip(names, *columns, strict=True))
    by_task = [comparison.by_task(m) for m in per_measure]
    rows = [[t, *_triples([m[i] for m in by_task])] for i, t in enumerate(comparison.tasks)]
    return [summary, f"Mean {title} by task:", markdown_table(["task", *names], rows)]


def _times(comparison: Comparison, seconds: dict[str, np.ndarray]) -> str:
    """Return a table of the median seconds, and of their ratios to those of `TIMED_AGAINST`."""
    header, columns = ["sampler"], []
    for what, values in seconds.items():
        header.append(f"median s {what}")
        columns.append([f"{v:.4f}" for v in np.median(comparison.by_task(values), axis=0)])
        if TIMED_AGAINST in comparison.samplers:
            header.append(f"x {TIMED_AGAINST}")
            ratios = comparison.time_ratios(values, TIMED_AGAINST)
            columns.append([f"{ratio:.3f}" for ratio in ratios])
    return markdown_table(header, zip(comparison.samplers, *columns, strict=True))


def _sequential(comparison: Comparison, budgets: Sequence[int]) -> list[str]:
    title = "regret after " + " / ".join(map(str, budgets))
    seconds = {}
    for n in sorted({min(n, max(budgets)) for n in _TIMED_AT}):
        for field, kind in (("seconds", "wall"), ("cpu_seconds", "CPU")):
            seconds[f"at {n} ({kind})"] = np.array(
                [
                    [seconds_at(run[s], n, field) for s in comparison.samplers]
                    for run in comparison.runs.values()
                ]
            )
    scores = _scores(comparison, [comparison.regrets(b) for b in budgets], title)
    return [scores[0], _times(comparison, seconds), *scores[1:]]


def batch_measures(record: Record) -> tuple[float, float, float]:
    """Return the regret of the best, of the best or shared one, and the mean of the best five."""
    chosen = np.sort(normalized(record, record["values"]))
    shared = float(np.min(normalized(record, record["shared_values"])))
    return float(chosen[0]), min(float(chosen[0]), shared), float(chosen[:5].mean())


def _batch(comparison: Comparison) -> list[str]:
    runs, names = comparison.runs.values(), comparison.samplers
    measures = np.array([[batch_measures(run[s]) for s in names] for run in runs])
    seconds = {
        f"a batch ({kind})": np.array([[sum(run[s][field]) for s in names] for run in runs])
        for field, kind in (("seconds", "wall"), ("cpu_seconds", "CPU"))
    }
    distinct = np.array([[run[s]["n_distinct"] for s in names] for run in runs]).mean(axis=0)
    counts = ", ".join(f"{s} {d:.1f}" for s, d in zip(names, distinct, strict=True))
    title = "regret of the batch's best / with the shared trials / mean of its top 5"
    scores = _scores(comparison, list(np.moveaxis(measures, -1, 0)), title)
    distinct_line = f"Distinct configurations a batch, mean: {counts}."
    return [scores[0], distinct_line, _times(comparison, seconds), *scores[1:]]


def render(
    records: Sequence[Record],
    *,
    samplers: Sequence[str] = (),
    protocol: str = "sequential",
    budgets: Sequence[int] = BUDGETS,
    tasks: Sequence[str] = ("*",),
) -> str:
    """Return the report as Markdown."""
    n_trials = max(budgets) if protocol == "sequential" else 1
    comparison = side_by_side(
        records, samplers=samplers, protocol=protocol, n_trials=n_trials, tasks=tasks
    )
    seeds = sorted({seed for _, seed in comparison.runs})
    head = (
        f"{protocol.capitalize()} protocol, {len(comparison.runs)} task-seed pairs side by side: "
        f"{len(comparison.tasks)} tasks, seeds {', '.join(map(str, seeds))}."
    )
    body = _sequential(comparison, budgets) if protocol == "sequential" else _batch(comparison)
    return "\n\n".join([head, *body])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--samplers", nargs="+", default=[], help="to compare (default: all)")
    parser.add_argument("--tasks", nargs="+", default=["*"], help="names or shell patterns")
    parser.add_argument("--protocol", choices=["sequential", "batch"], default="sequential")
    parser.add_argument("--budgets", nargs="+", type=int, default=list(BUDGETS))
    arguments = vars(parser.parse_args())
    records = [record for path in arguments.pop("files") for record in read_lines(path)]
    print(render(records, **arguments))
