"""A user's beliefs about decisions before any trial: probabilities of the policy's options."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.policy.factorized import Grid
from optuna_predictor_rl.core.space import Rows

UNIFORM_SHARE = 0.1
"""Share of a belief that is spread evenly over all options: a search can leave a wrong belief."""

HALF_LIFE = 8.0
"""Trials after which a belief counts half in the policy's start."""


@dataclass(frozen=True)
class OptionPrior:
    """Independent beliefs about the decisions of a grid.

    Args:
        grid: The options of each decision.
        probabilities: Probability of each option of each decision.
    """

    grid: Grid
    probabilities: tuple[Float[ndarray, " _"], ...]

    @classmethod
    def of(cls, grid: Grid, weights: tuple[Float[ndarray, " _"] | None, ...]) -> OptionPrior:
        """Return beliefs from weights of options, in any unit; None stands for equal weights."""
        uniform = [np.full(n, 1.0 / n) for n in grid.n_options]
        return cls(
            grid,
            tuple(
                even if w is None else (1.0 - UNIFORM_SHARE) * w / w.sum() + UNIFORM_SHARE * even
                for w, even in zip(weights, uniform, strict=True)
            ),
        )

    def from_uniform(self, uniform: Float[ndarray, "n d"]) -> Rows:
        """Return the rows at points of the unit cube; uniform points become rows as believed.

        Each decision inverts its cumulative distribution, so that a Sobol sequence stays evenly
        spread.
        """
        options = np.zeros(uniform.shape, dtype=np.int64)
        within = np.zeros(uniform.shape)
        for j, probability in enumerate(self.probabilities):
            below = np.concatenate([[0.0], np.cumsum(probability)])
            option = np.searchsorted(below[1:-1], uniform[:, j], side="right")
            options[:, j] = option
            within[:, j] = (uniform[:, j] - below[option]) / probability[option]
        return self.grid.place(options, np.clip(within, 0.0, 1.0))

    def logits(self, n_trials: int) -> Float[ndarray, "d o"]:
        """Return the policy's first logits after so many trials; 0 past a decision's options.

        The belief is forgotten as trials come in, as in Hvarfner et al., 2022, "piBO: augmenting
        acquisition functions with user beliefs for Bayesian optimization", Eq. 6.
        """
        most = max((len(p) for p in self.probabilities), default=1)
        logits = np.zeros((len(self.probabilities), most))
        for j, probability in enumerate(self.probabilities):
            logits[j, : len(probability)] = np.log(probability * len(probability))
        return logits * HALF_LIFE / (HALF_LIFE + n_trials)
