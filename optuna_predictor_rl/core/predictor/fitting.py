"""From labelled configurations to a fitted predictor."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.encoding import Encoding
from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.ensemble import Constraints, Ensemble
from optuna_predictor_rl.core.predictor.members import (
    InputScale,
    Processes,
    fit_networks,
    fit_processes,
)
from optuna_predictor_rl.core.predictor.training_data import TrainingData
from optuna_predictor_rl.core.predictor.transfer import SourcePredictions, fit_residual
from optuna_predictor_rl.core.space import SearchSpace
from optuna_predictor_rl.core.targets import (
    TARGETS,
    Target,
    feasible_rank,
    rank_targets,
    signed_target,
    target_errors,
    transformed,
)

N_REFERENCE = 256
"""Random configurations on which the input of the networks is centred and scaled."""


def fit_ensemble(
    config: PredictorConfig,
    space: SearchSpace,
    data: TrainingData,
    *,
    rng: np.random.Generator,
    source_predictions: SourcePredictions | None = None,
    device: torch.device | str = "cpu",
) -> Ensemble:
    """Fit the predictor to labelled configurations.

    Args:
        config: Settings of the predictor.
        space: The search space.
        data: Rows of the configurations with their labels.
        rng: Source of all randomness.
        source_predictions: What other searches predict of rows' labels, if there are any.
        device: Where the networks are trained.
    """
    rows, labels = data.rows, data.labels
    limited = np.empty((len(rows), 0)) if data.constraints is None else data.constraints
    encoding = Encoding(space, config.structured_features, rows)
    x, feature = encoding(rows), encoding.column_feature
    kinds: tuple[Target, ...] = ("rank", *(config.targets if config.gaussian_process else ()))
    targets = [transformed(labels, TARGETS[kind]) for kind in kinds]
    errors = [
        None if data.errors is None else target_errors(labels, y, data.errors) for y in targets[1:]
    ]
    residuals = []
    if source_predictions is not None:
        predictions = source_predictions(rows)
        pairs = [fit_residual(predictions, y) for y in targets]
        residuals, targets = [fit for fit, _ in pairs], [left for _, left in pairs]
    processes = []
    if config.gaussian_process:
        # Constraints have one kind of target: their processes are fitted once and shared.
        signed = fit_processes(x, transformed(limited, signed_target), feature)
        for target, error in zip(targets[1:], errors, strict=True):
            fitted = fit_processes(x, target, feature, error)
            processes.append(Processes(fitted.processes + signed.processes))
    networks = fit_networks(
        config,
        x,
        np.hstack([targets[0], rank_targets(limited)]),
        scaled=_input_scale(config, encoding, processes),
        rng=rng,
        device=device,
    )
    return Ensemble(
        encoding,
        networks,
        tuple(processes),
        rows,
        kinds,
        exact_cost=data.exact_cost,
        constraints=_constraints(limited, len(processes)),
        source_predictions=source_predictions,
        residuals=tuple(residuals),
    )


def _constraints(values: Float[ndarray, "n c"], n_processes: int) -> Constraints | None:
    """Return the thresholds: 0 for the processes, its place among the ranks for the networks."""
    if not values.shape[1]:
        return None
    by_rank = np.array([feasible_rank(y[~np.isnan(y)]) for y in values.T])
    zero = np.zeros(values.shape[1])
    return Constraints((np.nan_to_num(values) <= 0.0).all(1), (by_rank, *[zero] * n_processes))


def _input_scale(
    config: PredictorConfig, encoding: Encoding, processes: list[Processes]
) -> InputScale:
    """Return what gives the networks' input unit variance on average over the space."""
    # A stream of its own: the scale is one of the space, not of the fit's random numbers.
    reference = encoding(encoding.space.random(N_REFERENCE, np.random.default_rng(0)))
    n_columns = reference.shape[1]
    center = reference.mean(0)
    if processes:
        # NOTE[paper]: inputs are scaled by the relevance that the process found.
        relevance = processes[0].relevance
    elif config.structured_features:
        relevance = 1.0 / np.maximum(reference.std(0), 1e-6)
    else:
        return InputScale(np.zeros(n_columns), np.ones(n_columns))
    spread = ((reference - center) * relevance) ** 2
    mean_variance = max(spread.sum(1).mean() / max(n_columns, 1), 1e-12)
    return InputScale(center, relevance / np.sqrt(mean_variance))
