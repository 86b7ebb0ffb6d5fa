"""Names of the files in which trainings keep their state, so that the same one finds its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.streams.base import ClickStream

_ROWS = 256


def checkpoint_path(
    folder: Path, stream: ClickStream, config: DHENConfig, training: TrainConfig
) -> Path:
    """Returns a file that is named after the stream, the network and its training.

    The stream is told by its shape and its first 256 examples. Since training depends on nothing
    else, two trials with one configuration can share the file, even at the same time.
    """
    batch = next(stream.batches(_ROWS))
    about = {
        "rows": stream.n_rows,
        "fields": stream.field_sizes,
        "dense": stream.n_dense,
        "prior": stream.prior,
        "model": config.to_dict(),
        "training": training.to_dict(),
    }
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for part in (batch.dense, batch.sparse, batch.labels):
        digest.update(part.numpy().tobytes())
    return folder / f"{digest.hexdigest()[:32]}.pt"
