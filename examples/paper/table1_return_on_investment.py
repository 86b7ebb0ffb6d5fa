"""Better at the same cost, or as good and cheaper: Table 1, with one study and three weights.

    python examples/paper/table1_return_on_investment.py          # about 10 minutes on one core
    python examples/paper/table1_return_on_investment.py --shared 10 --trials 6 --rows 2000

One study on real coupons: the recorded random trainings, then trials in which the weight of the
FLOPs in Eq. (6) is cycled, then trials within a share of the default's FLOPs (`max_cost`). The
best networks within 100 %, 70 % and 50 % of the FLOPs of two baselines, a network as first written
down and the package's default, are trained again under other seeds, and the winners once more
under fresh ones, on which alone the last table rests.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median

import optuna
import plotly.graph_objects as go
import torch
from active_decisions import NETWORK, TRAINING, active, suggest_active
from figures import COLORS, write
from optuna.trial import FrozenTrial, TrialState
from pool import POOL, load
from retraining import DEFAULT, MANUAL, Retraining, in_words
from tables import mean_error, print_table
from tqdm import tqdm

from dhen_objective import CouponStream, DHENObjective
from optuna_predictor_rl import KnownCost, PredictorRLSampler
from optuna_predictor_rl.visualization.style import base_layout

BASELINES = {"manual: two layers, lr 1e-3": MANUAL, "default: one layer, lr 3e-4": DEFAULT}
BUDGETS = (1.0, 0.7, 0.5)
N_FINALISTS = 4
SELECTION_SEEDS, FRESH_SEEDS = (1, 2), (10, 11, 12)


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    stream = CouponStream(rows=options.rows)
    retraining = Retraining(stream)
    objective = DHENObjective(stream, baseline=NETWORK, training=TRAINING, suggest=suggest_active)
    study = search(objective, options, retraining)
    baselines = dict(zip(BASELINES, study.trials[options.shared :], strict=False))
    print_weights(study, options.weights)
    write(figure(study, baselines, options.weights), options.figure)

    rows = []
    for name, baseline in baselines.items():
        rows.append(describe(name, baseline, baseline, retraining))
        for budget in BUDGETS:
            found = winner(study, baseline, budget, retraining)
            if found is not None:
                title = f"within {budget:.0%}: {in_words(found.params)}"
                rows.append(describe(title, found, baseline, retraining))
    print_table(COLUMNS, rows)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", type=Path, default=POOL)
    parser.add_argument("--shared", type=int, default=63, help="recorded trainings to start from")
    parser.add_argument("--trials", type=int, default=84)
    parser.add_argument("--within", type=int, default=36, help="further trials, within a budget")
    parser.add_argument("--budget", type=float, default=0.7, help="as a share of the default's")
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 0.05, 0.2])
    parser.add_argument("--rows", type=int, default=50_000, help="as the pool's trainings")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--storage", default="sqlite:///table1.db")
    parser.add_argument("--figure", type=Path, default=Path("table1_return_on_investment"))
    return parser.parse_args()


def search(
    objective: DHENObjective, options: argparse.Namespace, retraining: Retraining
) -> optuna.Study:
    """Search after the recorded trainings and the baselines; resume a study that is there."""
    study = optuna.create_study(
        study_name=f"coupons-{options.rows}-{options.shared}-{options.seed}",
        storage=options.storage,
        load_if_exists=True,
        pruner=optuna.pruners.NopPruner(),
        sampler=PredictorRLSampler(cost="flops", cost_weight=options.weights, seed=options.seed),
    )
    if not study.trials:
        study.add_trials(load(options.pool).active_trials()[: options.shared])
        for params in BASELINES.values():
            study.enqueue_trial(params)
    n_weighed = options.shared + len(BASELINES) + options.trials
    for _ in tqdm(range(n_weighed - len(finished(study))), desc="Search", unit="trial"):
        study.optimize(objective, n_trials=1)

    def within(trial: optuna.Trial) -> float:
        trial.set_user_attr("budget", options.budget)
        return objective(trial)

    limit = options.budget * retraining.flops(DEFAULT)
    study.sampler = PredictorRLSampler(
        cost=KnownCost(retraining.flops), max_cost=limit, seed=options.seed
    )
    n_left = n_weighed + options.within - len(finished(study))
    for _ in tqdm(range(n_left), desc="Within the budget", unit="trial"):
        study.optimize(within, n_trials=1)
    return study


def finished(study: optuna.Study) -> list[FrozenTrial]:
    return [trial for trial in study.trials if trial.state.is_finished()]


def searched(study: optuna.Study) -> list[FrozenTrial]:
    """Return the complete trials that the search chose."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return [t for t in complete if "recorded" not in t.user_attrs and not is_baseline(t)]


