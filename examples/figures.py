"""All figures of one small DHEN search, as HTML files.

    python examples/figures.py                                   # minutes on one core
    python examples/figures.py --trials 16 --rows 1000           # to see that it works

Trials are suggested under three cost weights in turn, so that the study has models of several
sizes. Open `figures/index.html` in a browser.
"""

import argparse
from pathlib import Path

import optuna
import plotly.graph_objects as go
import torch
from tqdm import tqdm

from dhen_objective import DHENObjective, SyntheticStream, TrainConfig
from optuna_predictor_rl import LowFidelityPruner, PredictorRLSampler
from optuna_predictor_rl.visualization import (
    plot_decision_importance,
    plot_learning_curves,
    plot_policy_probabilities,
    plot_predictor_calibration,
    plot_rank_correlation,
    plot_rl_convergence,
    plot_trade_off,
)

FIGURES = {
    "learning_curves": plot_learning_curves,
    "rank_correlation": plot_rank_correlation,
    "predictor_calibration": plot_predictor_calibration,
    "rl_convergence": plot_rl_convergence,
    "trade_off": plot_trade_off,
    "policy_probabilities": plot_policy_probabilities,
    "decision_importance": plot_decision_importance,
}
"""In the order of the paper's figures 2, 3a, 4 and 5, 7, 8; and two that it does not have."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=40, help="at least 15")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument("--png", action="store_true", help="images too; needs kaleido")
    options = parser.parse_args()
    if options.trials < 15:
        parser.error(f"--trials must be at least 15, but got {options.trials}.")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    torch.set_num_threads(1)
    study = search(options.trials, options.rows, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, plot in FIGURES.items():
        write(plot(study), options.out / name, png=options.png)
    links = "".join(f'<li><a href="{name}.html">{name}</a></li>' for name in FIGURES)
    (options.out / "index.html").write_text(f"<title>Figures</title><ul>{links}</ul>")
    print(f"{len(FIGURES)} figures of {len(study.trials)} trials in {options.out}.")


def search(n_trials: int, n_rows: int, seed: int) -> optuna.Study:
    """Return a study of DHENs on the synthetic stream."""
    stream = SyntheticStream("medium", rows=n_rows, seed=seed)
    objective = DHENObjective(stream, training=TrainConfig(seed=seed))
    study = optuna.create_study(
        sampler=PredictorRLSampler(seed=seed, cost="flops", cost_weight=(0.0, 0.1, 0.3)),
        pruner=LowFidelityPruner(n_pilot_trials=max(n_trials // 4, 3)),
    )
    study.set_metric_names(["NE gain, %"])  # on the axes of the figures
    with tqdm(total=n_trials, desc="Search", unit="trial") as bar:
        study.optimize(objective, n_trials=n_trials, callbacks=[lambda *_: bar.update()])
    return study


def write(figure: go.Figure, path: Path, *, png: bool) -> None:
    """Write a page a figure; all share one copy of plotly's script."""
    figure.write_html(path.with_suffix(".html"), include_plotlyjs="directory")
    if png:
        figure.write_image(path.with_suffix(".png"), width=1000, scale=2)


if __name__ == "__main__":
    main()
