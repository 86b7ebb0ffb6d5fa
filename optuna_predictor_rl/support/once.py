"""Warnings that are given once."""

from __future__ import annotations

import logging
from collections.abc import Hashable


class WarnOnce:
    """Warnings of a logger, of which each is given once.

    It lives as long as its owner: a search, a pruner or the process.

    Example:
        >>> warn = WarnOnce(logging.getLogger("example"))
        >>> warn("The disk is full.", about="disk")  # later calls about "disk" say nothing
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._told: set[Hashable] = set()

    def __call__(self, message: str, *, about: Hashable) -> None:
        """Warn, unless there was a warning about the same before."""
        if about not in self._told:
            self._told.add(about)
            self._logger.warning(message)

    def forget(self) -> None:
        """Let every warning be given again."""
        self._told.clear()
