"""Checks that a stream yields the same examples for as long as an objective lives."""

from __future__ import annotations

from collections.abc import Mapping

from dhen_objective.checkpoints import changed_files
from dhen_objective.fingerprint import Fingerprint, Fingerprinted
from dhen_objective.metrics import Tally
from dhen_objective.streams.base import ClickStream


class SameData:
    """The data of an objective, which must not change: the baseline's result rests on them.

    Attributes:
        fingerprint: Of the examples that the baseline was trained on; None if not yet known.
        begun: Those of the first rows, up to each report.
    """

    def __init__(self, stream: ClickStream) -> None:
        """Keep the stream's identity as it is now."""
        self._identity = stream.identity
        self.fingerprint: Fingerprint | None = None
        self.begun: Mapping[int, Fingerprint] = {}

    def keep(self, baseline: Fingerprinted) -> None:
        """Keep the fingerprints of the baseline's pass."""
        self.fingerprint, self.begun = baseline.fingerprint, baseline.begun

    def check_identity(self, stream: ClickStream) -> None:
        """Refuse a stream whose identity changed since the objective was made.

        Raises:
            ValueError: If it did; names the files that changed.
        """
        identity = stream.identity
        if identity != self._identity:
            changed = changed_files(self._identity.get("files", []), identity.get("files", []))
            raise ValueError(
                "stream must not change while an objective lives, but "
                f"{', '.join(changed) or 'its identity'} changed; make the stream and the "
                "objective anew."
            )

    def check_examples(self, begun: Mapping[int, Fingerprint]) -> None:
        """Refuse a pass over examples other than the baseline's, up to its last report.

        Args:
            begun: The fingerprints of its first rows, up to each report that it reached.

        Raises:
            ValueError: If both passes are known and differ.
        """
        last = max(begun.keys() & self.begun.keys(), default=None)
        if last is not None and not begun[last].same(self.begun[last]):
            raise ValueError(
                "stream must not change while an objective lives, but yields other ids, labels "
                "or dense values than when the baseline was trained; it must yield the same "
                "examples in each pass."
            )


def check_window(rows: int, window: Tally, base: Tally) -> None:
    """Refuse a window that has other labels than the baseline's window of the same rows.

    Args:
        rows: Number of rows at which both windows end.
        window: A network's.
        base: The baseline's.

    Raises:
        ValueError: If the number of rows or of positives differs.
    """
    if (window.rows, window.positives) != (base.rows, base.positives):
        raise ValueError(
            f"stream must not change while an objective lives, but the window that ends at "
            f"row {rows} has {window.positives:g} positives of {window.rows}, where the "
            f"baseline's had {base.positives:g} of {base.rows}."
        )
