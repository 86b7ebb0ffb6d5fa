"""Streams of labelled examples in time order."""

from dhen_objective.streams.arrays import ArrayStream
from dhen_objective.streams.avazu import AvazuStream
from dhen_objective.streams.base import Batch, ClickStream
from dhen_objective.streams.coupons import CouponStream
from dhen_objective.streams.criteo import CriteoStream
from dhen_objective.streams.flights import FlightStream
from dhen_objective.streams.layout import CSV
from dhen_objective.streams.malformed import MalformedRow, MalformedRows, MalformedRowsError
from dhen_objective.streams.rows import Columns
from dhen_objective.streams.synthetic import SyntheticStream
from dhen_objective.streams.synthetic_world import PRESETS, SyntheticConfig
from dhen_objective.streams.table import TableStream

__all__ = [
    "CSV",
    "PRESETS",
    "ArrayStream",
    "AvazuStream",
    "Batch",
    "ClickStream",
    "Columns",
    "CouponStream",
    "CriteoStream",
    "FlightStream",
    "MalformedRow",
    "MalformedRows",
    "MalformedRowsError",
    "SyntheticConfig",
    "SyntheticStream",
    "TableStream",
]
