"""Markdown tables, and means with their standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev


def mean_error(values: Sequence[float], digits: int = 3) -> str:
    """Return the mean and its standard error as text; one value stands alone."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    error = stdev(values) / len(values) ** 0.5
    return f"{mean(values):.{digits}f} ± {error:.{digits}f}"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table whose first column is text and whose others are numbers."""
    print("| " + " | ".join(columns) + " |")
    print("|" + "|".join(["---"] + ["---:"] * (len(columns) - 1)) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)
