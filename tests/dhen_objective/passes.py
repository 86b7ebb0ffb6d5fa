"""A small network, a short training and streams for passes of them."""

import numpy as np

from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.streams import ArrayStream

SMALL = DHENConfig(n_layers=1, modules=(Interaction.LINEAR, Interaction.DCN), dim=8)
FAST = TrainConfig(batch_size=64, n_reports=5, window=0.4)


def arrays(rows: int = 300, *, rate: float = 0.3, missing: float = 0.0) -> ArrayStream:
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(rows, 2)).astype(np.float32)
    dense[rng.random((rows, 2)) < missing] = np.nan
    labels = (rng.random(rows) < rate).astype(np.int8)
    labels[-1] = 1
    return ArrayStream(
        dense=dense, sparse=rng.integers(4, size=(rows, 3)), labels=labels,
        field_sizes=(4, 4, 4), prior=0.3,
    )  # fmt: skip
