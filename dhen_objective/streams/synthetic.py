"""A generated stream whose Bayes-optimal normalized entropy is known."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float

from dhen_objective.checked import check_at_least, checked
from dhen_objective.metrics import binary_entropy
from dhen_objective.streams.base import Batch, ClickStream, check_batches
from dhen_objective.streams.synthetic_world import (
    PRESETS,
    SyntheticConfig,
    bias_for,
    draw_world,
    term_groups,
)

_CHUNK = 8192
_SAMPLE = 20_000


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
        self._world = draw_world(self.config, seed)
        self.field_sizes = tuple(len(mass) for mass in self._world.frequencies)
        self._calibrate()

    def _calibrate(self) -> None:
        """Standardize the groups and set the bias, on a sample of their own."""
        rng = np.random.default_rng((self.seed, 1))
        dense, sparse = self._draw(rng, _SAMPLE)
        groups = term_groups(self._world, dense, sparse, np.zeros(_SAMPLE), self.config.drift)
        self._mean, deviation = groups.mean(1), groups.std(1)
        weight = np.sqrt(self.config.shares) * self.config.strength
        self._scale = weight / np.where(deviation > 0, deviation, 1)
        scores = self._scale @ (groups - self._mean[:, None])
        self._bias = bias_for(scores, self.config.base_rate)

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
        groups = term_groups(self._world, dense, sparse, time, self.config.drift)
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