def is_baseline(trial: FrozenTrial) -> bool:
    return trial.params in [active(params) for params in BASELINES.values()]


def by_weight(study: optuna.Study, weights: Sequence[float]) -> dict[float, list[FrozenTrial]]:
    """Return the trials of each weight: the sampler cycles them by the trial's number."""
    groups: dict[float, list[FrozenTrial]] = {weight: [] for weight in weights}
    for trial in searched(study):
        if "budget" in trial.user_attrs:
            continue
        groups[weights[trial.number % len(weights)]].append(trial)
    return groups


def print_weights(study: optuna.Study, weights: Sequence[float]) -> None:
    rows = []
    for weight, trials in by_weight(study, weights).items():
        gains = sorted(t.value for t in trials if t.value is not None)
        flops = [t.user_attrs["flops"] / 1e6 for t in trials]
        best = mean(gains[:5])
        rows.append([f"{weight:g}", f"{len(trials)}", f"{median(flops):.2f}M"])
        rows[-1] += [f"{min(flops):.2f}M to {max(flops):.2f}M"]
        rows[-1] += [f"{median(gains):+.2f} %", f"{best:+.2f} %"]
    columns = ["weight of FLOPs", "trials", "FLOPs, median", "range"]
    print_table([*columns, "NE gain, median", "mean of the best 5"], rows)


def winner(
    study: optuna.Study, baseline: FrozenTrial, budget: float, retraining: Retraining
) -> FrozenTrial | None:
    """Return the best within a share of the baseline's FLOPs, chosen among a few on more seeds."""
    limit = budget * baseline.user_attrs["flops"]
    within = [t for t in searched(study) if t.user_attrs["flops"] <= limit]
    finalists = sorted(within, key=lambda t: t.value or 0.0)[:N_FINALISTS]

    def score(trial: FrozenTrial) -> float:
        again = [retraining.ne(trial.params, seed) for seed in SELECTION_SEEDS]
        return mean([trial.user_attrs["ne"], *again])

    return min(finalists, key=score, default=None)


COLUMNS = ["network", "FLOPs", "against the baseline", "NE", "NE gain", "better"]


def describe(
    name: str, trial: FrozenTrial, baseline: FrozenTrial, retraining: Retraining
) -> list[str]:
    """Return a row of the table: what a trial's network does under seeds that chose nothing."""
    flops, base = trial.user_attrs["flops"], baseline.user_attrs["flops"]
    entropies = [retraining.ne(trial.params, seed) for seed in FRESH_SEEDS]
    row = [name, f"{flops / 1e6:.2f}M", f"{flops / base - 1:+.0%}", mean_error(entropies, 4)]
    if trial is baseline:
        return [*row[:2], "", row[3], "", ""]
    gains = [retraining.gain(trial.params, seed, baseline.params) for seed in FRESH_SEEDS]
    better = f"{sum(gain < 0 for gain in gains)} of {len(gains)} seeds"
    return [*row, f"{mean_error(gains, 2)} %", better]


def figure(
    study: optuna.Study, baselines: dict[str, FrozenTrial], weights: Sequence[float]
) -> go.Figure:
    """Draw the NE gain over FLOPs of what was trained, a colour for each weight (after Fig. 8)."""
    plot = go.Figure()
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    groups = {"random, recorded": [t for t in complete if "recorded" in t.user_attrs]}
    groups |= {f"weight {w:g}": trials for w, trials in by_weight(study, weights).items()}
    groups["within the budget"] = [t for t in complete if "budget" in t.user_attrs]
    groups |= {name: [trial] for name, trial in baselines.items()}
    palette = ("#c9ced6", *COLORS[: len(weights) + 1], "black", "black")
    symbols = ["circle"] * (2 + len(weights)) + ["star", "diamond"]
    for (name, trials), color, symbol in zip(groups.items(), palette, symbols, strict=True):
        plot.add_scatter(
            x=[t.user_attrs["flops"] / 1e6 for t in trials],
            y=[t.value for t in trials],
            mode="markers",
            name=name,
            marker={"color": color, "symbol": symbol, "size": 12 if symbol != "circle" else 8},
        )
    base_layout(
        plot,
        "One study, three weights of the FLOPs in Eq. (6)",
        "FLOPs of an example, millions",
        "NE gain against the default, % (lower is better)",
    )
    plot.update_xaxes(type="log", dtick=0.30103)
    best = min(t.value for t in searched(study))
    plot.update_yaxes(range=[best - 0.5, 10])
    return plot


if __name__ == "__main__":
    main()
