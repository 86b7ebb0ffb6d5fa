r"""Pruners and samplers at equal epochs: regret of the best full training at any time.

    python -m benchmarks fidelity pruners --out runs.jsonl --hpo DIR --seeds 3
    python -m benchmarks fidelity pruners --out benchmarks/fidelity/pruners.jsonl --report

Every search has the same number of epochs and seeds are paired. Only a configuration that was
trained to the end is a result; epochs of stopped trials are paid. Nothing is trained at the end,
but by rules that let no trial train on. They train the tenth with the lowest labels anew, and the
budget pays for it: `paper`, and the simplest rule of all, `rung_1/N`, which stops every trial
after 1/N of the training and takes the value there for the final one.

Normalized regret: 0 is the best known value, 1 the median of random configurations.

Pruners have their defaults. A trial that Optuna's pruners stop is pruned. With ours the objective
returns the label for random, tpe and gp, and raises `TrialPruned` for predictor_rl, which reads
labels itself; GPSampler ignores trials that are pruned. `WilcoxonPruner` takes reports for samples
of one mean. That holds, at best, for DHEN's windows of a stream, and it is left out elsewhere.

Tasks: LCBench and TaskSet of the folder `--hpo`, and recorded trainings of DHEN. Beside them, and
in no mean of real tasks, late learners: two families of formulas, and TaskSet without the good
trainings that look good early. Of recorded trainings the nearest to what the sampler asks for is
taken, none twice; a search that has taken them all ends.

Runs that `--out` holds are skipped. `--report` runs nothing and prints the tables of all in it.

Takes seconds a run with random and tpe, and a minute or more with gp and predictor_rl.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path

from benchmarks.fidelity.arms import ARMS, SAMPLERS
from benchmarks.fidelity.equal_epochs import Key, Run, search
from benchmarks.fidelity.late_learners import late_learners
from benchmarks.fidelity.paired import BUDGET
from benchmarks.fidelity.pruner_tables import print_report
from benchmarks.fidelity.tables import load_late_taskset, load_table, load_taskset
from benchmarks.fidelity.tasks import CurveTask, load_lcbench
from benchmarks.json_lines import append_line, read_lines
from benchmarks.quiet import be_quiet

DHEN = Path(__file__).parent / "curves" / "dhen_coupons.npz"


def tasks_of(folder: Path | None, named: str) -> list[CurveTask]:
    """Return the tasks whose name contains the text."""
    loaders = (load_lcbench, load_taskset, load_late_taskset)
    tasks = [] if folder is None else [task for load in loaders for task in load(folder)]
    tasks += [load_table(DHEN), *late_learners()]
    return [task for task in tasks if named in task.name]


def missing(arguments: argparse.Namespace, done: set[Key]) -> Iterator[tuple[CurveTask, Key]]:
    """Yield the runs to do, all samplers, tasks and pruners of a seed before the next seed."""
    tasks = tasks_of(arguments.hpo, arguments.tasks)
    order = product(range(arguments.seeds), arguments.samplers, tasks, arguments.pruners)
    for seed, sampler, task, pruner in order:
        key = (task.name, sampler, pruner, seed)
        if key not in done and ARMS[pruner].applies_to(task):
            yield task, key


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="file of JSON lines, a run each")
    parser.add_argument("--report", action="store_true", help="print the tables, run nothing")
    parser.add_argument("--hpo", type=Path, help="folder that holds hpo_tasks.py")
    parser.add_argument("--tasks", default="", help="only those whose name contains this")
    parser.add_argument("--samplers", nargs="*", default=SAMPLERS, choices=SAMPLERS)
    default = [name for name in ARMS if name != "hopeless"]
    parser.add_argument("--pruners", nargs="*", default=default, choices=tuple(ARMS))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.hpo is not None and not arguments.hpo.is_dir():
        parser.error(f"--hpo must be a folder, but got {arguments.hpo}.")
    for pruner in () if arguments.report else arguments.pruners:
        try:
            ARMS[pruner].make(1)
        except AttributeError as error:
            parser.error(str(error))
    return arguments


def read(path: Path) -> list[Run]:
    return [Run(**record) for record in read_lines(path)]


def main() -> None:
    be_quiet()
    arguments = parse()
    if arguments.report:
        print_report(read(arguments.out))
        return
    done = {run.key for run in read(arguments.out)}
    for task, (_, sampler, pruner, seed) in missing(arguments, done):
        run = search(task, sampler, pruner, seed, BUDGET)
        append_line(arguments.out, asdict(run))
