"""One search that pays for each epoch, and the best of its full trainings at any time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from optuna.trial import TrialState

from benchmarks.fidelity.arms import ARMS, Arm, label_of_stopped, returns_labels
from benchmarks.fidelity.tasks import CurveTask
from benchmarks.search.peers import make_sampler

NOTHING_YET = 1.0
"""The regret before any training has ended: that of the median of random configurations."""

Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class Run:
    """The regret of a search over its budget, as it is kept in a file.

    Attributes:
        task: Name of the task.
        sampler: Name of the sampler.
        pruner: Name of the pruner.
        seed: Of the sampler. Runs of one seed begin with the same parameters.
        after: Budgets at which the regret changed, in full trainings.
        regret: The normalized regret of the best full training from each of them on.
        trials: How many were started.
        full: How many of them trained to the end.
    """

    task: str
    sampler: str
    pruner: str
    seed: int
    after: list[float]
    regret: list[float]
    trials: int
    full: int

    @property
    def key(self) -> Key:
        return self.task, self.sampler, self.pruner, self.seed

    def regret_at(self, budget: float) -> float:
        """Return the regret after so many full trainings' worth of epochs."""
        n = int(np.searchsorted(self.after, budget + 1e-9, side="right"))
        return self.regret[n - 1] if n else NOTHING_YET


@dataclass
class Trace:
    """What a search trained: lists by trial, in order.

    Attributes:
        length: Epochs of a full training.
        spent: Epochs trained until the trial ended.
        known: Its last report, or the label of a stopped trial.
        final: What it reports at the end of a full training.
        full: Whether it has trained to the end.
    """

    length: int
    spent: list[int] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    full: list[bool] = field(default_factory=list)

    def best_over_budget(self) -> Iterator[tuple[float, float]]:
        """Yield each new best value of a full training, with the budget at which it was known."""
        best = math.inf
        for spent, final, full in zip(self.spent, self.final, self.full, strict=True):
            if full and final < best:
                best = final
                yield spent / self.length, best

    def best_of_finalists(self, share: float, budget: int) -> Iterator[tuple[float, float]]:
        """Yield, by budget, the best value if a share of the stopped trials is trained at its end.

        They are those with the lowest labels, and the budget pays for them. It is known from the
        start, so two budgets are two searches, and the larger one may end worse.
        """
        final, full = np.nan_to_num(np.array(self.final), nan=np.inf), np.array(self.full)
        labels = np.where(full, np.inf, np.nan_to_num(np.array(self.known), nan=np.inf))
        n_finalists = np.ceil(share * np.cumsum(~full)).astype(int)
        prices = np.array(self.spent) + n_finalists * self.length
        last = math.inf
        for b in range(1, budget + 1):
            n = int(np.searchsorted(prices, b * self.length, side="right"))
            chosen = full[:n].copy()
            chosen[np.argsort(labels[:n], kind="stable")[: n_finalists[n - 1] if n else 0]] = True
            best = float(np.min(final[:n][chosen], initial=np.inf))
            if best not in (last, math.inf):
                last = best
                yield float(b), best


def search(task: CurveTask, sampler: str, pruner: str, seed: int, budget: int) -> Run:
    """Search until no further full training fits into the budget."""
    arm = ARMS[pruner]
    trace = train(task, sampler, arm, seed, budget)
    if arm.finalists:
        changes = list(trace.best_of_finalists(arm.finalists, budget))
    else:
        changes = list(trace.best_over_budget())
    return Run(
        task=task.name,
        sampler=sampler,
        pruner=pruner,
        seed=seed,
        after=[round(after, 3) for after, _ in changes],
        regret=[round(task.regret(value), 4) for _, value in changes],
        trials=len(trace.full),
        full=sum(trace.full),
    )


def train(task: CurveTask, sampler: str, arm: Arm, seed: int, budget: int) -> Trace:
    """Train trial after trial.

    A training that reports NaN has diverged. It fails and ends there, whoever prunes.
    """
    pruner = arm.make(task.n_steps)
    study = task.study(make_sampler(sampler, seed), pruner, name=f"{task.name} {seed}")
    trace = Trace(task.n_steps)
    spent = 0
    while spent + task.n_steps <= budget * task.n_steps:
        asked = task.ask(study)
        if asked is None:
            break
        trial, curve = asked
        stopped, value = False, math.nan
        for step, report in enumerate(curve.tolist(), start=1):
            value, spent = report, spent + 1
            trial.report(value, step)
            stopped = trial.should_prune()
            if stopped or math.isnan(value):
                break
        label = label_of_stopped(trial, pruner, value) if stopped else None
        known = value if label is None else label
        if stopped and (label is None or not returns_labels(pruner, sampler)):
            study.tell(trial, state=TrialState.PRUNED)
        elif math.isnan(known):
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, known)
        trace.spent.append(spent)
        trace.known.append(known)
        trace.final.append(float(curve[-1]))
        trace.full.append(not stopped and not math.isnan(value))
    return trace
