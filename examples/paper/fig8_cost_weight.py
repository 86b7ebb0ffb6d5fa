"""What the weight of the FLOPs in the reward does: section 4.2.5, Fig. 8.

    python examples/paper/fig8_cost_weight.py             # about 2 minutes on one core
    python examples/paper/fig8_cost_weight.py --seeds 1 --policy-steps 20 --trained 0     # seconds

The predictor learns NE gain and FLOPs of all recorded configurations; REINFORCE minimizes the
weighted sum of Eq. (6) for several weights. The figure shows what it proposes as the predictor
sees it, the FLOPs being exact; the best of each seed is trained under a seed that chose nothing.
"""

from __future__ import annotations

import argparse
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

N_SHOWN = 20
TRAINING_SEED = 20


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """The best distinct configurations of one search, best first.

    Attributes:
        rows: Their rows.
        gain: Predicted NE gain, in standard deviations of the targets.
        flops: FLOPs of an example, in millions.
    """

    rows: Rows
    gain: Float[ndarray, " n"]
    flops: Float[ndarray, " n"]


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    pool, retraining = load(options.pool), Retraining(CouponStream(rows=options.rows))
    policy = replace(PolicyConfig.paper(), n_steps=options.policy_steps)
    seeds = tqdm(range(options.seeds), desc="Search", unit="seed")
    by_seed = [propose(pool, policy, options.weights, seed, retraining) for seed in seeds]
    by_weight = {w: [proposed[w] for proposed in by_seed] for w in options.weights}
    write(figure(by_weight), options.figure)
    rows = []
    for weight, searches in by_weight.items():
        row = [f"{weight:g}", mean_error([float(s.gain.mean()) for s in searches], 2)]
        row.append(f"{mean_error([float(np.median(s.flops)) for s in searches], 2)} M")
        rows.append(row + trained(pool, searches, retraining, options.trained))
    columns = ["weight of FLOPs", f"predicted NE gain, sd (best {N_SHOWN})", "FLOPs, median"]
    print_table([*columns, "NE gain, trained", "FLOPs, trained"], rows)
    print("paper (Fig. 8): a higher weight gives less NE gain and far fewer FLOPs\n")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", type=Path, default=POOL)
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 0.1, 0.3])
    parser.add_argument("--seeds", type=int, default=3, help="of predictor and policy")
    parser.add_argument("--policy-steps", type=int, default=2000)
    parser.add_argument("--trained", type=int, default=1, help="best of each seed; 0 trains none")
    parser.add_argument("--rows", type=int, default=50_000, help="as the pool's trainings")
    parser.add_argument("--figure", type=Path, default=Path("fig8_cost_weight"))
    return parser.parse_args()


def propose(
    pool: Pool, policy: PolicyConfig, weights: list[float], seed: int, retraining: Retraining
) -> dict[float, Proposed]:
    """Return one predictor, and a search for each weight."""
    space, rows = pool.space, pool.rows
    rng = np.random.default_rng(seed)
    data = TrainingData(rows, pool.labels)
    ensemble = fit_ensemble(PredictorConfig.paper(), space, data, rng=rng)
    proposed = {}
    for share in weights:
        weight = np.array([1.0 - share, share])
        found = search(
            space, lambda r, w=weight: ensemble.mean(r, w), policy, start=Start(rows[:0]), rng=rng
        )
        best = found.top(N_SHOWN, rows)
        flops = [retraining.flops(p) / 1e6 for p in space.configurations(best)]
        gain = ensemble.predict(best)[0][:, 0]
        proposed[share] = Proposed(rows=best, gain=gain, flops=np.array(flops))
    return proposed


def trained(
    pool: Pool, searches: list[Proposed], retraining: Retraining, n_best: int
) -> list[str]:
    """Return NE gain and FLOPs of the best of each search, trained under a fresh seed."""
    if not n_best:
        return ["", ""]
    params = [p for s in searches for p in pool.space.configurations(s.rows[:n_best])]
    gains = [retraining.gain(p, TRAINING_SEED) for p in tqdm(params, desc="Train")]
    flops = [retraining.flops(p) / 1e6 for p in params]
    return [f"{mean_error(gains, 2)} %", f"{mean_error(flops, 2)} M"]


def figure(by_weight: dict[float, list[Proposed]]) -> go.Figure:
    """Draw the predicted NE gain over FLOPs, a colour for each weight."""
    plot = go.Figure()
    for i, (weight, searches) in enumerate(by_weight.items()):
        plot.add_scatter(
            x=np.concatenate([s.flops for s in searches]),
            y=np.concatenate([s.gain for s in searches]),
            name=f"weight {weight:g}", mode="markers", marker={"color": COLORS[i], "opacity": 0.6},
        )  # fmt: skip
    n = len(next(iter(by_weight.values())))
    base_layout(
        plot,
        f"The policy's best {N_SHOWN} of each of {n} seeds, by the weight of FLOPs in Eq. (6)",
        "FLOPs of an example, millions",
        "Predicted NE gain, standard deviations (lower is better)",
    )
    plot.update_xaxes(type="log", dtick=0.30103)
    return plot


if __name__ == "__main__":
    main()
