"""Low fidelity on recorded learning curves: how labels rank, where training stops, what it saves.

    python benchmarks/fidelity/labels.py --hpo DIR       # LCBench curves of a task folder
    python benchmarks/fidelity/labels.py --npz FILE...   # arrays (curve, step) by name

Prints Markdown tables. Lower values are better in all curves. The odd rows of the task list are
the half that defaults were not chosen on.
"""

import argparse
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.samplers import RandomSampler
from optuna.trial import TrialState, create_trial

from benchmarks.fidelity.tasks import load_lcbench
from optuna_predictor_rl.core.curves import Curve, LabelFit, choose_fit, kendall_tau
from optuna_predictor_rl.core.curves.cutoff import RAW
from optuna_predictor_rl.core.curves.label import labels_at
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.label_correction import LabelCorrection
from optuna_predictor_rl.hopeless_pruner import HopelessTrialPruner
from optuna_predictor_rl.pruner import LowFidelityPruner
from optuna_predictor_rl.study.attributes import LABEL

N_CURVES = 120
N_PILOTS = 6
Pruner = LowFidelityPruner | HopelessTrialPruner

FITS = {
    "raw": RAW,
    "linear .2, not shrunk": LabelFit(axis="linear", extrapolate_by=0.2, shrink=0.0),
    "linear .4, not shrunk": LabelFit(axis="linear", extrapolate_by=0.4, shrink=0.0),
    "linear 1, not shrunk": LabelFit(axis="linear", shrink=0.0),
    "log 1, not shrunk": LabelFit(shrink=0.0),
    "power 1, not shrunk": LabelFit(axis="power", shrink=0.0),
    "exponential 1, not shrunk": LabelFit(axis="exponential", shrink=0.0),
    "linear .4": LabelFit(axis="linear", extrapolate_by=0.4),
    "log .5": LabelFit(extrapolate_by=0.5),
    "log 1": LabelFit(),
    "log, to the end": LabelFit(extrapolate_by=99.0),
    "log 1, 10 points": LabelFit(n_fit_points=10),
    "log .5, 10 points, smooth": LabelFit(extrapolate_by=0.5, n_fit_points=10, smooth=True),
    "last 10 points, smooth": LabelFit(extrapolate_by=0.0, n_fit_points=10, smooth=True),
}


Params = tuple[dict[str, Any], dict[str, BaseDistribution]]


@dataclass(frozen=True)
class Task:
    """Curves on one grid of steps, their final values without noise, and their parameters."""

    name: str
    values: np.ndarray
    finals: np.ndarray
    params: list[Params] = field(default_factory=list)

    @property
    def n_steps(self) -> int:
        return int(self.values.shape[1])

    def curves(self, rows: Sequence[int] | np.ndarray) -> list[Curve]:
        steps = np.arange(1.0, self.n_steps + 1)
        return [Curve.from_arrays(steps, self.values[row].astype(float)) for row in rows]

    def noisy(self, share: float, seed: int) -> "Task":
        """Noise at every step, as a share of the quartiles' distance of the final values."""
        scale = share * np.subtract(*np.percentile(self.finals, [75, 25]))
        noise = np.random.default_rng(seed).normal(size=self.values.shape)
        return Task(self.name, self.values + scale * noise, self.finals, self.params)


def load_hpo(folder: Path) -> list[Task]:
    """The learning curves of random LCBench configurations, from the folder's task module."""
    loaded = []
    for task in load_lcbench(folder):
        study = optuna.create_study(sampler=RandomSampler(seed=0))
        asked = [task.ask(study, RandomSampler(), 0) for _ in range(N_CURVES)]
        values = np.array([pair[1] for pair in asked if pair is not None])
        params: list[Params] = [
            (pair[0].params, pair[0].distributions) for pair in asked if pair is not None
        ]
        name = task.name.removeprefix("yahpo_")
        loaded.append(Task(name, values, values[:, -1], params))
    return loaded


def load_npz(path: Path) -> list[Task]:
    with np.load(path) as arrays:
        names = [name for name in arrays.files if arrays[name].ndim == 2]
        params: list[Params] = []
        if "params" in arrays:
            texts = json.loads(str(arrays["distributions"]))
            ranges = {key: json_to_distribution(text) for key, text in texts.items()}
            params = [(one, ranges) for one in json.loads(str(arrays["params"]))]
        return [Task(name, arrays[name], arrays[name][:, -1], params) for name in names]


def tau_at(task: Task, rows: np.ndarray, share: float, fit: LabelFit) -> float:
    cutoff = round(share * task.n_steps)
    return kendall_tau(labels_at(task.curves(rows), cutoff, fit, np.inf), task.finals[rows])


def chosen_fit(task: Task, pilots: np.ndarray) -> LabelFit:
    """As the pruner chooses it from pilots."""
    cutoffs = np.linspace(0.2, 0.8, 10) * task.n_steps
    candidates = LabelFit().alternatives()
    values = task.values[pilots, -1].astype(float)
    return choose_fit(task.curves(pilots), values, candidates, cutoffs=cutoffs.round(), worst=9e9)


