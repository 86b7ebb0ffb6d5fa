"""REINFORCE against a cost: several rounds as one batch, all candidates kept (section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.adam import Adam
from optuna_predictor_rl.core.policy.factorized import FactorizedPolicy, Grid
from optuna_predictor_rl.core.policy.local_search import refine
from optuna_predictor_rl.core.seen import Seen
from optuna_predictor_rl.core.space import Rows, SearchSpace, row_keys
from optuna_predictor_rl.support.checked import checked

Cost = Callable[[Rows], Float[ndarray, " n"]]


MAX_LOGIT = 1e4
"""Of settings that move logits: float32 tells no probabilities apart that differ by more."""


@checked
@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """Settings of the search; the defaults are the best we measured.

    Args:
        n_rounds: Rounds of REINFORCE, each with a policy of its own.
        n_steps: Steps of each round.
        batch_size: Configurations that each round samples in a step.
        learning_rate: Learning rate of Adam on the logits.
        temperature: Temperature of the policy in the first step.
        anneal_rate: Factor of the temperature after each step.
        min_temperature: Temperature below which it is not annealed.
        n_bins: Most options of a numeric decision; see `Grid`.
        elite_bonus: Logits that all rounds but the first give at the start to the options of one
            of the best configurations so far; 0 starts every round uniform.
        n_refinements: Passes of local moves around the best candidates after the rounds.
        reward: "improvement" rewards the expected improvement over the best so far, "mean" the
            ensemble's mean alone, as Eq. (6).
        distances: How far a trial keeps from those before it in one decision at least, as a share
            of a numeric decision's range; taken in turn, one with each trial that has ended, and
            less in spaces of few numeric decisions (`near_to`). Without, searches end in trials
            that hardly differ.

    Raises:
        ValueError: If a number is out of its range or a name is unknown.
    """

    n_rounds: int = 5
    n_steps: int = 12
    batch_size: int = 32
    learning_rate: float = 0.5
    temperature: float = 1.0
    anneal_rate: float = 1.0
    min_temperature: float = 1.0
    n_bins: int = 16
    elite_bonus: float = 2.0
    n_refinements: int = 4
    reward: str = "improvement"
    distances: tuple[float, ...] = (0.1, 0.03, 0.0)

    def __post_init__(self) -> None:
        for name in ("n_rounds", "batch_size", "n_bins"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but got {getattr(self, name)}.")
        for name in ("n_steps", "n_refinements", "elite_bonus"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, but got {getattr(self, name)}.")
        for name in ("learning_rate", "temperature", "min_temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, but got {getattr(self, name)}.")
        for name in ("learning_rate", "temperature", "min_temperature", "elite_bonus"):
            if not getattr(self, name) <= MAX_LOGIT:
                raise ValueError(
                    f"{name} must be at most {MAX_LOGIT:g}, but got {getattr(self, name)}."
                )
        if not 0.0 < self.anneal_rate <= 1.0:
            raise ValueError(f"anneal_rate must be in (0, 1], but got {self.anneal_rate}.")
        if self.reward not in ("improvement", "mean"):
            raise ValueError(
                f"reward must be one of ('improvement', 'mean'), but got {self.reward!r}."
            )
        if not self.distances or not all(0.0 <= d <= 1.0 for d in self.distances):
            raise ValueError(
                f"distances must be one or more numbers in [0, 1], but got {self.distances}."
            )

    @classmethod
    def paper(cls) -> PolicyConfig:
        """Section 4.1.2: 3 seeds, learning rate .01, anneal rate .9997, temperature 1.

        The paper says that the search converges within 2000 steps and gives no batch size.
        """
        return cls(
            n_rounds=3,
            n_steps=2000,
            batch_size=8,
            learning_rate=0.01,
            temperature=1.0,
            anneal_rate=0.9997,
            min_temperature=1.0,
            elite_bonus=0.0,
            n_refinements=0,
            reward="mean",
            distances=(0.0,),
        )


BLOCK = 1024
"""Candidates that are compared with the seen rows at once."""

N_TRACED = 50
"""Steps whose policies a trace keeps at most."""


@dataclass(frozen=True)
class Trace:
    """How the rounds of a search learned.

    Args:
        grid: The options that the policies chose from.
        cost: Cost of every configuration in the order of the steps, (steps, rounds, batch).
        steps: The steps whose policies are kept.
        probabilities: Probability of each option in those steps, (kept, rounds, decisions,
            options); 0 for options past a decision's own.
    """

    grid: Grid
    cost: Float[ndarray, "s r n"]
    steps: Int[ndarray, " k"]
    probabilities: Float[ndarray, "k r d o"]


@dataclass(frozen=True)
class Candidates:
    """All configurations that a search has evaluated, best first.

    Args:
        rows: Their rows.
        cost: Their costs, ascending.
        round: The round that proposed each; -1 for those of the refinement.
        trace: How the rounds learned.
    """

    rows: Float[ndarray, "n d"]
    cost: Float[ndarray, " n"]
    round: Int[ndarray, " n"]
    trace: Trace

    @property
    def proposed(self) -> Float[ndarray, "s r n d"]:
        """The rows that the policies proposed, in the order of the trace."""
        shape = self.trace.cost.shape
        rows = np.empty((self.trace.cost.size, self.rows.shape[1]))
        # What is left of a stable order without the refinement's rows is itself a stable order.
        rows[np.argsort(self.trace.cost.reshape(-1), kind="stable")] = self.rows[self.round >= 0]
        return rows.reshape(*shape, -1)

    def top(self, k: int, seen: Rows | Seen) -> Rows:
        """The k best distinct rows that are not among the seen ones; fewer if there are fewer."""
        is_seen = seen if isinstance(seen, Seen) else Seen(seen, np.zeros(len(seen), dtype=bool))
        known: set[bytes] = set()
        chosen: list[ndarray] = []
        for first in range(0, len(self.rows), BLOCK):  # most are never looked at
            block = self.rows[first : first + BLOCK]
            for row, key, old in zip(block, row_keys(block), is_seen(block), strict=True):
                if len(chosen) < k and not old and key not in known:
                    known.add(key)
                    chosen.append(row)
            if len(chosen) == k:
                break
        return np.stack(chosen) if chosen else self.rows[:0]


def search(
    space: SearchSpace,
    cost: Cost,
    config: PolicyConfig,
    *,
    elite: Rows,
    rng: np.random.Generator,
    logits: Float[ndarray, "d o"] | None = None,
    device: torch.device | str = "cpu",
) -> Candidates:
    """Train the policies and return every configuration they proposed.

    Args:
        space: The search space.
        cost: What to minimize, for rows (n, decisions); the negative of the reward.
        config: Settings of the search.
        elite: The best rows so far, best first: where rounds and refinement start.
        rng: Source of all randomness.
        logits: Where all policies start, on the options of the configuration's `Grid`; uniform
            if None.
        device: Where the policies are trained.

    Example:
        >>> from optuna_predictor_rl.core.decisions import Numeric
        >>> space = SearchSpace((Numeric(name="x", low=-1.0, high=1.0),))
        >>> found = search(
        ...     space,
        ...     lambda rows: (rows[:, 0] - 0.25) ** 2,
        ...     PolicyConfig(),
        ...     elite=space.random(1, np.random.default_rng(0)),
        ...     rng=np.random.default_rng(0),
        ... )
        >>> abs(space.configurations(found.rows[:1])[0]["x"] + 0.5) < 0.01
        True
    """
    grid = Grid(space, config.n_bins)
    policy = FactorizedPolicy(grid.n_options, config.n_rounds, device)
    if logits is not None:
        policy.lean(logits)
    n_led = min(config.n_rounds - 1, len(elite))
    if n_led > 0 and config.elite_bonus > 0:
        policy.prefer(grid.options(elite[:n_led]), config.elite_bonus, first=1)
    rows, trace = _train(policy, grid, cost, config, rng)
    costs = trace.cost.reshape(-1)
    rounds = np.tile(
        np.repeat(np.arange(config.n_rounds), config.batch_size), max(config.n_steps, 1)
    )
    if config.n_refinements:
        start = np.concatenate([rows, elite])
        start_costs = np.concatenate([costs, cost(elite)]) if len(elite) else costs
        moved, moved_costs = refine(space, cost, start, start_costs, config.n_refinements, rng)
        rows, costs = np.concatenate([rows, moved]), np.concatenate([costs, moved_costs])
        rounds = np.concatenate([rounds, np.full(len(moved), -1)])
    order = np.argsort(costs, kind="stable")
    return Candidates(rows[order], costs[order], rounds[order], trace)


def _train(
    policy: FactorizedPolicy,
    grid: Grid,
    cost: Cost,
    config: PolicyConfig,
    rng: np.random.Generator,
) -> tuple[Rows, Trace]:
    device = policy.logits.device
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
    optimizer = Adam([policy.logits])
    temperature = config.temperature
    n_steps = max(config.n_steps, 1)
    traced = np.arange(0, n_steps, -(-n_steps // N_TRACED))
    rows, costs, probabilities = [], [], []
    for step in range(n_steps):
        if step in traced:
            probabilities.append(policy.log_probabilities(temperature).detach().exp())
        options = policy.sample(config.batch_size, generator, temperature)  # (r, n, d)
        proposed = grid.rows(options.flatten(0, 1).cpu().numpy(), rng)
        value = cost(proposed).reshape(config.n_rounds, -1)
        rows.append(proposed)
        costs.append(value)
        advantage = _advantage(value)
        weight = torch.as_tensor(advantage, dtype=policy.logits.dtype, device=device)
        (policy.log_prob(options, temperature) * weight).mean(1).sum().backward()
        optimizer.step(config.learning_rate)
        temperature = max(temperature * config.anneal_rate, config.min_temperature)
    kept = torch.stack(probabilities).cpu().numpy()
    return np.concatenate(rows), Trace(grid, np.stack(costs), traced, kept)


def _advantage(cost: Float[ndarray, "r n"]) -> Float[ndarray, "r n"]:
    """Cost relative to the round's baseline, the batch mean, in standard deviations."""
    spread = cost.std(1, keepdims=True)
    return (cost - cost.mean(1, keepdims=True)) / np.maximum(spread, 1e-12)
