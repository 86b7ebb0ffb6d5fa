"""Checkpoint files, in which a training finds the state that it left behind."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dhen_objective.behaviour import alike, behaviour
from dhen_objective.config import DHENConfig, TrainConfig
from dhen_objective.streams.base import Batch, ClickStream, matching
from dhen_objective.trainer import Trainer
from dhen_objective.whole_files import sweep, write_whole

_ROWS = 256
_MAGIC = b"dhen_objective checkpoint 4\n"
_DIGEST = 32


def checkpoint_path(
    folder: Path, stream: ClickStream, config: DHENConfig, training: TrainConfig
) -> Path:
    """Return the path of a file named after the stream, the network and its training.

    A stream is identified by its shape and its first 256 examples. Since training depends on
    nothing else, two trials with one configuration can share the file, even at the same time.
    """
    batch = next(stream.batches(_ROWS), None)
    about = {**_shape(stream), "model": config.to_dict(), "training": training.to_dict()}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    if batch is not None:
        _add_rows(digest, batch)
    return folder / f"{digest.hexdigest()[:32]}.pt"


def changed_files(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[str]:
    """Return the paths of a stream's files that are new or changed; see `identity`."""
    known = {file["path"]: file for file in before}
    return [file["path"] for file in now if known.get(file["path"]) != file]


class Checkpoint:
    """The file of one training: written at each report, continued by the same training alone.

    The file holds the state of the trainer, a description of the training, a hash of the initial
    weights and what they predicted and learned from the first rows, the files of the stream, and
    a hash of all rows learned from. To continue, these rows are read again, so that a state of
    other data is refused.
    """

    def __init__(
        self, path: Path, trainer: Trainer, stream: ClickStream, training: TrainConfig
    ) -> None:
        """Write nothing yet, and remove the temporary files of writers that were killed.

        Raises:
            ValueError: If the path is a folder or its folder is not there.
        """
        if path.is_dir() or not path.parent.is_dir():
            raise ValueError(f"checkpoint must be a file in a folder that exists, but got {path}.")
        self.path = path
        self._trainer, self._stream, self._training = trainer, stream, training
        self._files: list[dict[str, Any]] = stream.identity.get("files", [])
        self._initial = _weights_hash(trainer.model)
        learned = min(_ROWS, training.batch_size)  # before any state is kept
        first = next(matching(stream.batches(learned), stream))
        self._behaviour = behaviour(trainer.model, first.to(training.device))
        self._rows = hashlib.sha256()
        sweep(path.parent, path.name)

    def resume(self) -> Iterator[Batch]:
        """Load the saved state, if there is one, and return the batches that are left to train on.

        Warns of a file that is damaged, of another training, or of other data; then all batches
        are left, and the next report replaces the file.
        """
        try:
            saved = _read(self.path, self._training.device)
            if saved is None:
                return self._batches()
            self._check_training(saved)
            batches = self._batches()
            self._skip(batches, saved)
        except _UnusableError as error:
            warnings.warn(
                f"The checkpoint {self.path} {error}; the training starts anew.", stacklevel=4
            )
            return self._batches()
        self._trainer.load_state_dict(saved["state"])
        return batches

    def save(self) -> None:
        """Write the state, completely or not at all."""
        buffer = io.BytesIO()
        saved = {
            "about": self._about(),
            "files": self._files,
            "behaviour": self._behaviour,
            "learned": self._trainer.rows,
            "rows": self._rows.hexdigest(),
            "state": self._trainer.state_dict(),
        }
        torch.save(saved, buffer)
        content = buffer.getbuffer()
        write_whole(self.path, [_MAGIC, hashlib.sha256(content).digest(), content])

    def remove(self) -> None:
        """Remove the file, if it is there."""
        self.path.unlink(missing_ok=True)

    def _batches(self) -> Iterator[Batch]:
        """Yield all batches of the stream, and hash their rows."""
        self._rows = hashlib.sha256()
        for batch in self._stream.batches(self._training.batch_size):
            _add_rows(self._rows, batch)
            yield batch

    def _skip(self, batches: Iterator[Batch], saved: dict[str, Any]) -> None:
        """Skip the rows that the state has learned from; refuse other rows or another model."""
        left = saved["learned"]
        while left > 0 and (batch := next(batches, None)) is not None:
            left -= len(batch)
        if left or self._rows.hexdigest() != saved["rows"]:
            raise _UnusableError(f"is of other data{self._changed(saved['files'])}")
        if not alike(saved["behaviour"], self._behaviour):
            raise _UnusableError("is of a model that predicted or learned otherwise")

    def _changed(self, files: list[dict[str, Any]]) -> str:
        changed = changed_files(files, self._files)
        return f": {', '.join(changed)} changed" if changed else ""

    def _check_training(self, saved: dict[str, Any]) -> None:
        about = self._about()
        other = [name for name in about if saved["about"].get(name) != about[name]]
        if other:
            raise _UnusableError(f"is of another training ({', '.join(other)})")

    def _about(self) -> dict[str, Any]:
        """Return the stream, model and training that the state belongs to, as plain values."""
        model = self._trainer.model
        config = getattr(model, "config", None)
        shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
        return {
            **_shape(self._stream),
            "model": type(model).__name__,
            "config": config.to_dict() if isinstance(config, DHENConfig) else None,
            # weights do not show these, such as the rate of dropout and whether it is on
            "modules": [repr(model), [module.training for module in model.modules()]],
            "weights": shapes,
            "initial weights": self._initial,
            "training": self._training.to_dict(),
        }


class _UnusableError(Exception):
    """A checkpoint that cannot be used; the message completes "The checkpoint ..."."""


def _read(path: Path, device: str | torch.device) -> dict[str, Any] | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # also where the same training beside this one just removed it
        return None
    start = len(_MAGIC) + _DIGEST
    if not content.startswith(_MAGIC):
        raise _UnusableError("is not a checkpoint of this version")
    if hashlib.sha256(content[start:]).digest() != content[len(_MAGIC) : start]:
        raise _UnusableError("is damaged")
    saved: dict[str, Any] = torch.load(
        io.BytesIO(content[start:]), map_location=device, weights_only=True
    )
    return saved


def _shape(stream: ClickStream) -> dict[str, Any]:
    return {
        "rows": int(stream.n_rows),
        "fields": [int(size) for size in stream.field_sizes],
        "dense": int(stream.n_dense),
        "prior": float(stream.prior),
    }


def _weights_hash(model: nn.Module) -> str:
    """Return a hash of all weights, which differ by the seed and by what the model has learned."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _add_rows(digest: Any, batch: Batch) -> None:
    for part in (batch.dense, batch.sparse, batch.labels):
        digest.update(part.cpu().contiguous().numpy())
