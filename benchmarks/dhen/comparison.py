"""Searchers side by side on DHEN and the coupons, in one study a seed (Table 2, Fig. 9).

    python -m benchmarks dhen comparison --storage sqlite:///comparison.db

75 shared trials, of which the first is the network to beat, then 75 of each searcher: 450 in all.
Interrupt it at any time, even by kill -9, and start it again with the same options to go on.
Prints the report, with the rows trained on as compute, and writes the figure.

Takes about an hour, most of it BoTorch's suggestions.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import optuna
import torch

from dhen_objective import CouponStream, DHENConfig, DHENObjective, TrainConfig, params_of
from optuna_predictor_rl import ComparisonReport, compare_searchers
from optuna_predictor_rl.visualization import plot_sample_efficiency

BASELINE = DHENConfig(n_layers=2, ln_init=0.1)
"""The network that the main job starts from, trained at a learning rate of 1e-3."""


def study_of(seed: int, options: argparse.Namespace, objective: DHENObjective) -> optuna.Study:
    """Return the study of a seed, with the network to beat as its first trial."""
    study = optuna.create_study(
        study_name=f"coupons-{options.rows}-{options.protocol}-{seed}",
        storage=options.storage,
        load_if_exists=True,
        pruner=optuna.pruners.NopPruner(),
    )
    study.enqueue_trial(params_of(objective.baseline, objective.training), skip_if_exists=True)
    return study


def main() -> None:
    """Run what is left to do, print the report and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--storage", default="sqlite:///comparison.db")
    parser.add_argument("--rows", type=int, default=15_000)
    parser.add_argument("--shared", type=int, default=75)
    parser.add_argument("--each", type=int, default=75)
    parser.add_argument("--protocol", choices=("sequential", "batch"), default="sequential")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--searchers", nargs="+", default=["random", "botorch", "gp", "tpe", "predictor_rl"]
    )
    parser.add_argument("--figure", type=Path, default=Path("comparison.html"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # BoTorchSampler's

    studies = []
    for seed in options.seeds:
        training = TrainConfig(lr=1e-3, seed=seed)
        objective = DHENObjective(
            CouponStream(rows=options.rows), baseline=BASELINE, training=training
        )
        studies.append(study_of(seed, options, objective))
        compare_searchers(
            studies[-1],
            objective,
            options.searchers,
            n_shared=options.shared,
            n_each=options.each,
            protocol=options.protocol,
            seed=seed,
            show_progress_bar=True,
        )
    print(ComparisonReport.of(studies, values_are_gains=True, compute="rows"))
    figure = plot_sample_efficiency(studies, values_are_gains=True, value_name="NE")
    figure.write_html(options.figure)
