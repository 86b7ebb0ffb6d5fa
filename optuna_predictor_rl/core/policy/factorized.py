"""A policy over configurations: an independent softmax for each decision (section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from optuna_predictor_rl.core.decisions import Categorical
from optuna_predictor_rl.core.space import SearchSpace


@dataclass(frozen=True)
class Grid:
    """The options that a policy chooses from in each decision of a space.

    A choice is an option, and so is a value of a numeric decision with at most `n_bins` values.
    The range of any other numeric decision is cut into `n_bins` intervals of equal length, from
    which positions are drawn uniformly.

    Args:
        space: The search space.
        n_bins: Most options of a numeric decision.
    """

    space: SearchSpace
    n_bins: int = 16

    @cached_property
    def n_options(self) -> Int[ndarray, " d"]:
        """Return the number of options of each decision."""
        n_values = [len(self._members.get(j, ())) for j in range(len(self.space.decisions))]
        return np.array([n or self.n_bins for n in n_values], dtype=np.int64)

    @cached_property
    def _members(self) -> dict[int, Float[ndarray, " o"]]:
        """Return the positions of the options of each decision whose options are values."""
        return {
            j: np.arange(d.n_values) * 1.0 if isinstance(d, Categorical) else d.member_positions
            for j, d in enumerate(self.space.decisions)
            if isinstance(d, Categorical) or (d.n_values or np.inf) <= self.n_bins
        }

    def rows(
        self, options: Int[ndarray, "n d"], rng: np.random.Generator
    ) -> Float[ndarray, "n d"]:
        """Return rows of the space, drawn from one option a decision."""
        return self.place(options, rng.random(options.shape))

    def place(
        self, options: Int[ndarray, "n d"], within: Float[ndarray, "n d"]
    ) -> Float[ndarray, "n d"]:
        """Return rows of the space from one option a decision, and places within the intervals.

        Args:
            options: One option of each decision.
            within: Where in its interval a position lies, in [0, 1]; values ignore it.
        """
        position = (options + within) / self.n_options
        for j, members in self._members.items():
            position[:, j] = members[options[:, j]]
        return self.space.snap(position)

    def option_values(self, j: int) -> list[Any]:
        """Return the values of a decision's options as Python's; of intervals the middle."""
        n = int(self.n_options[j])
        positions = self._members.get(j, (np.arange(n) + 0.5) / n)
        return [self.space.decisions[j].decode(position) for position in positions]

    def options(self, rows: Float[ndarray, "n d"]) -> Int[ndarray, "n d"]:
        """Return the options that rows fall into; an inactive decision falls into its first."""
        rows = np.nan_to_num(rows, nan=0.0)
        chosen = (rows * self.n_options).astype(np.int64)
        for j, members in self._members.items():
            chosen[:, j] = np.abs(rows[:, j, None] - members).argmin(1)
        return np.clip(chosen, 0, self.n_options - 1)


class FactorizedPolicy:
    """r independent policies, each a product of categorical distributions over the decisions.

    Args:
        n_options: Number of options of each decision.
        n_rounds: Number r of policies.
        device: Where the logits live.

    Attributes:
        logits: Unnormalized log-probabilities, (r, d, o); those past a decision's own options
            have no effect.
    """

    def __init__(
        self, n_options: Int[ndarray, " d"], n_rounds: int, device: torch.device | str = "cpu"
    ) -> None:
        most = int(n_options.max(initial=1))
        absent = np.arange(most) >= n_options[:, None]
        self._absent: Bool[Tensor, "d o"] = torch.as_tensor(absent, device=device)
        self.logits: Float[Tensor, "r d o"] = torch.zeros(
            (n_rounds, len(n_options), most),
            dtype=torch.float32,
            device=device,
            requires_grad=True,
        )

    @torch.no_grad()
    def boost(self, options: Int[ndarray, "r d"], bonus: float, first: int = 0) -> None:
        """Raise the logits of one configuration for each of the rounds from `first` on."""
        chosen = torch.as_tensor(options, device=self.logits.device)[..., None]
        boosted = self.logits[first : first + len(options)]
        boosted.scatter_add_(2, chosen, torch.full_like(chosen, bonus, dtype=boosted.dtype))

    @torch.no_grad()
    def add_logits(self, logits: Float[ndarray, "d o"]) -> None:
        """Add logits to those of all rounds."""
        self.logits += torch.as_tensor(logits, dtype=self.logits.dtype, device=self.logits.device)

    def log_probabilities(self, temperature: float = 1.0) -> Float[Tensor, "r d o"]:
        """Return the log-probability of each option; a higher temperature flattens the policy."""
        scaled = (self.logits / temperature).masked_fill(self._absent, -torch.inf)
        return torch.log_softmax(scaled, dim=-1)

    @torch.no_grad()
    def sample(
        self, n: int, generator: torch.Generator, temperature: float = 1.0
    ) -> Int[Tensor, "r n d"]:
        """Draw n configurations of each round, as one option a decision."""
        probabilities = self.log_probabilities(temperature).exp()
        r, d, o = probabilities.shape
        flat = torch.multinomial(
            probabilities.reshape(r * d, o), n, replacement=True, generator=generator
        )
        return flat.reshape(r, d, n).transpose(1, 2)

    def log_prob(
        self, options: Int[Tensor, "r n d"], temperature: float = 1.0
    ) -> Float[Tensor, "r n"]:
        """Return the log-probability of configurations: the sum over their decisions."""
        table = self.log_probabilities(temperature)[:, None].expand(-1, options.shape[1], -1, -1)
        return table.gather(3, options[..., None])[..., 0].sum(-1)
