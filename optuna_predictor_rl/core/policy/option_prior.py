"""What is believed of decisions before any trial: weights of the policy's options."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.core.policy.factorized import Grid
from optuna_predictor_rl.core.space import Rows

UNIFORM_SHARE = 0.1
"""Share of a belief that is spread evenly over all options, so that a wrong one can be left."""

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
        """Beliefs from weights of options, in any unit; None believes nothing of a decision."""
        uniform = [np.full(n, 1.0 / n) for n in grid.n_options]
        return cls(
            grid,
            tuple(
                even if w is None else (1.0 - UNIFORM_SHARE) * w / w.sum() + UNIFORM_SHARE * even
                for w, even in zip(weights, uniform, strict=True)
            ),
        )

    def from_uniform(self, uniform: Float[ndarray, "n d"]) -> Rows:
        """The rows at points of the unit cube: distributed as believed if those are uniform."""
        options = np.zeros(uniform.shape, dtype=np.int64)
        within = np.zeros(uniform.shape)
        for j, probability in enumerate(self.probabilities):
            below = np.concatenate([[0.0], np.cumsum(probability)])
            option = np.searchsorted(below[1:-1], uniform[:, j], side="right")
            options[:, j] = option
            within[:, j] = (uniform[:, j] - below[option]) / probability[option]
        return self.grid.place(options, np.clip(within, 0.0, 1.0))

    def logits(self, n_trials: int) -> Float[ndarray, "d o"]:
        """Where the policy starts after so many trials; options past a decision's own are 0.

        The belief is forgotten as trials come in, as in Hvarfner et al., 2022, "piBO: augmenting
        acquisition functions with user beliefs for Bayesian optimization", Eq. 6.
        """
        widest = max((len(p) for p in self.probabilities), default=1)
        logits = np.zeros((len(self.probabilities), widest))
        for j, probability in enumerate(self.probabilities):
            logits[j, : len(probability)] = np.log(probability * len(probability))
        return logits * HALF_LIFE / (HALF_LIFE + n_trials)
