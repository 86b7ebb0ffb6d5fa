"""Low fidelity on recorded learning curves: where training stops, what it saves, what it costs.

    python -m benchmarks fidelity stops --hpo DIR       # LCBench curves of a task folder
    python -m benchmarks fidelity stops --npz FILE...   # arrays (curve, step) by name

Replays the curves to a study with a pruner, and prints Markdown tables by the confidence of the
cutoff and by the probability of `HopelessTrialPruner`. Lower values are better in all curves. The
odd rows of the task list are the half that defaults were not chosen on.

Takes about 20 minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from benchmarks.fidelity.recorded import N_PILOTS, Task, header, options, row, tasks_of
from optuna_predictor_rl.core.curves import kendall_tau
from optuna_predictor_rl.hopeless_pruner import HopelessTrialPruner
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import LABEL

Pruner = LowFidelityPruner | HopelessTrialPruner


@dataclass(frozen=True)
class Run:
    """One study over recorded curves: what each configuration was known by, and its steps."""

    known: np.ndarray
    steps: np.ndarray
    cutoff: float | None

    def saved(self, task: Task) -> float:
        return 1 - float(self.steps.sum()) / (len(self.steps) * task.n_steps)


def replay(task: Task, rows: np.ndarray, pruner: Pruner) -> Run:
    """Report the curves one after the other to a study with the pruner."""
    study = optuna.create_study(pruner=pruner, sampler=RandomSampler(seed=0))
    for i in rows:
        trial = study.ask()
        for step, value in enumerate(task.values[i], start=1):
            trial.report(float(value), step)
            if trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                break
        else:
            study.tell(trial, float(task.values[i, -1]))
    trials = study.trials
    inner = pruner if isinstance(pruner, LowFidelityPruner) else pruner.pruner
    rule = inner.rule(study)
    return Run(
        known=np.array([t.user_attrs.get(LABEL, t.value) for t in trials], dtype=float),
        steps=np.array([t.last_step for t in trials]),
        cutoff=None if rule is None else rule.cutoff,
    )


def print_cutoffs(tasks: list[Task], n_draws: int) -> None:
    """Print what the confidence of the cutoff costs and keeps: pilots, and the rest labelled."""
    print(f"\n### Cutoff by the lower bound of tau ({N_PILOTS} pilots, wanted tau .75)")
    header("confidence", "half", "cutoff / length", "tau kept", "share below .70", "steps saved")
    for confidence in (0.01, 0.5, 0.8, 0.9):
        for half, chosen in (("even", tasks[::2]), ("odd", tasks[1::2])):
            cells = []
            for task in chosen:
                for draw in range(n_draws):
                    rows = np.random.default_rng(draw).permutation(len(task.values))[:70]
                    run = replay(task, rows, LowFidelityPruner(confidence=confidence))
                    labelled = rows[N_PILOTS:]
                    tau = kendall_tau(run.known[N_PILOTS:], task.finals[labelled])
                    cells.append(
                        ((run.cutoff or task.n_steps) / task.n_steps, tau, tau < 0.7,
                         run.saved(task))
                    )  # fmt: skip
            if cells:
                print(row(f"{confidence:g}", half, *map(float, np.mean(cells, axis=0))))


def print_hopeless(tasks: list[Task], n_draws: int) -> None:
    """Print what dropping hopeless trials saves beside the cutoff, and what it wrongly drops."""
    print("\n### Dropping hopeless trials before the cutoff")
    header("probability", "steps saved", "dropped", "of the best 10 % dropped", "tau of labels")
    makers: dict[str, Callable[[], Pruner]] = {"none": LowFidelityPruner} | {
        f"{p:g}": lambda p=p: HopelessTrialPruner(LowFidelityPruner(), probability=p)
        for p in (0.8, 0.9, 0.95, 0.99)
    }
    for name, make in makers.items():
        cells = []
        for task in tasks:
            for draw in range(n_draws):
                rows = np.random.default_rng(draw).permutation(len(task.values))[:70]
                run, finals = replay(task, rows, make()), task.finals[rows]
                early = run.steps < (run.cutoff or task.n_steps)
                best = np.argsort(finals)[: len(rows) // 10]
                tau = kendall_tau(run.known, finals)
                cells.append((run.saved(task), early.mean(), early[best].mean(), tau))
        print(row(name, *map(float, np.mean(cells, axis=0))))


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    arguments = parser.parse_args()
    tasks = tasks_of(parser, arguments)
    print_cutoffs(tasks, arguments.draws)
    print_hopeless(tasks, arguments.draws)
