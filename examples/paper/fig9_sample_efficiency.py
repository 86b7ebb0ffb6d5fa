"""Random, Bayesian and predictor-based RL search from the same trials: section 4.2.7, Fig. 9.

    python examples/paper/fig9_sample_efficiency.py       # about 15 minutes on one core
    python examples/paper/fig9_sample_efficiency.py --seeds 1 --shared 10 --each 2 --rows 2000

The protocol of the paper: random trials are shared; each searcher then proposes a batch at once,
in one iteration, without being told any of its values. The shared trials and the random
searcher's are recorded ones. The best of every batch is trained again under fresh seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
import plotly.graph_objects as go
import torch
from figures import COLORS, write
from jaxtyping import Float
from numpy import ndarray
from optuna.samplers import BaseSampler, GPSampler
from pool import POOL, Pool, load
from retraining import Params, Retraining
from tables import mean_error, print_table
from tqdm import tqdm

from dhen_objective import CouponStream
from optuna_predictor_rl import PredictorRLSampler
from optuna_predictor_rl.core.policy.config import PolicyConfig
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.visualization.style import base_layout

RANDOM = "random"
SEARCHERS: dict[str, Callable[[int], BaseSampler]] = {
    "GPSampler": lambda seed: GPSampler(seed=seed),
    "predictor_rl, the paper's settings": lambda seed: PredictorRLSampler(
        predictor=PredictorConfig.paper(), policy=PolicyConfig.paper(), seed=seed
    ),
    "predictor_rl": lambda seed: PredictorRLSampler(seed=seed),
}
PAPER = {RANDOM: "-0.064 %", "GPSampler": "-0.082 %", "predictor_rl": "-0.093 %"}
FRESH_SEEDS = (10, 11)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one searcher proposed in one iteration, in its order.

    Attributes:
        gains: NE gain of each against the default, in %.
        shared: The lowest of the trials that all searchers started from.
        again: Mean NE gain of the best under fresh seeds.
    """

    gains: Float[ndarray, " n"]
    shared: float
    again: float


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pool, retraining = load(options.pool), Retraining(CouponStream(rows=options.rows))
    results: dict[str, list[Batch]] = {name: [] for name in (RANDOM, *options.searchers)}
    for seed in range(options.seeds):
        order = np.random.default_rng(seed).permutation(len(pool))
        shared, rest = order[: options.shared], order[options.shared :][: options.each]
        start = float(pool.gains[shared].min())
        for name, batches in results.items():
            if name == RANDOM:
                params, gains = [pool.params[i] for i in rest], pool.gains[rest]
            else:
                params = propose(SEARCHERS[name](seed), pool, shared, options.each)
                bar = tqdm(params, desc=f"{name}, seed {seed}", unit="training")
                gains = np.array([retraining.gain(p, 0) for p in bar])
            best = params[int(np.argmin(gains))]
            again = float(np.mean([retraining.gain(best, s) for s in FRESH_SEEDS]))
            batches.append(Batch(gains=gains, shared=start, again=again))
    print_table(COLUMNS, [row(name, batches) for name, batches in results.items()])
    write(figure(results, options.shared), options.figure)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", type=Path, default=POOL)
    parser.add_argument("--searchers", nargs="+", choices=SEARCHERS, default=list(SEARCHERS))
    parser.add_argument("--shared", type=int, default=30, help="recorded random trials")
    parser.add_argument("--each", type=int, default=30, help="the batch of each searcher")
    parser.add_argument("--seeds", type=int, default=2, help="of the shared trials and searchers")
    parser.add_argument("--rows", type=int, default=50_000, help="as the pool's trainings")
    parser.add_argument("--figure", type=Path, default=Path("fig9_sample_efficiency"))
    return parser.parse_args()


def propose(sampler: BaseSampler, pool: Pool, shared: ndarray, n: int) -> list[Params]:
    """Return a batch of configurations, asked for one after the other while all are running."""
    study = optuna.create_study(sampler=sampler)
    trials = pool.trials()
    study.add_trials([trials[i] for i in shared])
    return [study.ask(dict(pool.distributions)).params for _ in tqdm(range(n), desc="Propose")]


COLUMNS = ["searcher", "best of its batch", "mean of its best 5", "median of its batch"]
COLUMNS += ["its best, fresh seeds", "paper (Table 2)"]


def row(name: str, batches: list[Batch]) -> list[str]:
    figures: Mapping[str, list[float]] = {
        "best": [float(b.gains.min()) for b in batches],
        "top": [float(np.sort(b.gains)[:5].mean()) for b in batches],
        "median": [float(np.median(b.gains)) for b in batches],
        "again": [b.again for b in batches],
    }
    cells = [f"{mean_error(values, 2)} %" for values in figures.values()]
    return [name, *cells, PAPER.get(name, "")]


def figure(results: dict[str, list[Batch]], n_shared: int) -> go.Figure:
    """Draw the best so far by number of trials, the mean over seeds."""
    plot = go.Figure()
    for i, (name, batches) in enumerate(results.items()):
        best = [np.minimum.accumulate([b.shared, *b.gains]) for b in batches]
        plot.add_scatter(
            x=n_shared + np.arange(len(best[0])), y=np.mean(best, axis=0), name=name,
            mode="lines", line={"color": COLORS[i], "shape": "hv"},
        )  # fmt: skip
    n = len(next(iter(results.values())))
    base_layout(
        plot,
        f"One batch of each searcher from the same {n_shared} random trials, mean of {n} seeds",
        "Trials",
        "Best NE gain so far against the default, %",
    )
    return plot


if __name__ == "__main__":
    main()
