"""Nine streams on which a default has to hold: two real ones, and seven small ones from a seed."""

from collections.abc import Callable

import numpy as np

from dhen_objective import ArrayStream, ClickStream, CouponStream, FlightStream
from dhen_objective.streams.synthetic_world import bias_for


def zipf_ids(rng: np.random.Generator, rows: int, sizes: tuple[int, ...]) -> np.ndarray:
    """Return ids (rows, fields), of which the k-th most frequent has a share near 1 / k."""
    columns = []
    for size in sizes:
        share = 1 / np.arange(1, size + 1)
        columns.append(rng.choice(size, rows, p=share / share.sum()))
    return np.stack(columns, axis=1)


def linear_truth(
    seed: int, *, rows: int, sizes: tuple[int, ...], n_dense: int, share: float, strength: float
) -> ArrayStream:
    """Return a stream whose log odds are a sum of one weight an id and a dense feature.

    Args:
        seed: Seed of the weights and of the examples.
        rows: Number of examples.
        sizes: Number of ids of each field; frequencies fall as 1 / rank.
        n_dense: Number of dense features, standard normal.
        share: Expected share of positives.
        strength: Standard deviation of the log odds over the examples.
    """
    rng = np.random.default_rng(seed)
    sparse = zipf_ids(rng, rows, sizes) if sizes else np.zeros((rows, 0), np.int64)
    dense = rng.normal(size=(rows, n_dense)).astype(np.float32)
    score = dense @ rng.normal(size=n_dense)
    for column, size in zip(sparse.T, sizes, strict=True):
        score = score + rng.normal(size=size)[column]
    score = strength * (score - score.mean()) / score.std() if strength else np.zeros(rows)
    chance = 1 / (1 + np.exp(-score - bias_for(score, share)))
    labels = (rng.random(rows) < chance).astype(np.int8)
    return ArrayStream(dense=dense, sparse=sparse, labels=labels, field_sizes=sizes, prior=share)


def no_signal(seed: int) -> ArrayStream:
    """Return labels that depend on nothing: 2 % positives, 12 fields of 1,000 ids."""
    rng = np.random.default_rng(seed)
    return ArrayStream(
        dense=np.zeros((20_000, 0), np.float32),
        sparse=rng.integers(1000, size=(20_000, 12)),
        labels=(rng.random(20_000) < 0.02).astype(np.int8),
        field_sizes=(1000,) * 12,
        prior=0.02,
    )


REAL: dict[str, Callable[[int], ClickStream]] = {
    "flights": lambda _: FlightStream(),
    "coupons": lambda _: CouponStream(),
}
"""The whole real streams, which are the same for every seed."""

SMALL: dict[str, Callable[[int], ClickStream]] = {
    "no signal": no_signal,
    "linear": lambda seed: linear_truth(
        seed, rows=20_000, sizes=(50,) * 8, n_dense=5, share=0.2, strength=1.5
    ),
    "sparse, 5,000": lambda seed: linear_truth(
        seed, rows=5_000, sizes=(1000,) * 10, n_dense=0, share=0.2, strength=1.5
    ),
    "sparse, 50,000": lambda seed: linear_truth(
        seed, rows=50_000, sizes=(1000,) * 10, n_dense=0, share=0.2, strength=1.5
    ),
    "rare positives": lambda seed: linear_truth(
        seed, rows=50_000, sizes=(200,) * 8, n_dense=4, share=0.005, strength=1.5
    ),
    "high cardinality": lambda seed: linear_truth(
        seed, rows=30_000, sizes=(50_000, 50_000, 50_000, 20), n_dense=2, share=0.1, strength=1.5
    ),
    "dense only": lambda seed: linear_truth(
        seed, rows=20_000, sizes=(), n_dense=10, share=0.2, strength=1.5
    ),
}
"""Tables made from a seed, of which each seed makes another."""

TABLES = {**REAL, **SMALL}
