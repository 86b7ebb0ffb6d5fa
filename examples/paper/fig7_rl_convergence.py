"""Does the policy find more in the predictor than random sampling? Section 4.2.5, Fig. 7.

    python examples/paper/fig7_rl_convergence.py          # about 2 minutes on one core
    python examples/paper/fig7_rl_convergence.py --seeds 1 --policy-steps 20 --trained 0  # seconds

The predictor learns from all recorded configurations; REINFORCE and random sampling then ask it
about as many configurations a step. What each thinks best is trained, and so are the best recorded
ones, all under a seed used for none of them: a search also finds the predictor's errors.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import torch
from figures import COLORS, write
from jaxtyping import Float
from numpy import ndarray
from pool import POOL, Pool, load
from retraining import Retraining
from tables import mean_error, print_table
from tqdm import tqdm

from dhen_objective import CouponStream
from optuna_predictor_rl.core.policy.config import PolicyConfig
from optuna_predictor_rl.core.policy.reinforce import Start, search
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.space import Rows
from optuna_predictor_rl.visualization.style import base_layout

NE_ALONE = np.array([1.0, 0.0])
TRAINING_SEED = 20


@dataclass(frozen=True, kw_only=True)
class Run:
    """One seed: what was predicted at each step, in the unit of the predictor's targets.

    Attributes:
        rl: Predictions for the policy's configurations.
        random: Predictions for as many random ones.
        recorded: The lowest prediction for a configuration that the predictor has learned from.
        rl_best: The policy's best distinct configurations that are not recorded, best first.
        random_best: The random ones'.
    """

    rl: Float[ndarray, "steps n"]
    random: Float[ndarray, "steps n"]
    recorded: float
    rl_best: Rows
    random_best: Rows


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    pool = load(options.pool)
    policy = replace(PolicyConfig.paper(), n_steps=options.policy_steps)
    seeds = tqdm(range(options.seeds), desc="Search", unit="seed")
    runs = [run(pool, policy, seed, options.trained) for seed in seeds]
    print_predictions(runs)
    write(figure(runs), options.figure)
    if options.trained:
        print_trained(pool, runs, options)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", type=Path, default=POOL)
    parser.add_argument("--seeds", type=int, default=3, help="of predictor and policy")
    parser.add_argument("--policy-steps", type=int, default=2000)
    parser.add_argument("--trained", type=int, default=2, help="best of each seed; 0 trains none")
    parser.add_argument("--rows", type=int, default=50_000, help="as the pool's trainings")
    parser.add_argument("--figure", type=Path, default=Path("fig7_rl_convergence"))
    return parser.parse_args()


def run(pool: Pool, policy: PolicyConfig, seed: int, n_best: int) -> Run:
    rng = np.random.default_rng(seed)
    space, rows = pool.space, pool.rows
    data = TrainingData(rows, pool.labels)
    ensemble = fit_ensemble(PredictorConfig.paper(), space, data, rng=rng)
    found = search(
        space, lambda r: ensemble.mean(r, NE_ALONE), policy, start=Start(rows[:0]), rng=rng
    )
    drawn = space.random(len(found.rows), rng)
    predicted = ensemble.mean(drawn, NE_ALONE)
    return Run(
        rl=found.trace.score.reshape(len(found.trace.score), -1),
        random=predicted.reshape(len(found.trace.score), -1),
        recorded=float(ensemble.mean(rows, NE_ALONE).min()),
        rl_best=found.top(n_best, rows),
        random_best=drawn[np.argsort(predicted)[:n_best]],
    )


def settled(values: Float[ndarray, "steps n"]) -> int:
    """Return the first step whose mean comes within 5 % of the whole improvement of the mean."""
    means = smooth(values.mean(1))
    return int(np.argmax(means <= means[-1] + 0.05 * (means[0] - means[-1]))) + 1


def smooth(values: Float[ndarray, " s"], width: int = 20) -> Float[ndarray, " s"]:
    """Return the mean of the last steps."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def print_predictions(runs: list[Run]) -> None:
    """Print predictions in standard deviations of the targets; lower is better."""
    lines: dict[str, Callable[[Run], float]] = {
        "policy, mean of the last 20 steps": lambda r: float(smooth(r.rl.mean(1))[-1]),
        "policy, best": lambda r: float(r.rl.min()),
        "random sampling, mean": lambda r: float(r.random.mean()),
        "random sampling, best of as many": lambda r: float(r.random.min()),
        "recorded configurations, best": lambda r: r.recorded,
    }
    rows = [[name, mean_error([of(r) for r in runs], 2)] for name, of in lines.items()]
    rows.append(
        ["steps until 95 % of the improvement", mean_error([settled(r.rl) for r in runs], 0)]
    )
    print_table([f"predicted NE gain, standard deviations ({len(runs)} seeds)", "value"], rows)
    print(
        "paper (Fig. 7): converges within 2000 steps, below the best training value and random\n"
    )


def print_trained(pool: Pool, runs: list[Run], options: argparse.Namespace) -> None:
    """Print NE gains of what was thought best, trained under a fresh seed."""
    retraining = Retraining(CouponStream(rows=options.rows))
    recorded = pool.rows[np.argsort(pool.gains)[: options.trained * len(runs)]]
    chosen = {
        "policy": np.concatenate([r.rl_best for r in runs]),
        "random sampling": np.concatenate([r.random_best for r in runs]),
        "recorded, best by their own training": recorded,
    }
    rows = []
    for name, best in chosen.items():
        params = pool.space.configurations(best)
        gains = [retraining.gain(p, TRAINING_SEED) for p in tqdm(params, desc=name)]
        rows.append([name, f"{len(gains)}", f"{mean_error(gains, 2)} %", f"{min(gains):+.2f} %"])
    print_table(["trained under a fresh seed", "networks", "NE gain, mean", "best"], rows)


def figure(runs: list[Run]) -> go.Figure:
    """Draw predictions by step: the mean of the policy's batch, and the best so far of both."""
    plot = go.Figure()
    lines = {
        "policy, mean of its batch": [smooth(r.rl.mean(1)) for r in runs],
        "policy, best so far": [np.minimum.accumulate(r.rl.min(1)) for r in runs],
        "random, mean": [smooth(r.random.mean(1)) for r in runs],
        "random, best so far": [np.minimum.accumulate(r.random.min(1)) for r in runs],
    }
    shown = slice(None, None, max(len(runs[0].rl) // 200, 1))
    for i, (name, curves) in enumerate(lines.items()):
        y = np.mean(curves, axis=0)[shown]
        x = np.arange(1, len(runs[0].rl) + 1)[shown]
        line = {"color": COLORS[0 if i < 2 else 4], "dash": "dot" if i % 2 else "solid"}
        plot.add_scatter(x=x, y=y, name=name, mode="lines", line=line)
    plot.add_hline(
        y=float(np.mean([r.recorded for r in runs])), line_color=COLORS[1],
        annotation_text="best recorded configuration, predicted", annotation_position="top right",
    )  # fmt: skip
    base_layout(
        plot,
        f"Policy against random sampling on the predictor, mean of {len(runs)} seeds",
        f"Step of {runs[0].rl.shape[1]} configurations",
        "Predicted NE gain, standard deviations (lower is better)",
    )
    return plot


if __name__ == "__main__":
    main()