def row(*cells: object) -> str:
    return "| " + " | ".join(f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells) + " |"


def header(*cells: str) -> None:
    print("\n" + row(*cells))
    print(row("---", *["---:"] * (len(cells) - 1)))


def print_fits(tasks: list[Task], noises: Sequence[float]) -> None:
    """Tau of every way of labelling, on the half of the tasks to choose on and on the other."""
    shares = (0.3, 0.4, 0.5, 0.6)
    print(f"\n### Tau of labels with final values, mean over cutoffs at {shares} of the training")
    header("fit", *[f"noise {n:g}, {half}" for n in noises for half in ("even", "odd")])
    rng = np.random.default_rng(0)
    splits = [rng.permutation(len(tasks[0].values)) for _ in range(5)]
    for name in [*FITS, "chosen by the pilots"]:
        cells = []
        for noise in noises:
            noisy = [task.noisy(noise, seed=i) for i, task in enumerate(tasks)]
            for half in (noisy[::2], noisy[1::2]):
                taus = []
                for task in half:
                    for split in splits[:1] if name in FITS else splits:
                        rows = split % len(task.values)
                        fit = FITS.get(name) or chosen_fit(task, rows[:N_PILOTS])
                        taus += [tau_at(task, rows[N_PILOTS:], s, fit) for s in shares]
                cells.append(float(np.mean(taus)) if taus else float("nan"))
        print(row(name, *cells))


def pruner_labels(task: Task, pilots: np.ndarray, rows: np.ndarray, share: float) -> np.ndarray:
    """What the pruner would label the rows with at that share, after these pilots."""
    cutoff = round(share * task.n_steps)
    rule = StoppingRule(
        cutoff=float(cutoff), end=float(task.n_steps), fit=chosen_fit(task, pilots)
    )
    full = [
        create_trial(
            value=float(task.finals[i]),
            intermediate_values=dict(enumerate(task.values[i].astype(float).tolist(), start=1)),
            params=task.params[i][0] if task.params else {},
            distributions=task.params[i][1] if task.params else {},
        )
        for i in pilots
    ]
    correction = LabelCorrection(rule, full)
    labels = [
        correction.label(curve.until(cutoff), task.params[i][0] if task.params else {})
        for i, curve in zip(rows, task.curves(rows), strict=True)
    ]
    return np.array([np.inf if label is None else label.value for label in labels])


def print_labels(tasks: list[Task], share: float, n_draws: int) -> None:
    """Raw and label at one cutoff, by task."""
    print(
        f"\n### Tau with the final value at {share:.0%} of the training, mean over {n_draws} "
        f"draws of {N_PILOTS} pilots and 50 others"
    )
    header("task", "raw", "paper's line (.4)", "log (1)", "the pruner's label")
    total = []
    for task in tasks:
        cells = []
        for draw in range(n_draws):
            order = np.random.default_rng(draw).permutation(len(task.values))
            pilots, rest = order[:N_PILOTS], order[N_PILOTS : N_PILOTS + 50]
            fits = [RAW, FITS["linear .4, not shrunk"], FITS["log 1"]]
            taus = [tau_at(task, rest, share, fit) for fit in fits]
            taus.append(kendall_tau(pruner_labels(task, pilots, rest, share), task.finals[rest]))
            cells.append(taus)
        total.append(np.mean(cells, axis=0))
        print(row(task.name, *map(float, total[-1])), flush=True)
    print(row("mean", *map(float, np.mean(total, axis=0))))


@dataclass(frozen=True)
class Run:
    """One study over recorded curves: what each configuration was known by, and its steps."""

    known: np.ndarray
    steps: np.ndarray
    cutoff: float | None

    def saved(self, task: Task) -> float:
        return 1 - float(self.steps.sum()) / (len(self.steps) * task.n_steps)


def replay(task: Task, rows: np.ndarray, pruner: Pruner) -> Run:
    """Reports the curves one after the other to a study with the pruner."""
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
    """What the confidence of the cutoff costs and keeps: the pilots, and the rest labelled."""
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
    """Dropping hopeless trials: what it saves beside the cutoff and what it wrongly drops."""
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hpo", type=Path, help="folder that holds hpo_tasks.py")
    parser.add_argument("--npz", type=Path, nargs="*", default=[], help="recorded curves")
    parser.add_argument("--draws", type=int, default=5, help="orders of the configurations")
    parser.add_argument("--noise", type=float, nargs="*", default=[0.0, 0.05, 0.2])
    arguments = parser.parse_args()
    tasks = [task for path in arguments.npz for task in load_npz(path)]
    if arguments.hpo is not None and arguments.hpo.is_dir():
        tasks += load_hpo(arguments.hpo)
    if not tasks:
        parser.error("no curves: give --hpo DIR or --npz FILE.")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("optuna_predictor_rl").setLevel(logging.ERROR)
    print_labels(tasks, 0.5, arguments.draws)
    print_fits(tasks, arguments.noise)
    print_cutoffs(tasks, arguments.draws)
    print_hopeless(tasks, arguments.draws)


if __name__ == "__main__":
    main()
