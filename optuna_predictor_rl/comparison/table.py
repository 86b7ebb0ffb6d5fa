"""Tables of a report in Markdown and in HTML."""

import html
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from optuna_predictor_rl.comparison.statistics import standard_error
from optuna_predictor_rl.support.text import markdown_text, shortened

NOTHING = "\N{EN DASH}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows, the first of which is the head, as an aligned table.

    Markup in a cell, such as in a searcher's name, is escaped.

    Example:
        >>> print(markdown([["searcher", "best"], ["tpe", "1.5"]]))
        | searcher | best |
        | -------- | ---: |
        | tpe      |  1.5 |
    """
    rows = [[markdown_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = []
    for row in (rows[0], rule, *rows[1:]):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(" | ".join(["| " + row[0].ljust(widths[0]), *cells[1:]]) + " |")
    return "\n".join(lines)


def html_table(caption: str, rows: Sequence[Sequence[str]]) -> str:
    """Return rows, the first of which is the head, as an HTML table."""
    head, *body = ([html.escape(shortened(cell)) for cell in row] for row in rows)
    lines = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in body)
    return (
        f"<table><caption>{html.escape(caption)}</caption>"
        f"<thead><tr><th>{'</th><th>'.join(head)}</th></tr></thead><tbody>{lines}</tbody></table>"
    )


def with_error(values: Float[ndarray, " seeds"], form: str) -> str:
    """Return the mean over seeds, with its standard error if there are several."""
    mean, error = float(values.mean()), float(standard_error(values))
    if math.isnan(mean):
        return NOTHING
    return f"{mean:{form}}" + ("" if math.isnan(error) else f" ± {error:{form.lstrip('+')}}")


def form_of(values: Float[ndarray, " seeds"]) -> str:
    """Return the format of sums of any size: integers if they are large.

    Example:
        >>> [f"{x:{form_of(np.array([x]))}}" for x in (1.234, 1234567.0, 1.5e12)]
        ['1.23', '1,234,567', '1.5e+12']
    """
    size = float(np.abs(values).max())
    return ",.0f" if 100 <= size < 1e9 else ".3g"
