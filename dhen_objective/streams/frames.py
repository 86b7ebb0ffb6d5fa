"""Columns of a pandas frame as the ids of sparse fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int32

from dhen_objective.streams.hashing import MISSING, stable_ids

if TYPE_CHECKING:
    import pandas as pd


def filled(column: pd.Series) -> pd.Series:
    """Returns the values as objects, with missing ones as a category of their own."""
    return column.astype(object).where(column.notna(), MISSING)


def sparse_columns(frame: pd.DataFrame, fields: Mapping[str, int]) -> Int32[np.ndarray, "n f"]:
    """Returns the hashed ids of the columns that `fields` names with their sizes."""
    columns = []
    for field, size in fields.items():
        values = filled(frame[field])
        ids = stable_ids(values.unique(), field=field, size=size)
        columns.append(values.map(ids).to_numpy(np.int32))
    return np.stack(columns, axis=1)
