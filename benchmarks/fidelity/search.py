r"""Search with and without low fidelity at equal steps of training (epochs, rows).

    python -m benchmarks fidelity search --hpo DIR --out runs.jsonl --seeds 3
    python -m benchmarks fidelity search --out table.jsonl --seeds 10 --budget 30 \
        --table benchmarks/fidelity/curves/dhen_coupons.npz

A searcher without a pruner trains every configuration to the end. With one, trials return their
label, save those that are promising and run to their end. Where every trial is stopped, the full
trainings of the finalists, the three best labels, are paid from the budget.
The result is the best value of a full training, as normalized regret: 0 is the best known value,
1 the median of random configurations. Runs that `--out` holds are skipped; the tables, in
Markdown, are of all that it holds.

Takes about 5 hours on LCBench, 20 minutes on recorded DHENs.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.fidelity.tables import load_table
from benchmarks.fidelity.tasks import CurveTask, load_lcbench
from benchmarks.json_lines import append_line, read_lines
from benchmarks.quiet import be_quiet
from benchmarks.search.peers import make_sampler
from optuna_predictor_rl import HopelessTrialPruner, LowFidelityPruner
from optuna_predictor_rl.fidelity.labels import is_full

N_FINALISTS = 3
SAMPLERS = ("random", "tpe", "gp", "predictor_rl")
Pruner = LowFidelityPruner | HopelessTrialPruner
PRUNERS: dict[str, Callable[[], Pruner | None]] = {
    "none": lambda: None,
    "low fidelity": LowFidelityPruner,
    "every trial stopped": lambda: LowFidelityPruner(promising=1.0),
    "low fidelity, 10 pilots": lambda: LowFidelityPruner(n_pilot_trials=10),
    "low fidelity, hopeless": lambda: HopelessTrialPruner(LowFidelityPruner()),
}


def n_finalists(pruner: str) -> int:
    """Return the full trainings at the end: none where promising trials ran to their end."""
    return N_FINALISTS if pruner == "every trial stopped" else 0


@dataclass
class Run:
    """One search: its trials in order.

    Attributes:
        spent: Steps trained up to the end of each trial.
        known: What the searcher was told, lower is better; NaN for a failed trial.
        final: What a full training of the same configuration gives.
        full: Whether the trial was one.
    """

    task: str
    sampler: str
    pruner: str
    seed: int
    length: int
    best_known: float
    median_random: float
    spent: list[int] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    full: list[bool] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.task, self.sampler, self.pruner, self.seed

    def regret(self, budget: float) -> float:
        """Return the normalized regret after so many full trainings; NaN before the first."""
        reserve = n_finalists(self.pruner)
        n = int(np.searchsorted(self.spent, (budget - reserve) * self.length, side="right"))
        if n == 0:
            return float("nan")
        known, final = np.array(self.known[:n]), np.array(self.final[:n])
        full = np.array(self.full[:n])
        order = np.argsort(np.where(full, np.inf, known), kind="stable")  # NaN last
        chosen = full.copy()
        chosen[order[: n_finalists(self.pruner)]] = True
        best = np.nanmin(np.where(np.isnan(known), np.nan, final)[chosen])
        return float((best - self.best_known) / (self.median_random - self.best_known))


def search(task: CurveTask, sampler: str, pruner_name: str, seed: int, budget: int) -> Run:
    """Search until no further full training fits into the budget."""
    run = Run(
        task.name, sampler, pruner_name, seed, task.n_steps, task.best_known, task.median_random
    )
    pruner = PRUNERS[pruner_name]()
    study = task.study(make_sampler(sampler, seed), pruner)
    reserve = n_finalists(pruner_name)
    spent = 0
    while spent + task.n_steps <= (budget - reserve) * task.n_steps:
        asked = task.ask(study)
        if asked is None:
            break
        trial, curve = asked
        for step, value in enumerate(curve, start=1):
            spent += 1
            trial.report(float(value), step)
            if trial.should_prune():
                break
        known = float(curve[-1]) if pruner is None else pruner.label(trial)
        told = study.tell(trial, known)
        run.spent.append(spent)
        run.known.append(known)
        run.final.append(float(curve[-1]))
        run.full.append(is_full(told))
    return run


def read(path: Path) -> list[Run]:
    return [Run(**record) for record in read_lines(path)]


def mean_regrets(runs: Sequence[Run], budgets: Sequence[int]) -> np.ndarray:
    """Return the mean over seeds, (task, budget)."""
    tasks = sorted({run.task for run in runs})
    return np.array(
        [
            np.mean([[r.regret(b) for b in budgets] for r in runs if r.task == name], axis=0)
            for name in tasks
        ]
    )


def saving(regrets: np.ndarray, wanted: float, budgets: Sequence[int], last: int) -> float:
    """Share of `last` trainings not needed to come to the wanted regret; NaN if it never is."""
    there = np.flatnonzero(regrets <= wanted)
    return 1 - budgets[there[0]] / last if len(there) else float("nan")


def shared(runs: Sequence[Run], others: Sequence[Run]) -> list[Run]:
    """Return the runs whose task and seed the others have too."""
    pairs = {(run.task, run.seed) for run in others}
    return [run for run in runs if (run.task, run.seed) in pairs]


def differences(runs: Sequence[Run], others: Sequence[Run], budget: int) -> np.ndarray:
    """Return the regret less that of the other run with the same task and seed."""
    regret = {(run.task, run.seed): run.regret(budget) for run in others}
    return np.array([run.regret(budget) - regret[run.task, run.seed] for run in runs])


def print_tables(runs: Sequence[Run], shown: Sequence[int], last: int) -> None:
    grid = list(range(1, last + 1))
    for sampler in SAMPLERS:
        mine = [run for run in runs if run.sampler == sampler]
        if not mine:
            continue
        print(f"\n### {sampler}: mean regret by budget in full trainings")
        print("| pruner | " + " | ".join(map(str, shown)) + " | runs | tasks better at "
              f"{last} | worse | saved at equal quality | runs won - lost | "
              "standard error |")  # fmt: skip
        print("|---|" + "---:|" * (len(shown) + 6))
        for name in PRUNERS:
            base = [run for run in mine if run.pruner == "none"]
            these = shared([run for run in mine if run.pruner == name], base)
            if not these:
                continue
            base = shared(base, these)
            table, plain = mean_regrets(these, grid), mean_regrets(base, grid)
            better = int((table[:, -1] < plain[:, -1] - 1e-9).sum())
            worse = int((table[:, -1] > plain[:, -1] + 1e-9).sum())
            saved = saving(table.mean(0), float(plain[:, -1].mean()), grid, last)
            gaps = differences(these, base, last)
            won, lost = int((gaps < -1e-9).sum()), int((gaps > 1e-9).sum())
            cells = [f"{table[:, b - 1].mean():.3f}" for b in shown]
            print(f"| {name} | " + " | ".join(cells) + f" | {len(these)} | {better} | {worse} | "
                  f"{saved:.0%} | {won} - {lost} | {gaps.std() / len(gaps) ** 0.5:.3f} |",
                  flush=True)  # fmt: skip


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hpo", type=Path, help="folder that holds hpo_tasks.py")
    parser.add_argument("--table", type=Path, help="recorded curves with their parameters")
    parser.add_argument("--samplers", nargs="*", default=list(SAMPLERS), choices=SAMPLERS)
    parser.add_argument(
        "--pruners", nargs="*", default=["none", "low fidelity"], choices=PRUNERS
    )  # fmt: skip
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=50, help="in full trainings")
    parser.add_argument("--show", type=int, nargs="*", default=[20, 25, 30, 40, 50])
    parser.add_argument("--out", type=Path, required=True, help="file of JSON lines")
    arguments = parser.parse_args()
    if arguments.hpo is not None and not arguments.hpo.is_dir():
        parser.error(f"--hpo must be a folder, but got {arguments.hpo}.")
    return arguments


def main() -> None:
    arguments = parse()
    be_quiet()
    tasks = [] if arguments.hpo is None else load_lcbench(arguments.hpo)
    tasks += [] if arguments.table is None else [load_table(arguments.table)]
    done = {run.key for run in read(arguments.out)}
    for seed in range(arguments.seeds):
        for sampler in arguments.samplers:
            for task in tasks:
                for pruner in arguments.pruners:
                    if (task.name, sampler, pruner, seed) in done:
                        continue
                    run = search(task, sampler, pruner, seed, arguments.budget)
                    append_line(arguments.out, asdict(run))
    shown = [budget for budget in arguments.show if budget <= arguments.budget]
    print_tables(read(arguments.out), shown, arguments.budget)
