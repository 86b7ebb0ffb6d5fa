"""The two kinds of members of the ensemble: networks and Gaussian processes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.predictor.config import PredictorConfig
from optuna_predictor_rl.core.predictor.gaussian_process import (
    GaussianProcess,
    fit_gaussian_process,
)
from optuna_predictor_rl.core.predictor.moments import Moments
from optuna_predictor_rl.core.predictor.training import FittedMembers, fit_members

Inputs = Float[ndarray, "n c"]

SPREAD = 1.0
"""Factor of the networks' disagreement in their standard deviation."""

RESIDUAL = 0.5
"""Factor of their error on held-out trials in it."""


@dataclass(frozen=True)
class Processes:
    """One fitted Gaussian process a task."""

    processes: tuple[GaussianProcess, ...]

    def predict(self, x: Inputs) -> Moments:
        """Return mean and standard deviation of each task's target."""
        mean, std = zip(*(process.predict(x) for process in self.processes), strict=True)
        return Moments(np.stack(mean, axis=1), np.stack(std, axis=1))

    def condition_on_pending(self, x: Inputs) -> Processes:
        """Return the processes once the values at x are observed to be as predicted."""
        return Processes(tuple(p.condition_on_pending(x) for p in self.processes))

    @property
    def prior_std(self) -> Float[ndarray, " t"]:
        """Standard deviation of each task's target far from all labelled configurations."""
        return np.sqrt([process.scale for process in self.processes])

    @property
    def relevance(self) -> Float[ndarray, " c"]:
        """Inverse lengthscale of each column, the mean over tasks."""
        return np.mean([process.inverse_lengthscale for process in self.processes], axis=0)


def fit_processes(
    x: Inputs,
    targets: Float[ndarray, "n t"],
    feature: ndarray,
    errors: Float[ndarray, "n t"] | None = None,
) -> Processes:
    """Fit a process to each task's targets, of about unit variance; NaN ones are left out.

    Each target may have an error of its own, given as a standard deviation.
    """
    fitted = []
    errors = np.zeros_like(targets) if errors is None else errors
    for y, error in zip(targets.T, errors.T, strict=True):
        present = ~np.isnan(y)
        if not present.any():  # nothing is known of the task: one target, at the mean
            present, y = np.arange(len(y)) == 0, np.zeros_like(y)
        fitted.append(fit_gaussian_process(x[present], y[present], feature, error=error[present]))
    return Processes(tuple(fitted))


@dataclass(frozen=True)
class InputScale:
    """Middle of each column of the networks' input, and a factor such as its relevance."""

    center: Float[ndarray, " c"]
    factor: Float[ndarray, " c"]

    def __call__(self, x: Inputs) -> Inputs:
        """Return the centred and scaled input."""
        return (x - self.center) * self.factor


@dataclass(frozen=True)
class Networks:
    """The k ranking networks, their scores mapped to the scale of the targets.

    Args:
        fitted: The trained networks.
        scaled: Centres and scales their input.
        slope: Regression of the targets on the mean score, for each task.
        residual: Standard deviation of its error on held-out trials.
    """

    fitted: FittedMembers
    scaled: InputScale
    slope: Float[ndarray, " t"]
    residual: Float[ndarray, " t"]

    def predict(self, x: Inputs) -> Moments:
        """Return mean and standard deviation of each task's target."""
        score = self.scores(x)
        spread = SPREAD * score.std(0) + RESIDUAL * np.maximum(self.residual, 1e-3)
        return Moments(score.mean(0) * self.slope, spread)

    def scores(self, x: Inputs) -> Float[ndarray, "k n t"]:
        """Return standardized scores of every network."""
        device = self.fitted.shift.device
        scaled = torch.as_tensor(self.scaled(x), dtype=torch.float32, device=device)
        return np.asarray(self.fitted.scores(scaled).cpu().numpy(), dtype=np.float64)


def fit_networks(
    config: PredictorConfig,
    x: Inputs,
    target: Float[ndarray, "n t"],
    *,
    scaled: InputScale,
    rng: np.random.Generator,
    device: torch.device | str,
) -> Networks:
    """Train the networks on rank targets, NaN where missing, and regress these on the scores."""
    n_tasks = target.shape[1]
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
    fitted = fit_members(
        config,
        torch.as_tensor(scaled(x), dtype=torch.float32, device=device),
        torch.as_tensor(target, dtype=torch.float32, device=device),
        generator,
    )
    plain = Networks(fitted, scaled, np.ones(n_tasks), np.ones(n_tasks))
    slope, residual = _regress(plain.scores(x), fitted.held_out.cpu().numpy(), target)
    return replace(plain, slope=slope, residual=residual)


def _regress(
    score: Float[ndarray, "k n t"], held_out: ndarray, target: Float[ndarray, "n t"]
) -> tuple[Float[ndarray, " t"], Float[ndarray, " t"]]:
    """Return the slope of the target on the mean held-out score, and the standard error.

    A ranking loss fixes no unit of the scores. Those of members that saw the trial would make the
    slope too steep. Too few trials could make it anything, so that it is bounded.
    """
    if held_out.any():
        votes = np.maximum(held_out.sum(0), 1)[:, None]
        score = (score * held_out[..., None]).sum(0) / votes
    else:
        score = score.mean(0)
    present = ~np.isnan(target)
    target = np.nan_to_num(target)
    square = np.maximum((score**2 * present).sum(0), 1e-12)
    slope = np.clip((score * target * present).sum(0) / square, 0.2, 1.2)
    error = ((target - slope * score) ** 2 * present).sum(0) / np.maximum(present.sum(0), 1)
    return slope, np.sqrt(error)
