"""What an ensemble and a second task bring to the predictor: section 4.2.3, Fig. 5.

    python examples/paper/fig5_ensemble.py                # about a minute on one core
    python examples/paper/fig5_ensemble.py --splits 2 --train 20            # seconds

Trains the paper's networks on 20 of the recorded configurations ("very limited"), and on all but
30, and ranks those 30 by one network, three, ten and thirty of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import torch
from figures import COLORS, write
from held_out import N_TEST, network_scores, parse_options, splits
from jaxtyping import Float
from numpy import ndarray
from pool import Pool, load
from tables import mean_error, print_table
from tqdm import tqdm

from optuna_predictor_rl.core.curves import kendall_tau
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.visualization.style import base_layout

SIZES = (1, 3, 10, 30)
CONFIG = replace(PredictorConfig.paper(), n_members=max(SIZES))
Taus = list[tuple[float, float]]
"""Kendall's tau on the training and on the held-out configurations, one pair a split."""


def main() -> None:
    options = parse_options(__doc__, figure="fig5_ensemble")
    torch.set_num_threads(1)
    for path in options.pools:
        pool = load(path)
        sizes = options.train or [20, len(pool) - N_TEST]
        results = {n: compare(pool, n, options.splits) for n in sizes}
        print(f"{pool.name}: Kendall's tau with the NE gain, {options.splits} splits\n")
        print_table(COLUMNS, [r for n, taus in results.items() for r in table(n, taus)])
        print(
            "paper (Fig. 5, 160:30): ten networks rank the validation set much better than one\n"
        )
        stem = f"{options.figure.stem}_{path.stem}"
        write(figure(pool, results), options.figure.with_stem(stem))


def compare(pool: Pool, n_train: int, n_splits: int) -> dict[str, Taus]:
    """Try ensembles of every size, and ten networks that learn the NE gain alone."""
    names = [*(title(size) for size in SIZES), ALONE]
    results: dict[str, Taus] = {name: [] for name in names}
    cases = list(splits(pool, n_train, n_splits))
    for seed, (train, test) in enumerate(tqdm(cases, desc=f"Train on {n_train}", unit="split")):
        members = network_scores(pool, train, CONFIG, seed=seed)[..., 0]
        alone = network_scores(pool, train, PredictorConfig.paper(), n_tasks=1, seed=seed)[..., 0]
        for size in SIZES:
            results[title(size)].append(taus(pool, members, size, train, test))
        results[ALONE].append(taus(pool, alone, len(alone), train, test))
    return results


ALONE = "10 networks, NE gain alone"


def title(size: int) -> str:
    return "1 network" if size == 1 else f"{size} networks"


def taus(
    pool: Pool, members: Float[ndarray, "k p"], size: int, train: ndarray, test: ndarray
) -> tuple[float, float]:
    """Return tau on both sets, the mean over all ensembles of a size that share no network."""
    ensembles = [members[i : i + size].mean(0) for i in range(0, len(members), size)]  # Eq. (5)
    each = [
        [kendall_tau(ensemble[part], pool.gains[part]) for ensemble in ensembles]
        for part in (train, test)
    ]
    return float(np.mean(each[0])), float(np.mean(each[1]))


COLUMNS = ["trained on", "predictor", "tau, training", "tau, held out", "gain over one network"]


def table(n: int, results: dict[str, Taus]) -> list[list[str]]:
    single = [held_out for _, held_out in results[title(1)]]
    rows = []
    for name, pairs in results.items():
        training, held_out = zip(*pairs, strict=True)
        gaps = [tau - one for tau, one in zip(held_out, single, strict=True)]
        gap = mean_error(gaps) if any(gaps) else ""
        rows.append([f"{n}", name, mean_error(training), mean_error(held_out), gap])
    return rows


def figure(pool: Pool, results: dict[int, dict[str, Taus]]) -> go.Figure:
    """Draw tau on both sets by size of the ensemble."""
    plot = go.Figure()
    for i, (n, by_size) in enumerate(results.items()):
        for part, dash in (("training", "dot"), ("held out", "solid")):
            sizes = [name for name in by_size if name != ALONE]
            values = [[pair[part == "held out"] for pair in by_size[name]] for name in sizes]
            plot.add_scatter(
                x=sizes, y=[float(np.mean(v)) for v in values],
                error_y={"type": "data", "array": [np.std(v) / len(v) ** 0.5 for v in values]},
                name=f"{part}, trained on {n}", mode="lines+markers",
                line={"color": COLORS[i], "dash": dash},
            )  # fmt: skip
    base_layout(
        plot,
        f"Ranking {pool.name}, by size of the ensemble (bars: standard error)",
        "",
        "Kendall's tau with the NE gain",
    )
    return plot


if __name__ == "__main__":
    main()
