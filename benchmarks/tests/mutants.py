"""How many small faults of the code the tests notice: a stratified random sample of mutants.

    python -m benchmarks tests mutants --out mutants.jsonl --jobs 2
    python -m benchmarks tests mutants --out mutants.jsonl --report

Needs the dependency group `mutants`. Each mutant is a copy of the repository with one change by
mutmut's operators: a number, a comparison, a sign, an assignment or an argument. Only the tests
next to it run, the nearest first, in three runs of at most `--seconds` of processor time. A fault
that only a later test would notice counts as missed. One that hangs counts as noticed, as the
suite ends it.

Mutants that `--out` already holds are skipped, so an interrupted command is simply repeated. A
line that has changed since is another mutant; draw a new sample after larger changes.

Takes about 2 hours on one core.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scipy.stats import binomtest
from tqdm import tqdm

from benchmarks.json_lines import append_line, read_lines

if TYPE_CHECKING:
    from benchmarks.tests.sample import Mutant  # needs mutmut

Line = dict[str, Any]


def key(mutant: Line) -> tuple[str, str, str, int]:
    """Return what tells a mutant apart from others of the same code."""
    return mutant["path"], mutant["before"], mutant["after"], mutant["line"]


def described(mutant: Mutant) -> Line:
    """Return what a file of results says of a mutant."""
    line = asdict(mutant)
    del line["text"]
    return line


def work(mutants: Sequence[Mutant], out: Path, seconds: float, progress: Any) -> None:
    """Try mutants one after the other in a copy of the repository."""
    from benchmarks.tests.noticed import copy_repository, import_libraries, try_tests, write
    from benchmarks.tests.sample import ROOT

    import_libraries()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        copy_repository(copy)
        for mutant in mutants:
            write(copy / mutant.path, mutant.text)
            answer = try_tests(copy, mutant.path, seconds)
            write(copy / mutant.path, (ROOT / mutant.path).read_text())
            append_line(out, described(mutant) | asdict(answer))
            progress.put(None)


def check_unchanged(out: Path, seconds: float) -> None:
    """Run each room's tests on the unchanged code, for a failure there would count as noticing.

    Raises:
        RuntimeError: If a test fails.
    """
    from benchmarks.tests.noticed import copy_repository, import_libraries, try_tests
    from benchmarks.tests.sample import ROOMS, modules

    done = {line["unchanged"] for line in read_lines(out) if "unchanged" in line}
    import_libraries()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy_repository(Path(folder))
        for room in tqdm([room for room in ROOMS if room not in done], desc="unchanged code"):
            answer = try_tests(Path(folder), modules(room)[-1], seconds)
            if answer.noticed:
                raise RuntimeError(f"{answer.by} fails on the unchanged code.")
            append_line(out, {"unchanged": room, "seconds": answer.seconds})


def report(lines: Sequence[Line]) -> str:
    """Return the shares that were noticed, by room and kind, and list the others."""
    mutants = [line for line in lines if "noticed" in line]
    rows = ["| mutants of | tried | noticed | share |", "|---|---:|---:|---:|"]
    for name in ("room", "kind"):
        tried = Counter(m[name] for m in mutants)
        noticed = Counter(m[name] for m in mutants if m["noticed"])
        rows += [
            f"| {each} | {tried[each]} | {noticed[each]} | {noticed[each] / tried[each]:.0%} |"
            for each in sorted(tried)
        ]
    n = sum(m["noticed"] for m in mutants)
    low, high = binomtest(n, len(mutants)).proportion_ci(method="wilson")
    rows.append(f"| **all** | {len(mutants)} | {n} | {n / len(mutants):.0%} |")
    missed = [
        f"- {m['path']}:{m['line']} `{m['before']}` -> `{m['after']}`"
        for m in sorted(mutants, key=key)
        if not m["noticed"]
    ]
    interval = f"95 % interval of the share of all (Wilson): {low:.1%} to {high:.1%}."
    return "\n".join([*rows, "", interval, "", "Missed:", "", *missed])


def run(mutants: Sequence[Mutant], arguments: argparse.Namespace) -> None:
    """Try the mutants that the file lacks, in several processes."""
    out, jobs = arguments.out, arguments.jobs
    context = multiprocessing.get_context("spawn")
    check = context.Process(target=check_unchanged, args=(out, arguments.seconds))
    check.start()
    check.join()
    if check.exitcode:
        raise SystemExit(check.exitcode)
    done = {key(line) for line in read_lines(out) if "noticed" in line}
    left = [mutant for mutant in mutants if key(described(mutant)) not in done]
    progress = context.Queue()
    workers = [
        context.Process(target=work, args=(left[i::jobs], out, arguments.seconds, progress))
        for i in range(jobs)
    ]
    for worker in workers:
        worker.start()
    for _ in tqdm(left, initial=len(mutants) - len(left), total=len(mutants), unit="mutant"):
        progress.get()
    for worker in workers:
        worker.join()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="file of JSON lines to append to")
    add("--mutants", type=int, default=400)
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=40, help="processor time for the tests of a mutant")
    add("--jobs", type=int, default=1, help="processes, each of one thread")
    add("--report", action="store_true", help="only print what --out says")
    arguments = parser.parse_args()
    out: Path = arguments.out
    if not arguments.report:
        from benchmarks.tests.sample import draw

        run(draw(arguments.mutants, arguments.seed), arguments)
    print(report(read_lines(out)))
