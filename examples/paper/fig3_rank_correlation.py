"""How early training may stop and still rank: section 4.2.1, Fig. 3a.

    python examples/paper/fig3_rank_correlation.py        # seconds

Kendall's tau of the recorded trainings, stopped at several shares of their rows, with their final
values: of the raw value, of the paper's straight line (Eqs. 1, 2), and of the extrapolation that
`LowFidelityPruner` chooses from six pilots, on the other configurations.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from figures import COLORS, write
from jaxtyping import Float
from numpy import ndarray
from pool import POOLS, Pool, load
from tables import print_table

from optuna_predictor_rl.core.curves import LabelFit, choose_fit
from optuna_predictor_rl.core.curves.correlation import bootstrap_tau
from optuna_predictor_rl.core.curves.label import labels_at
from optuna_predictor_rl.visualization.style import base_layout

PAPER_SHARE = 11 / 25
"""Where the paper stops: 11 of 25 billion examples."""
PAPER = (0.77, 0.87)
SHARES = (0.2, 0.3, PAPER_SHARE, 0.5, 0.6, 0.7, 0.8)
N_PILOTS = 6
FITS = {
    "raw value": LabelFit(extrapolate_by=0.0),
    "Eq. (2), line to the end": LabelFit(axis="linear", extrapolate_by=99.0, shrink=0.0),
    "Eq. (2), line 40 % further": LabelFit(axis="linear", extrapolate_by=0.4, shrink=0.0),
}
CHOSEN = f"chosen by {N_PILOTS} pilots"
Tau = tuple[Float[ndarray, " c"], Float[ndarray, " c"]]
"""At each share of the training, and its standard error over the configurations."""


def main() -> None:
    options = parse_options()
    for path in options.pools:
        pool = load(path)
        taus = correlations(pool, options.draws)
        print(f"{pool.name}: Kendall's tau with the final value, {len(pool)} configurations\n")
        print_table(["training stopped after", *taus], table(taus))
        write(figure(pool, taus), options.figure.with_stem(f"{options.figure.stem}_{path.stem}"))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pools", type=Path, nargs="+", default=POOLS)
    parser.add_argument("--draws", type=int, default=20, help="of the pilots")
    parser.add_argument("--figure", type=Path, default=Path("fig3_rank_correlation"))
    return parser.parse_args()


def correlations(pool: Pool, n_draws: int) -> dict[str, Tau]:
    """Return tau by way of labelling."""
    everything = np.arange(len(pool))
    taus = {name: tau_of(pool, everything, fit) for name, fit in FITS.items()}
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(n_draws):
        order = rng.permutation(len(pool))
        fit = choose(pool, order[:N_PILOTS])
        draws.append(tau_of(pool, order[N_PILOTS:], fit))
    tau = np.array([tau for tau, _ in draws])
    spread = np.array([error for _, error in draws])
    # The pilots' choice and the configurations vary independently.
    taus[CHOSEN] = tau.mean(0), np.sqrt(tau.var(0) / n_draws + (spread**2).mean(0))
    return taus


def tau_of(pool: Pool, chosen: ndarray, fit: LabelFit) -> Tau:
    """Return tau of some configurations' labels, with its error by 200 bootstrap samples."""
    curves, finals = pool.read_curves(), pool.gains[chosen]
    n = len(chosen)
    weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=200).astype(float)
    weights = np.concatenate([np.ones((1, n)), weights])
    taus = []
    for share in SHARES:
        labels = labels_at([curves[i] for i in chosen], share * pool.steps[-1], fit, np.inf)
        taus.append(bootstrap_tau(labels, finals, weights))
    return np.array([tau[0] for tau in taus]), np.array([np.nanstd(tau[1:]) for tau in taus])


def choose(pool: Pool, pilots: ndarray) -> LabelFit:
    """Return the extrapolation that ranks the pilots best, as the pruner chooses it."""
    curves = [pool.read_curves()[i] for i in pilots]
    cutoffs = np.linspace(0.2, 0.8, 10) * pool.steps[-1]
    candidates = LabelFit().alternatives()
    return choose_fit(curves, pool.gains[pilots], candidates, cutoffs=cutoffs, worst=np.inf)


def table(taus: dict[str, Tau]) -> list[list[str]]:
    rows = []
    for i, share in enumerate(SHARES):
        cells = [f"{tau[i]:.3f} ± {error[i]:.3f}" for tau, error in taus.values()]
        rows.append([f"{share:.0%} of the rows", *cells])
    rows.append([f"paper, {PAPER_SHARE:.0%}", *(f"{tau:.2f}" for tau in PAPER), "", ""])
    return rows


def figure(pool: Pool, taus: dict[str, Tau]) -> go.Figure:
    """Draw tau over the share of the training, with standard errors, and the paper's two."""
    plot = go.Figure()
    x = [100 * share for share in SHARES]
    for i, (name, (tau, error)) in enumerate(taus.items()):
        shifted = [place + 0.4 * (i - 1.5) for place in x]  # so that bars do not cover each other
        plot.add_scatter(
            x=shifted, y=tau, name=name, mode="lines+markers", line={"color": COLORS[i]},
            error_y={"type": "data", "array": error, "thickness": 1},
        )  # fmt: skip
    plot.add_scatter(
        x=[100 * PAPER_SHARE] * 2, y=PAPER, name="paper: raw, Eq. (2)", mode="markers",
        marker={"symbol": "star", "size": 12, "color": "black"},
    )  # fmt: skip
    base_layout(
        plot,
        f"Ranking of {len(pool)} trainings stopped early ({pool.name})",
        "Rows seen, % of the training",
        "Kendall's tau with the final NE gain",
    )
    plot.update_layout(legend={"x": 0.98, "xanchor": "right", "y": 0.05, "yanchor": "bottom"})
    return plot


if __name__ == "__main__":
    main()
