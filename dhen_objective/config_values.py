"""Helpers for the plain values of configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def check_keys(cls: type[Any], values: Mapping[str, Any]) -> None:
    """Refuse values of fields that the configuration does not have."""
    unknown = sorted(set(values) - {field.name for field in fields(cls)})
    if unknown:
        raise ValueError(f"{cls.__name__} must be given known fields, but got {unknown}.")


def use_floats(config: object, *names: str) -> None:
    """Turn integers into floats, so that equal configurations have equal JSON."""
    for name in names:
        object.__setattr__(config, name, float(getattr(config, name)))
