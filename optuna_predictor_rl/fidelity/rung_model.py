"""The final value that a training leads to, from what others came to after the same step.

The steps at which values are compared are rungs. From each rung to the next one leads a
regression, learned from all trainings that came there, and a last one leads to the final value.
That is the recursive form of co-kriging (Kennedy and O'Hagan, 2000; Le Gratiet, 2013). Which
trainings went on was decided by what they had reported, so that no regression is biased by it:

| symbol | code       | meaning                                                                |
|--------|------------|------------------------------------------------------------------------|
| v, w   | `values`   | values at a rung and at the next one, in the unit of the reports       |
| z      | `Scale`    | asinh of the distance from the reference, in the others' typical one   |
| h      | `features` | 1, z, and how z changed since the rung before                          |
| b      | `mean`     | coefficients of h in z_next - z, with a normal-inverse-gamma prior     |
| g      | `process`  | Gaussian process of what is left, over the parameters                  |

The reference is the best full training. Far from it a distance counts by its logarithm, so that
trainings that diverged do not decide what good ones gain.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.fidelity.nearby import Nearby, fit_nearby
from optuna_predictor_rl.fidelity.rung_scale import Scale

N_DRAWS = 128
"""Paths by which a distribution is followed from rung to rung."""

COEFFICIENT_STD = (1.0, 0.35, 0.5)
"""Prior standard deviations of b: of the shift, of the stretch, and of the share by which a
change goes on."""

PRIOR_NOISE = 0.3
"""Prior standard deviation of what is left, in standard deviations of z at the next rung."""

PRIOR_TRIALS = 2.0
"""How many trainings weigh as much as the prior noise."""

BEYOND = 1.0
"""How far in z a value may lie beyond those seen: z is a logarithm there, and errors grow."""


@dataclass(frozen=True)
class Transition:
    """A regression from a step to a later one.

    Attributes:
        before, at, after: Scales of the values at the rung before, at the step, and at the later.
        mean: b.
        covariance: Of b, in squared noises.
        noise: Scale of what is left.
        freedom: Degrees of freedom of the Student-t distribution of what is left.
        process: g; None without a pattern.
        bounds: Of z at the later step: what was seen, and a little more.
    """

    before: Scale | None
    at: Scale
    after: Scale
    mean: Float[ndarray, " p"]
    covariance: Float[ndarray, "p p"]
    noise: float
    freedom: float
    process: Nearby | None
    bounds: tuple[float, float]

    @classmethod
    def fit(
        cls,
        columns: Float[ndarray, "n 3"],
        reference: Float[ndarray, " 3"],
        x: Float[ndarray, "n c"] | None,
    ) -> Transition:
        """Learn from all trainings that have the last two values.

        Args:
            columns: Values at the rung before, at the step, and at the later one. If the first
                are all NaN, there is no rung before.
            reference: The values of the best full training.
            x: The trainings' encoded parameters; None to leave them out.
        """
        kept = ~np.isnan(columns[:, 1] + columns[:, 2])
        known = columns[kept]
        at, after = (Scale.of(known[:, k], float(reference[k])) for k in (1, 2))
        before = None
        if not np.isnan(reference[0]):
            before = Scale.of(known[:, 0], float(reference[0]))
        z = after.z(known[:, 2])
        h = _features(before, at, known[:, 0], known[:, 1])
        y = z - h[:, 1]
        precision = np.diag(1.0 / np.square(COEFFICIENT_STD[: h.shape[1]]))
        covariance = np.linalg.inv(precision + h.T @ h)
        mean = covariance @ (h.T @ y)
        left = y - h @ mean
        spread = float(z.std()) if len(z) > 1 else 1.0
        freedom = PRIOR_TRIALS + len(z)
        square = PRIOR_TRIALS * (PRIOR_NOISE * spread) ** 2 + left @ left + mean @ precision @ mean
        noise = math.sqrt(max(float(square) / freedom, 1e-18))
        process = None if x is None else fit_nearby(x[kept], left / noise)
        bounds = (z.min() - BEYOND, z.max() + BEYOND) if len(z) else (-BEYOND, BEYOND)
        return cls(before, at, after, mean, covariance, noise, freedom, process, bounds)

    def follow(
        self,
        before: Float[ndarray, "n s"],
        at: Float[ndarray, "n s"],
        probabilities: Float[ndarray, " s"],
        x: Float[ndarray, "n c"] | None,
    ) -> Float[ndarray, "n s"]:
        """Return draws of the later values, from draws of those before."""
        h = _features(self.before, self.at, before, at)
        of_mean = np.einsum("nsp,pq,nsq->ns", h, self.covariance, h)
        mean, variance = h[..., 1] + h @ self.mean, 1.0 + of_mean
        if self.process is not None and x is not None:
            shift, left = self.process.predict(x)
            mean = mean + self.noise * shift[:, None]
            variance = of_mean + left[:, None]
        errors = _student(self.freedom, probabilities.tobytes())
        z = mean + self.noise * np.sqrt(variance) * errors
        return self.after.value(np.clip(z, *self.bounds))


class RungModel:
    """What trainings came to from each step on.

    Args:
        values: Of each training at steps of a grid and at the end, lower is better, (n, g + 1);
            NaN where it did not come. At least one has a final value.
        rungs: The columns of the grid by which a way leads to the end.
        x: The trainings' encoded parameters; None to leave them out.
    """

    def __init__(
        self,
        values: Float[ndarray, "n g"],
        rungs: Sequence[int],
        x: Float[ndarray, "n c"] | None = None,
    ) -> None:
        self._values, self._rungs, self.x = values, list(rungs), x
        self._end = values.shape[1] - 1
        finals = values[:, -1]
        self.best = float(np.nanmin(finals))
        known = ~np.isnan(values[:, self._rungs]).any(axis=1) & ~np.isnan(finals)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value
            self._reference = np.nanmedian(values, axis=0)
        if known.any():
            best = values[known][finals[known].argmin()]
            self._reference = np.where(np.isnan(best), self._reference, best)
        self._known: dict[tuple[int, int, int], Transition] = {}

    def final(
        self,
        values: Float[ndarray, "n g"],
        column: int,
        x: Float[ndarray, "n c"] | None = None,
    ) -> Float[ndarray, "n s"]:
        """Return draws of the final values of trainings that have come to a step.

        Args:
            values: Theirs, in the columns of the grid; later ones are not read.
            column: Of the step.
            x: Their encoded parameters.
        """
        return self._follow(values, column, x, N_DRAWS)

    def expected(
        self,
        values: Float[ndarray, "n g"],
        column: int,
        x: Float[ndarray, "n c"] | None = None,
    ) -> Float[ndarray, " n"]:
        """Return the final values on the middle way, without errors; see `final`."""
        return self._follow(values, column, x, 1)[:, 0]

    def _follow(
        self,
        values: Float[ndarray, "n g"],
        column: int,
        x: Float[ndarray, "n c"] | None,
        n_draws: int,
    ) -> Float[ndarray, "n s"]:
        path = [column, *(rung for rung in self._rungs if rung > column), self._end]
        needed = {column, *(rung for rung in self._rungs if rung < column)}
        drawn = {k: np.repeat(values[:, k, None], n_draws, axis=1) for k in needed}
        for hop, (at, after) in enumerate(itertools.pairwise(path)):
            earlier = [rung for rung in self._rungs if rung < at]
            before = earlier[-1] if earlier else -1
            transition = self._transition(before, at, after)
            last = drawn[at] if before < 0 else drawn[before]
            drawn[after] = transition.follow(
                np.where(np.isnan(last), drawn[at], last),
                drawn[at],
                _probabilities(hop, n_draws),
                x,
            )
        return drawn[self._end]

    def _transition(self, before: int, at: int, after: int) -> Transition:
        key = before, at, after
        if key not in self._known:
            columns, reference = self._values[:, list(key)], self._reference[list(key)]
            if before < 0:
                reference = np.array([math.nan, *reference[1:]])
            self._known[key] = Transition.fit(columns, reference, self.x)
        return self._known[key]


def _features(
    before: Scale | None,
    at: Scale,
    values_before: ndarray,
    values_at: ndarray,
) -> Float[ndarray, "... p"]:
    z = at.z(values_at)
    if before is None:
        return np.stack([np.ones_like(z), z], axis=-1)
    change = z - before.z(values_before)
    return np.stack([np.ones_like(z), z, np.nan_to_num(change)], axis=-1)


@lru_cache(maxsize=64)
def _probabilities(hop: int, n_draws: int) -> Float[ndarray, " s"]:
    """Return evenly spread probabilities, in another order for each hop."""
    even = (np.arange(n_draws) + 0.5) / n_draws
    return np.random.default_rng(hop).permutation(even)


@lru_cache(maxsize=1024)
def _student(freedom: float, probabilities: bytes) -> Float[ndarray, " s"]:
    return np.asarray(scipy.stats.t.ppf(np.frombuffer(probabilities), freedom))
