"""Streams of labelled examples in time order."""

from dhen_objective.streams.base import ArrayStream, Batch, ClickStream
from dhen_objective.streams.coupons import CouponStream
from dhen_objective.streams.synthetic import PRESETS, SyntheticConfig, SyntheticStream

__all__ = [
    "PRESETS",
    "ArrayStream",
    "Batch",
    "ClickStream",
    "CouponStream",
    "SyntheticConfig",
    "SyntheticStream",
]
