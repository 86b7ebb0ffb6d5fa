"""A generated stream whose Bayes-optimal normalized entropy is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int

from dhen_objective.checked import check_at_least, check_finite, checked
from dhen_objective.metrics import binary_entropy
from dhen_objective.streams.base import Batch, ClickStream, check_batches

_CHUNK = 8192
_SAMPLE = 20_000


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
class _World:
    """The fixed truth behind a stream: latents, weights and terms."""

    frequencies: list[np.ndarray]
    latents: list[np.ndarray]
    drifted: list[np.ndarray]
    weights: list[np.ndarray]
    mixer: np.ndarray
    pairs: np.ndarray
    triples: np.ndarray
    quads: np.ndarray


def _make_world(config: SyntheticConfig, seed: int) -> _World:
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
    return _World(
        frequencies=frequencies,
        latents=latents,
        drifted=drifted,
        weights=weights,
        mixer=rng.normal(size=(config.n_dense, config.rank)) / math.sqrt(max(config.n_dense, 1)),
        pairs=terms(n_pairs, 2),
        triples=terms(n_triples, 3),
        quads=terms(n_quads, 4),
    )


def _groups(
    world: _World,
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


@checked
class SyntheticStream(ClickStream):
    """Examples with known true probabilities, generated as they are read.

    Rows can be read without the rows before them, and are the same whatever the batch size and
    the first row.

    Examples:
        >>> stream = SyntheticStream("medium", rows=1000)
        >>> sum(len(batch) for batch in stream.batches(300, start=100))
        900
        >>> 0.4 < stream.bayes_normalized_entropy() < 0.9
        True
    """

    def __init__(
        self, preset: str | SyntheticConfig = "medium", *, rows: int = 100_000, seed: int = 0
    ) -> None:
        """Draw the true model; the examples are drawn when they are read.

        Args:
            preset: "easy", "medium", "sparse", or what the stream looks like.
            rows: Number of examples.
            seed: Seed of the truth and of the examples.

        Raises:
            ValueError: If the preset is unknown or there are no rows.
        """
        if isinstance(preset, str) and preset not in PRESETS:
            raise ValueError(f"preset must be one of {', '.join(PRESETS)}, but got {preset!r}.")
        check_at_least(1, rows=rows)
        check_at_least(0, seed=seed)
        self.config = PRESETS[preset] if isinstance(preset, str) else preset
        self.n_rows = rows
        self.n_dense = self.config.n_dense
        self.prior = self.config.base_rate
        self.seed = seed
        self._world = _make_world(self.config, seed)
        self.field_sizes = tuple(len(mass) for mass in self._world.frequencies)
        self._calibrate()

    def _calibrate(self) -> None:
        """Standardize the groups and set the bias, on a sample of their own."""
        rng = np.random.default_rng((self.seed, 1))
        dense, sparse = self._draw(rng, _SAMPLE)
        groups = _groups(self._world, dense, sparse, np.zeros(_SAMPLE), self.config.drift)
        self._mean, deviation = groups.mean(1), groups.std(1)
        weight = np.sqrt(self.config.shares) * self.config.strength
        self._scale = weight / np.where(deviation > 0, deviation, 1)
        scores = self._scale @ (groups - self._mean[:, None])
        low, high = -30.0, 30.0
        for _ in range(60):  # bisection for the bias that meets the base rate
            middle = (low + high) / 2
            above = (1 / (1 + np.exp(-(scores + middle)))).mean() > self.config.base_rate
            low, high = (low, middle) if above else (middle, high)
        self._bias = (low + high) / 2

    def _draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        dense = rng.normal(size=(n, self.config.n_dense))
        uniform = rng.random((self.config.n_fields, n))
        ids = [
            np.searchsorted(mass[:-1], u, side="right")
            for mass, u in zip(self._world.frequencies, uniform, strict=True)
        ]
        return dense, np.stack(ids, axis=1).astype(np.int64)

    def _chunk(self, index: int) -> tuple[Batch, np.ndarray]:
        """Return chunk `index` and its true probabilities."""
        rng = np.random.default_rng((self.seed, 2, index))
        n = min(_CHUNK, self.n_rows - index * _CHUNK)
        dense, sparse = self._draw(rng, _CHUNK)  # always a whole chunk: the same for any n_rows
        uniform = rng.random(_CHUNK)[:n]
        dense, sparse = dense[:n], sparse[:n]
        time = (index * _CHUNK + np.arange(n)) / self.n_rows
        groups = _groups(self._world, dense, sparse, time, self.config.drift)
        scores = self._bias + self._scale @ (groups - self._mean[:, None])
        scores = scores + self.config.season * np.sin(20 * np.pi * time)
        noise, base = self.config.noise, self.config.base_rate
        probabilities = (1 - noise) / (1 + np.exp(-scores)) + noise * base
        batch = Batch(
            dense=torch.from_numpy(dense.astype(np.float32)),
            sparse=torch.from_numpy(sparse),
            labels=torch.from_numpy((uniform < probabilities).astype(np.float32)),
        )
        return batch, probabilities

    def batches(self, batch_size: int, *, start: int = 0) -> Iterator[Batch]:
        """See `ClickStream.batches`."""
        check_batches(batch_size, start)
        return self._from_row(start, batch_size)

    def _from_row(self, start: int, batch_size: int) -> Iterator[Batch]:
        chunk = lru_cache(maxsize=2)(lambda index: self._chunk(index)[0])
        for first in range(start, self.n_rows, batch_size):
            last = min(first + batch_size, self.n_rows)
            parts = [
                (chunk(index), max(first - index * _CHUNK, 0), last - index * _CHUNK)
                for index in range(first // _CHUNK, (last - 1) // _CHUNK + 1)
            ]
            yield Batch(
                dense=torch.cat([part.dense[a:b] for part, a, b in parts]),
                sparse=torch.cat([part.sparse[a:b] for part, a, b in parts]),
                labels=torch.cat([part.labels[a:b] for part, a, b in parts]),
            )

    @checked
    def probabilities(self, start: int = 0, stop: int | None = None) -> Float[np.ndarray, " n"]:
        """Return the true probability of a positive for rows start to stop.

        Raises:
            ValueError: If there are no such rows.
        """
        stop = self.n_rows if stop is None else stop
        if not 0 <= start < stop <= self.n_rows:
            raise ValueError(
                f"start and stop must be rows in order, of {self.n_rows} in all, "
                f"but got {start} and {stop}."
            )
        chunks = range(start // _CHUNK, (stop - 1) // _CHUNK + 1)
        whole = np.concatenate([self._chunk(index)[1] for index in chunks])
        offset = chunks[0] * _CHUNK
        return whole[start - offset : stop - offset]

    @checked
    def bayes_normalized_entropy(self, start: int = 0, stop: int | None = None) -> float:
        """Return the normalized entropy that no model can beat, in expectation over labels."""
        p = self.probabilities(start, stop)
        clipped = np.clip(p, 1e-300, 1 - 1e-16)
        entropy = -(clipped * np.log(clipped) + (1 - clipped) * np.log1p(-clipped))
        return float(entropy.mean()) / binary_entropy(float(p.mean()))
