"""Columns of a pandas frame as the ids of sparse fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int32

from dhen_objective.streams.categories import ids
from dhen_objective.streams.data_frame import to_array

if TYPE_CHECKING:
    import pandas as pd

MISSING = "missing"
"""The category of a missing value in the tables of packages; none holds it as text."""


def filled(column: pd.Series) -> pd.Series:
    """Return the values as objects, with missing ones as a category of their own."""
    return column.astype(object).where(column.notna(), MISSING)


def sparse_columns(frame: pd.DataFrame, fields: Mapping[str, int]) -> Int32[np.ndarray, "n f"]:
    """Return the hashed ids of the columns that `fields` names with their sizes."""
    columns = [
        ids(
            to_array(filled(frame[name]) if frame[name].hasnans else frame[name]),
            field=name,
            size=size,
        )
        for name, size in fields.items()
    ]
    return np.stack(columns, axis=1).astype(np.int32)
