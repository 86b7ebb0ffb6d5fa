"""REINFORCE against a score, then local moves: all candidates are kept (section 3.2).

| notation | meaning | here |
|---|---|---|
| r | round: a policy with logits of its own; all rounds are one batch | `n_rounds` |
| n | configuration that a round samples in a step | `batch_size` |
| d, o | decision, option of a decision | `Grid.n_options` |
| theta | logits (r, d, o) | `policy.logits` |
| tau | temperature | `temperature` |
| pi | product over d of softmax(theta[d] / tau) | `FactorizedPolicy` |
| a | one option a decision (r, n, d), drawn from pi | `options` |
| x | the row of the space that a stands for (r n, d) | `rows` |
| J(x) | score, lower is better: the negative of the paper's reward | `score` |
| A | (J - mean over n of J) / deviation over n of J (r, n) | `_advantage` |

The gradient of the expected score is E[A grad log pi(a)] up to its scale (Williams, 1992, with the
batch's mean as baseline). Each step takes one sample of it and descends by Adam.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from optuna_predictor_rl.core.adam import Adam
from optuna_predictor_rl.core.policy.candidates import Candidates, Trace
from optuna_predictor_rl.core.policy.config import PolicyConfig
from optuna_predictor_rl.core.policy.factorized import FactorizedPolicy, Grid
from optuna_predictor_rl.core.policy.local_search import Score, refine
from optuna_predictor_rl.core.space import Rows, SearchSpace

N_TRACED = 50
"""Steps whose policies a trace keeps at most."""

N_ROUND_REFINEMENTS = 4
"""Passes of local moves that take the best of each round to its local optimum."""


@dataclass(frozen=True)
class Start:
    """Where a search starts.

    Args:
        elite: The best rows so far, best first: rounds and refinement start from them.
        logits: Logits of all policies, on the options of the configuration's `Grid`; uniform if
            None.
    """

    elite: Rows
    logits: Float[ndarray, "d o"] | None = None


def search(
    space: SearchSpace,
    score: Score,
    config: PolicyConfig,
    *,
    start: Start,
    rng: np.random.Generator,
    device: torch.device | str = "cpu",
) -> Candidates:
    """Train the policies and return every configuration they proposed.

    Args:
        space: The search space.
        score: What to minimize, for rows (n, decisions); the negative of the reward.
        config: Settings of the search.
        start: Where policies and refinement start.
        rng: Source of all randomness.
        device: Where the policies are trained.

    Example:
        >>> from optuna_predictor_rl.core.decisions import Numeric
        >>> space = SearchSpace((Numeric(name="x", low=-1.0, high=1.0),))
        >>> found = search(
        ...     space,
        ...     lambda rows: (rows[:, 0] - 0.25) ** 2,
        ...     PolicyConfig(),
        ...     start=Start(space.random(1, np.random.default_rng(0))),
        ...     rng=np.random.default_rng(0),
        ... )
        >>> abs(space.configurations(found.rows[:1])[0]["x"] + 0.5) < 0.01
        True
    """
    grid, elite = Grid(space, config.n_bins), start.elite
    policy = FactorizedPolicy(grid.n_options, config.n_rounds, device)
    if start.logits is not None:
        policy.add_logits(start.logits)
    n_boosted = min(config.n_rounds - 1, len(elite))  # the first round explores
    if n_boosted > 0 and config.elite_bonus > 0:
        policy.boost(grid.options(elite[:n_boosted]), config.elite_bonus, first=1)
    rows, trace = _train(policy, grid, score, config, rng)
    scores = trace.score.reshape(-1)
    n_steps, n_rounds, batch_size = trace.score.shape
    rounds = np.tile(np.repeat(np.arange(n_rounds), batch_size), n_steps)
    if config.n_refinements:
        known = np.concatenate([rows, elite])
        known_scores = np.concatenate([scores, score(elite)]) if len(elite) else scores
        moved, moved_scores = refine(space, score, known, known_scores, config.n_refinements, rng)
        rows, scores = np.concatenate([rows, moved]), np.concatenate([scores, moved_scores])
        rounds = np.concatenate([rounds, np.full(len(moved), -1)])
    order = np.argsort(scores, kind="stable")
    return Candidates(rows[order], scores[order], rounds[order], trace)


def local_optima(
    space: SearchSpace,
    score: Score,
    config: PolicyConfig,
    *,
    start: Start,
    rng: np.random.Generator,
    device: torch.device | str = "cpu",
) -> tuple[Rows, Int[ndarray, " n"]]:
    """Search as `search` does and return its rows and each round's own local optimum, best first.

    Rounds end in different regions, so that their optima are good configurations that differ.

    Returns:
        The rows, and the round that found each; -1 for moves from the best of all rounds.
    """
    found = search(space, score, config, start=start, rng=rng, device=device)
    rows, scores, rounds = [found.rows], [found.score], [found.round]
    for r in range(config.n_rounds):
        own = found.round == r
        moved, moved_scores = refine(
            space, score, found.rows[own], found.score[own], N_ROUND_REFINEMENTS, rng
        )
        rows.append(moved)
        scores.append(moved_scores)
        rounds.append(np.full(len(moved), r))
    order = np.argsort(np.concatenate(scores), kind="stable")
    return np.concatenate(rows)[order], np.concatenate(rounds)[order]


def _train(
    policy: FactorizedPolicy,
    grid: Grid,
    score: Score,
    config: PolicyConfig,
    rng: np.random.Generator,
) -> tuple[Rows, Trace]:
    """Train the policies in place and return the rows that they proposed, step by step."""
    device = policy.logits.device
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
    optimizer = Adam([policy.logits])
    temperature = config.temperature
    n_steps = max(config.n_steps, 1)  # without a step there would be no candidate
    traced = np.arange(0, n_steps, -(-n_steps // N_TRACED))
    rows, scores, probabilities = [], [], []
    for step in range(n_steps):
        if step in traced:
            probabilities.append(policy.log_probabilities(temperature).detach().exp())
        options = policy.sample(config.batch_size, generator, temperature)  # (r, n, d)
        proposed = grid.rows(options.flatten(0, 1).cpu().numpy(), rng)
        value = score(proposed).reshape(config.n_rounds, -1)
        rows.append(proposed)
        scores.append(value)
        weight = torch.as_tensor(_advantage(value), dtype=policy.logits.dtype, device=device)
        (policy.log_prob(options, temperature) * weight).mean(1).sum().backward()
        optimizer.step(config.learning_rate)
        temperature = max(temperature * config.anneal_rate, config.min_temperature)
    kept = torch.stack(probabilities).cpu().numpy()
    return np.concatenate(rows), Trace(grid, np.stack(scores), traced, kept)


def _advantage(score: Float[ndarray, "r n"]) -> Float[ndarray, "r n"]:
    """Return the scores relative to their round's mean, in standard deviations.

    The unit of the score then does not matter to the learning rate.
    """
    spread = score.std(1, keepdims=True)
    return (score - score.mean(1, keepdims=True)) / np.maximum(spread, 1e-12)
