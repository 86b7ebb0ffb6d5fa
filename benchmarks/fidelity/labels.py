"""Low fidelity on recorded learning curves: how well labels rank.

    python -m benchmarks fidelity labels --hpo DIR       # LCBench curves of a task folder
    python -m benchmarks fidelity labels --npz FILE...   # arrays (curve, step) by name

Prints Markdown tables. Lower values are better in all curves. The odd rows of the task list are
the half that defaults were not chosen on.

Takes about 15 minutes.
"""

from collections.abc import Sequence

import numpy as np
from optuna.trial import create_trial

from benchmarks.fidelity.recorded import N_PILOTS, Task, header, options, row, tasks_of
from optuna_predictor_rl.core.curves import LabelFit, choose_fit, kendall_tau
from optuna_predictor_rl.core.curves.cutoff import RAW
from optuna_predictor_rl.core.curves.label import labels_at
from optuna_predictor_rl.fidelity.cutoff_rule import StoppingRule
from optuna_predictor_rl.fidelity.label_correction import LabelCorrection

FITS = {
    "raw": RAW,
    "linear .2, not shrunk": LabelFit(axis="linear", extrapolate_by=0.2, shrink=0.0),
    "linear .4, not shrunk": LabelFit(axis="linear", extrapolate_by=0.4, shrink=0.0),
    "linear 1, not shrunk": LabelFit(axis="linear", shrink=0.0),
    "log 1, not shrunk": LabelFit(shrink=0.0),
    "linear .4": LabelFit(axis="linear", extrapolate_by=0.4),
    "log .5": LabelFit(extrapolate_by=0.5),
    "log 1": LabelFit(),
    "log, to the end": LabelFit(extrapolate_by=99.0),
    "log 1, 10 points": LabelFit(n_fit_points=10),
    "log .5, 10 points, smooth": LabelFit(extrapolate_by=0.5, n_fit_points=10, smooth=True),
    "last 10 points, smooth": LabelFit(extrapolate_by=0.0, n_fit_points=10, smooth=True),
}


def tau_at(task: Task, rows: np.ndarray, share: float, fit: LabelFit) -> float:
    cutoff = round(share * task.n_steps)
    return kendall_tau(labels_at(task.curves(rows), cutoff, fit, np.inf), task.finals[rows])


def chosen_fit(task: Task, pilots: np.ndarray) -> LabelFit:
    """Return the fit as the pruner chooses it from pilots."""
    cutoffs = np.linspace(0.2, 0.8, 10) * task.n_steps
    candidates = LabelFit().alternatives()
    values = task.values[pilots, -1].astype(float)
    return choose_fit(task.curves(pilots), values, candidates, cutoffs=cutoffs.round(), worst=9e9)


def print_fits(tasks: list[Task], noises: Sequence[float]) -> None:
    """Print tau of every way of labelling, on the half of the tasks to choose on and the other."""
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
    """Return what the pruner would label the rows with at that share, after these pilots."""
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
    """Print tau of raw values and of labels at one cutoff, by task."""
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


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--noise", type=float, nargs="*", default=[0.0, 0.05, 0.2])
    arguments = parser.parse_args()
    tasks = tasks_of(parser, arguments)
    print_labels(tasks, 0.5, arguments.draws)
    print_fits(tasks, arguments.noise)
