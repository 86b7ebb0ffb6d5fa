"""Sums of predictions over the cells of a grid of row counts, and over windows of cells."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from dhen_objective.checked import check_at_least, checked
from dhen_objective.metrics import Tally, log_losses, tally_of_losses

_NONE = torch.zeros(0, dtype=torch.float32, device="cpu")


@checked
class WindowedTally:
    """Sums of predictions on a fixed grid of examples, whatever the size of the batches.

    Args:
        grid: Row counts at which a cell ends, increasing.
        window: Number of cells, up to the newest, that a windowed value covers.

    Attributes:
        cells: The sums over each finished cell of the grid.
    """

    def __init__(self, *, grid: tuple[int, ...], window: int) -> None:
        if not grid or list(grid) != sorted(set(grid)) or grid[0] < 1:
            raise ValueError(f"grid must be increasing positive row counts, but got {grid}.")
        check_at_least(1, window=window)
        self.grid = grid
        self.window = window
        self.cells: list[Tally] = []
        self._open = Tally()
        self._rows = 0
        self._open_losses: list[Tensor] = []
        self._losses: deque[Tensor] = deque(maxlen=window)

    def add(self, logits: Tensor, labels: Tensor) -> list[int]:
        """Add the next examples and return the ends of the cells that they complete.

        Raises:
            ValueError: See `log_losses`; also if there are more examples than the grid has.
        """
        done: list[int] = []
        losses, predicted = log_losses(logits, labels), torch.sigmoid(logits.detach().double())
        if self._rows + len(labels) > self.grid[-1]:
            raise ValueError(
                f"labels must be at most the {self.grid[-1] - self._rows} that are left of grid, "
                f"but got {len(labels)}."
            )
        start = 0
        while start < len(labels) and len(self.cells) < len(self.grid):
            end = self.grid[len(self.cells)]
            part = slice(start, start + min(len(labels) - start, end - self._rows))
            self._open += tally_of_losses(losses[part], predicted[part], labels[part])
            self._open_losses.append(losses[part].float())
            self._rows += part.stop - part.start
            start = part.stop
            if self._rows == end:
                self._close()
                done.append(end)
        return done

    def state_dict(self) -> dict[str, Any]:
        """Return all that was summed, in plain values and tensors."""
        return {
            "cells": [asdict(cell) for cell in [*self.cells, self._open]],
            "open_losses": torch.cat([_NONE, *map(Tensor.cpu, self._open_losses)]),
            "losses": [losses.cpu() for losses in self._losses],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned; grid and window must be the same.

        Raises:
            ValueError: If they are not.
        """
        *cells, last = [Tally(**cell) for cell in state["cells"]]
        ends = tuple(itertools.accumulate(cell.rows for cell in cells))
        if ends != self.grid[: len(ends)] or len(state["losses"]) != min(len(ends), self.window):
            raise ValueError(
                f"state must be of the grid {self.grid} and the window {self.window}, but got "
                f"cells that end at {ends} and losses of {len(state['losses'])} of them."
            )
        self.cells, self._open = cells, last
        self._rows = sum(cell.rows for cell in self.cells) + self._open.rows
        self._open_losses = [state["open_losses"]]
        self._losses = deque(state["losses"], maxlen=self.window)

    def _close(self) -> None:
        self.cells.append(self._open)
        self._losses.append(torch.cat([losses.cpu() for losses in self._open_losses]))
        self._open, self._open_losses = Tally(), []

    def windowed(self, cell: int = -1) -> Tally:
        """Return the sums over the window that ends with a finished cell, by default the last."""
        last = range(len(self.cells))[cell]
        return sum(self.cells[max(0, last + 1 - self.window) : last + 1], Tally())

    @property
    def window_losses(self) -> Float[Tensor, " n"]:
        """Return each example's log loss over the last window, in the order of the stream."""
        return torch.cat([_NONE, *self._losses])

    @property
    def lifetime(self) -> Tally:
        """Return the sums over all examples so far."""
        return sum(self.cells, self._open)
