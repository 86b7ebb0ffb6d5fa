"""Predictors that are trained on some recorded configurations and asked about all."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from pool import POOL, Pool

from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.fitting import fit_ensemble
from optuna_predictor_rl.core.predictor.training import fit_members
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.targets import TARGETS, Target

N_TEST = 30
"""Configurations that no predictor of a split sees, as in Fig. 5."""

Split = tuple[Int[ndarray, " n"], Int[ndarray, " m"]]
"""Indices of the configurations to train on and of those to be tested on."""


def parse_options(description: str, *, figure: str) -> argparse.Namespace:
    """Return the options of an experiment: which pools, how many splits, and how large they are.

    Args:
        description: Of the script; its first line is shown.
        figure: The default name of its figure.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--pools", type=Path, nargs="+", default=[POOL])
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--train", type=int, nargs="+", help="configurations; by default 20, all")
    parser.add_argument("--figure", type=Path, default=Path(figure))
    return parser.parse_args()


def splits(pool: Pool, n_train: int, n_splits: int) -> Iterator[Split]:
    """Yield random splits; the tested are the same for every number of training configurations.

    Raises:
        ValueError: If the pool is too small.
    """
    if n_train + N_TEST > len(pool):
        raise ValueError(
            f"n_train must be at most {len(pool) - N_TEST}, but got {n_train}: "
            f"{N_TEST} of the {len(pool)} configurations are held out."
        )
    for seed in range(n_splits):
        order = np.random.default_rng(seed).permutation(len(pool))
        yield order[N_TEST : N_TEST + n_train], order[:N_TEST]


def network_scores(
    pool: Pool,
    train: Int[ndarray, " n"],
    config: PredictorConfig,
    *,
    target: Target = "rank",
    n_tasks: int = 2,
    seed: int,
) -> Float[ndarray, "k p t"]:
    """Return scores of every network for all configurations, as the paper trains them.

    Args:
        pool: The recorded configurations.
        train: Those that the networks are trained on.
        config: Settings of the networks.
        target: How NE gains and FLOPs become targets; only a regression asks for more than order.
        n_tasks: 2 learns NE gain and FLOPs, 1 the NE gain alone.
        seed: Of the initial weights.
    """
    encoding = Encoding(pool.space, structured=config.structured_features)
    x = torch.as_tensor(encoding(pool.rows), dtype=torch.float32)
    y = np.stack([TARGETS[target](label) for label in pool.labels[train, :n_tasks].T], axis=1)
    fitted = fit_members(
        config,
        x[torch.as_tensor(train)],
        torch.as_tensor(y, dtype=torch.float32),
        torch.Generator().manual_seed(seed),
    )
    return fitted.scores(x).numpy()


def default_prediction(
    pool: Pool, train: Int[ndarray, " n"], *, seed: int
) -> Float[ndarray, "p t"]:
    """Return what the default predictor, networks and processes, predicts of all."""
    rng = np.random.default_rng(seed)
    data = TrainingData(pool.rows[train], pool.labels[train])
    ensemble = fit_ensemble(PredictorConfig(), pool.space, data, rng=rng)
    return ensemble.predict(pool.rows)[0]
