"""Is a predictor that is trained to rank the better one? Section 4.2.2, Fig. 4.

    python examples/paper/fig4_ranking_loss.py            # about a minute on one core
    python examples/paper/fig4_ranking_loss.py --splits 2 --train 20        # seconds

The paper's ten networks are trained on some of the recorded configurations by the pairwise ranking
loss and by the mean squared error of the NE gain, and rank 30 others. The regression is tried on
the gains as they are, on gains whose worst tenth is clipped, and on ranks, since a diverging
network's gain may be a million per cent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
import torch
from figures import COLORS, write
from held_out import N_TEST, Split, default_prediction, network_scores, parse_options, splits
from pool import Pool, load
from tables import mean_error, print_table
from tqdm import tqdm

from optuna_predictor_rl.core.curves import kendall_tau
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.targets import Target
from optuna_predictor_rl.visualization.style import base_layout

RANKING = PredictorConfig.paper()
REGRESSION = replace(RANKING, loss="mse")
WAYS: dict[str, tuple[PredictorConfig, Target]] = {
    "pairwise ranking, Eq. (3)": (RANKING, "rank"),
    "MSE of NE gains": (REGRESSION, "standard"),
    "MSE, worst tenth clipped": (REGRESSION, "clipped"),
    "MSE of ranks": (REGRESSION, "rank"),
}
OURS = "this package's default"
N_TOP = 5


@dataclass(frozen=True)
class Result:
    """How a predictor did on the configurations of one split that it had not seen.

    Attributes:
        tau: Kendall's tau of predicted and observed NE gains.
        flops_tau: The same of the FLOPs.
        found: Share of the five best that are among the five predicted to be best.
    """

    tau: float
    flops_tau: float
    found: float


def main() -> None:
    options = parse_options(__doc__, figure="fig4_ranking_loss")
    torch.set_num_threads(1)
    for path in options.pools:
        pool = load(path)
        sizes = options.train or [20, len(pool) - N_TEST]
        results = {n: compare(pool, n, options.splits) for n in sizes}
        for n, by_way in results.items():
            print(f"{pool.name}: trained on {n}, {N_TEST} held out, {options.splits} splits\n")
            print_table(COLUMNS, [row(name, by_way) for name in by_way])
        stem = f"{options.figure.stem}_{path.stem}"
        write(figure(pool, results), options.figure.with_stem(stem))


def compare(pool: Pool, n_train: int, n_splits: int) -> dict[str, list[Result]]:
    """Try every way of training on the same splits."""
    results: dict[str, list[Result]] = {name: [] for name in (*WAYS, OURS)}
    cases = list(splits(pool, n_train, n_splits))
    for seed, split in enumerate(tqdm(cases, desc=f"Train on {n_train}", unit="split")):
        for name, (config, target) in WAYS.items():
            members = network_scores(pool, split[0], config, target=target, seed=seed)
            results[name].append(judge(pool, split, members.mean(0)))  # Eq. (5)
        results[OURS].append(judge(pool, split, default_prediction(pool, split[0], seed=seed)))
    return results


def judge(pool: Pool, split: Split, scores: np.ndarray) -> Result:
    """Compare the scores of all configurations, (p, 2), on the held-out ones."""
    test = split[1]
    score, gains = scores[test], pool.gains[test]
    best, predicted = set(np.argsort(gains)[:N_TOP]), set(np.argsort(score[:, 0])[:N_TOP])
    return Result(
        tau=kendall_tau(score[:, 0], gains),
        flops_tau=kendall_tau(score[:, 1], pool.flops[test]),
        found=len(best & predicted) / N_TOP,
    )


COLUMNS = ["loss", "tau, NE gain", "gap to ranking", "best 5 found", "tau, FLOPs"]


def row(name: str, results: dict[str, list[Result]]) -> list[str]:
    taus = [result.tau for result in results[name]]
    ranking = [result.tau for result in results[next(iter(WAYS))]]
    gaps = [tau - other for tau, other in zip(taus, ranking, strict=True)]
    return [
        name,
        mean_error(taus),
        mean_error(gaps) if any(gaps) else "",
        mean_error([result.found for result in results[name]], 2),
        mean_error([result.flops_tau for result in results[name]]),
    ]


def figure(pool: Pool, results: dict[int, dict[str, list[Result]]]) -> go.Figure:
    """Draw tau of every split by way of training."""
    plot = go.Figure()
    for i, (n, by_way) in enumerate(results.items()):
        plot.add_box(
            x=[name for name, rs in by_way.items() for _ in rs],
            y=[result.tau for rs in by_way.values() for result in rs],
            name=f"trained on {n}", marker_color=COLORS[i], boxpoints="all", boxmean=True,
        )  # fmt: skip
    base_layout(
        plot,
        f"Ranking 30 unseen DHENs, by the predictor's loss ({pool.name})",
        "",
        "Kendall's tau with the NE gain",
    )
    plot.update_layout(boxmode="group", legend={"x": 0.99, "xanchor": "right", "y": 0.02})
    return plot


if __name__ == "__main__":
    main()
