"""Plain Python values in the fields of a dataclass, whatever kind of number was given."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import fields
from numbers import Real
from typing import SupportsIndex

import numpy as np
import torch


def use_plain_values(config: object) -> None:
    """Turns numpy's numbers, devices and lists into plain values, so that JSON can hold them.

    Raises:
        TypeError: If a value is no number, or is not whole where it must be.
    """
    for field in fields(config):  # type: ignore[arg-type]
        value = getattr(config, field.name)
        if field.type in _PLAIN:
            plain = _PLAIN[str(field.type)](field.name, value)
            object.__setattr__(config, field.name, plain)


def _integer(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise TypeError(f"{name} must be an integer, but got {value!r}.")
    return operator.index(value)


def _integers(name: str, values: object) -> tuple[int, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a tuple of integers, but got {values!r}.")
    return tuple(_integer(name, value) for value in values)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, but got {value!r}.")
    return float(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, but got {value!r}.")
    return bool(value)


def _text(name: str, value: object) -> str:
    if name == "device" and isinstance(value, torch.device):
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, but got {value!r}.")
    return value


_PLAIN: dict[str, Callable[[str, object], object]] = {
    "int": _integer,
    "tuple[int, ...]": _integers,
    "float": _number,
    "bool": _flag,
    "str": _text,
}
"""How a field of each type is read."""
