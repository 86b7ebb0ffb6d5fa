"""The true model behind a synthetic stream: properties, latents and terms of the score."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from dhen_objective.checked import check_at_least, check_finite, checked


@checked
@dataclass(frozen=True, kw_only=True)
class SyntheticConfig:
    """The properties of a synthetic stream.

    The score adds four groups of terms, each standardized: single ids; dot products of pairs of
    latent vectors; products of triples; products of two dots, which reward depth. The latent
    vectors rotate with time.

    Attributes:
        vocabulary: Smallest and largest number of ids of a field; the others are log-spaced.
        n_fields: Number of sparse fields, at least 4.
        n_dense: Number of dense features.
        rank: Width of the latent vectors.
        n_clusters: Ids of a field share this many cluster centres.
        cluster_noise: How far ids lie from their centre, relative to it.
        strength: Standard deviation of the score.
        shares: Variance shares of the four groups; they sum to 1.
        n_terms: Number of pairs, triples and dot products of dots.
        drift: Angle, in quarter turns, by which the latents rotate over the stream.
        noise: Share of labels drawn at the base rate, whatever the features.
        season: Amplitude of a sine in the score, with 10 periods over the stream.
        base_rate: Mean share of positives at the start.
    """

    vocabulary: tuple[int, int] = (4, 60)
    n_fields: int = 10
    n_dense: int = 4
    rank: int = 3
    n_clusters: int = 5
    cluster_noise: float = 0.1
    strength: float = 2.2
    shares: tuple[float, float, float, float] = (0.15, 0.4, 0.2, 0.25)
    n_terms: tuple[int, int, int] = (5, 3, 2)
    drift: float = 0.3
    noise: float = 0.02
    season: float = 0.0
    base_rate: float = 0.1

    def __post_init__(self) -> None:
        check_at_least(0, n_dense=self.n_dense, cluster_noise=self.cluster_noise)
        check_at_least(1, rank=self.rank, n_clusters=self.n_clusters)
        check_at_least(0, strength=self.strength, n_terms=min(self.n_terms))
        check_finite(drift=self.drift, season=self.season)
        if self.n_fields < 4:
            raise ValueError(f"n_fields must be at least 4, but got {self.n_fields}.")
        if not math.isclose(sum(self.shares), 1) or min(self.shares) < 0:
            raise ValueError(f"shares must be non-negative and sum to 1, but got {self.shares}.")
        if not 0 < self.base_rate < 1:
            raise ValueError(f"base_rate must be in (0, 1), but got {self.base_rate}.")
        if not 0 <= self.noise < 1:
            raise ValueError(f"noise must be in [0, 1), but got {self.noise}.")
        if not 1 <= self.vocabulary[0] <= self.vocabulary[1]:
            raise ValueError(f"vocabulary must be increasing, but got {self.vocabulary}.")


PRESETS: dict[str, SyntheticConfig] = {
    "easy": SyntheticConfig(
        vocabulary=(4, 20), shares=(0.3, 0.4, 0.2, 0.1), drift=0.1, noise=0.0, base_rate=0.2
    ),
    "medium": SyntheticConfig(),
    "sparse": SyntheticConfig(
        vocabulary=(20, 2000), n_fields=12, strength=2.5, base_rate=0.03, season=0.2
    ),
}


@dataclass(frozen=True)
class World:
    """The fixed truth behind a stream: latents, weights and terms.

    Attributes:
        frequencies: For each field, the cumulative probability of its ids.
        latents: For each field, the latent vectors of its ids at the start, of shape (ids, rank).
        drifted: The same a quarter turn later.
        weights: For each field, the weights of its single ids.
        mixer: Latent vectors of the dense features, of shape (dense features, rank).
        pairs: The fields of each dot product.
        triples: The fields of each product of three.
        quads: The fields of each product of two dot products.
    """

    frequencies: list[np.ndarray]
    latents: list[np.ndarray]
    drifted: list[np.ndarray]
    weights: list[np.ndarray]
    mixer: np.ndarray
    pairs: np.ndarray
    triples: np.ndarray
    quads: np.ndarray


def draw_world(config: SyntheticConfig, seed: int) -> World:
    """Draw the true model of a stream; the same seed gives the same one."""
    rng = np.random.default_rng((seed, 0))
    low, high = config.vocabulary
    sizes = np.geomspace(low, high, config.n_fields).round().astype(int)
    frequencies: list[np.ndarray] = []
    latents: list[np.ndarray] = []
    drifted: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    for size in rng.permutation(sizes):
        mass = (np.arange(size) + 1 + 2.7) ** -rng.uniform(1.05, 1.4)  # Zipf-Mandelbrot
        frequencies.append(np.cumsum(mass / mass.sum()))
        cluster = rng.integers(config.n_clusters, size=size)
        for vectors in (latents, drifted):
            centres = rng.normal(size=(config.n_clusters, config.rank))
            spread = config.cluster_noise * rng.normal(size=(size, config.rank))
            vectors.append((centres[cluster] + spread) / math.hypot(1, config.cluster_noise))
        weights.append(rng.normal(size=size))

    def terms(count: int, order: int) -> np.ndarray:
        chosen = [rng.choice(config.n_fields, order, replace=False) for _ in range(count)]
        return np.array(chosen, dtype=np.int64).reshape(count, order)

    n_pairs, n_triples, n_quads = config.n_terms
    return World(
        frequencies=frequencies,
        latents=latents,
        drifted=drifted,
        weights=weights,
        mixer=rng.normal(size=(config.n_dense, config.rank)) / math.sqrt(max(config.n_dense, 1)),
        pairs=terms(n_pairs, 2),
        triples=terms(n_triples, 3),
        quads=terms(n_quads, 4),
    )


def term_groups(
    world: World,
    dense: Float[np.ndarray, "n d"],
    sparse: Int[np.ndarray, "n f"],
    time: Float[np.ndarray, " n"],
    drift: float,
) -> Float[np.ndarray, "4 n"]:
    """Return the four groups of terms, not yet standardized; `time` is in [0, 1]."""
    angle = (drift * np.pi / 2 * time)[:, None]
    z = np.stack(
        [
            np.cos(angle) * latent[ids] + np.sin(angle) * other[ids]
            for latent, other, ids in zip(world.latents, world.drifted, sparse.T, strict=True)
        ]
    )  # (f, n, rank)

    def dots(pairs: np.ndarray) -> np.ndarray:
        return np.asarray((z[pairs[:, 0]] * z[pairs[:, 1]]).sum(2))

    first = sum((w[ids] for w, ids in zip(world.weights, sparse.T, strict=True)), 0.0)
    second = dots(world.pairs).sum(0)
    if dense.shape[1]:
        second = second + 2 * ((dense @ world.mixer) * z[0]).sum(1)
    triples = world.triples
    third = (z[triples[:, 0]] * z[triples[:, 1]] * z[triples[:, 2]]).sum((0, 2))
    fourth = (dots(world.quads[:, :2]) * dots(world.quads[:, 2:])).sum(0)
    return np.stack([np.asarray(first), second, third, fourth])


def bias_for(scores: np.ndarray, share: float) -> float:
    """Return the bias, by bisection, at which the mean of sigmoid(scores + bias) is `share`."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        above = (1 / (1 + np.exp(-(scores + middle)))).mean() > share
        low, high = (low, middle) if above else (middle, high)
    return (low + high) / 2
