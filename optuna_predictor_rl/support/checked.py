"""Checks of the arguments of public functions and classes against their annotations.

`beartype` decides whether a single value fits its annotation. It looks at one random item of a
container only, so containers are walked through here. The same file is in both packages, which
do not import each other.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
import reprlib
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from numbers import Integral, Real
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np
from beartype import BeartypeConf, FrozenDict
from beartype.door import is_bearable
from beartype.vale import Is
from numpy.typing import ArrayLike

_Target = TypeVar("_Target", bound=Callable[..., Any])
_NO_BOOL: Any = Is[lambda value: not isinstance(value, bool)]
_NUMBERS = {int: Annotated[Integral, _NO_BOOL], float: Annotated[Real, _NO_BOOL]}
_CONF = BeartypeConf(hint_overrides=FrozenDict(_NUMBERS))


_CONTAINERS = (Sequence, Mapping, Iterable, Collection, list, dict, set, frozenset)
_REPR = reprlib.Repr()
_REPR.maxother = _REPR.maxstring = 80


class _MisfitError(Exception):
    """A value does not fit its annotation."""


class _UnknownNameError(_MisfitError):
    """A value has the type of a literal, but is none of those that are allowed."""


def checked(target: _Target) -> _Target:
    """Let a function, or a class's constructor, refuse arguments that break their annotations.

    Integers are floats, truth values are no numbers, and text is no sequence of text. NumPy's
    numbers are handed on as Python's, a list as a tuple where a tuple of any length is expected,
    and the name of an enumeration's member as the member.

    Raises:
        TypeError: From the function, if an argument does not fit; it names the argument, what is
            expected, and the value.
        ValueError: Likewise, if an argument is none of its literals.

    Example:
        >>> @checked
        ... def root(value: float) -> float:
        ...     return value**0.5
        >>> root(4)
        2.0
        >>> root("4")
        Traceback (most recent call last):
        TypeError: value must be float, but got '4' (str).
    """
    if isinstance(target, type):
        constructor = checked(target.__init__)  # type: ignore[misc]
        target.__init__ = constructor  # type: ignore[misc]
        return target
    signature = inspect.signature(target)

    @functools.cache
    def expected() -> dict[str, Any]:  # once called, as annotations may name what comes later
        return parameter_hints(target)

    @functools.wraps(target)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        hints = expected()
        for name, value in given.arguments.items():
            if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                value.update({k: _checked(k, v, hints[k]) for k, v in value.items() if k in hints})
            elif name in hints:
                given.arguments[name] = _checked(name, value, hints[name])
        return target(*given.args, **given.kwargs)

    return call  # type: ignore[return-value]


def check_at_least(low: float | int, **values: float | int) -> None:
    """Refuse numbers below a bound, and NaN.

    Raises:
        ValueError: If there is one; it names the argument, the rule, and the value.
    """
    for name, value in values.items():
        if not value >= low:
            raise ValueError(f"{name} must be at least {low}, but got {value}.")


def check_between(low: float | int, high: float | int, **values: float | int) -> None:
    """Refuse numbers outside of an open interval, and NaN.

    Raises:
        ValueError: If there is one; it names the argument, the rule, and the value.
    """
    for name, value in values.items():
        if not low < value < high:
            raise ValueError(f"{name} must be between {low} and {high}, but got {value}.")


def check_finite(**values: float | int) -> None:
    """Refuse infinite numbers and NaN.

    Raises:
        ValueError: If there is one; it names the argument, the rule, and the value.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, but got {value}.")


def parameter_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the resolved annotations of a function's parameters and unpacked keywords."""
    plain: Any = inspect.unwrap(function)
    written = {k: v for k, v in plain.__annotations__.items() if k != "return"}
    holder: Any = types.SimpleNamespace(__annotations__=written)
    hints = get_type_hints(holder, plain.__globals__, include_extras=True)
    for hint in list(hints.values()):
        if get_origin(hint) is Unpack:
            hints.update(get_type_hints(*get_args(hint)))
    return hints


def _checked(name: str, value: Any, hint: Any) -> Any:
    try:
        return _fitted(value, hint)
    except _MisfitError as misfit:
        expected = _bare(hint).replace(_ARRAY_LIKE, "ArrayLike").replace("Literal", "one of ")
        kind = ValueError if isinstance(misfit, _UnknownNameError) else TypeError
        raise kind(f"{name} must be {expected}, but got {_shown(value)}.") from None


def _fitted(value: Any, hint: Any) -> Any:
    """Return the value with plain numbers and tuples in it; raise an error if it does not fit."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _first_fitted(value, arguments)
    if origin is Literal:
        if value in arguments:
            return value
        known = isinstance(value, tuple({type(option) for option in arguments}))
        raise _UnknownNameError if known else _MisfitError
    if origin is tuple:
        return _fitted_tuple(value, arguments)
    if origin in _CONTAINERS:
        _walk(value, origin, arguments)
        return value
    if isinstance(hint, type) and issubclass(hint, StrEnum) and isinstance(value, str):
        return _member(value, hint)
    if hint in (int, float, bool) and isinstance(value, np.generic):
        value = value.item()
    if not is_bearable(value, hint, conf=_CONF):
        raise _MisfitError
    return value


def _member(value: str, names: type[StrEnum]) -> StrEnum:
    if value not in set(names):
        raise _UnknownNameError
    return names(value)


def _first_fitted(value: Any, hints: Sequence[Any]) -> Any:
    unknown = False
    for hint in hints:
        try:
            return _fitted(value, hint)
        except _MisfitError as misfit:
            unknown = unknown or isinstance(misfit, _UnknownNameError)
    raise _UnknownNameError if unknown else _MisfitError


def _fitted_tuple(value: Any, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(hints) == 2 and hints[1] is Ellipsis:
        if not isinstance(value, (tuple, list)):
            raise _MisfitError
        return tuple(_fitted(item, hints[0]) for item in value)
    if not isinstance(value, tuple) or len(value) != len(hints):
        raise _MisfitError
    return tuple(_fitted(item, hint) for item, hint in zip(value, hints, strict=True))


def _walk(value: Any, kind: type, hints: tuple[Any, ...]) -> None:
    """Look at every item of a container; of an iterator, which can be read once, at none."""
    array = kind is Sequence and isinstance(value, np.ndarray) and value.ndim == 1
    if isinstance(value, (str, bytes)) or not (array or isinstance(value, kind)):
        raise _MisfitError
    if isinstance(value, Mapping):
        columns: list[Iterable[Any]] = [value.keys(), value.values()]
    else:
        columns = [value] if isinstance(value, Collection) else []
    for items, hint in zip(columns, hints, strict=False):
        for item in items:
            _fitted(item, hint)


def _bare(hint: Any) -> str:
    """Return an annotation as one writes it, without the names of modules."""
    if get_origin(hint) in (Union, types.UnionType):
        return " | ".join(map(_bare, get_args(hint)))
    text = re.sub(r"\b(?:\w+\.)+(?=\w)", "", inspect.formatannotation(hint))
    return text.replace("NoneType", "None")


_ARRAY_LIKE = _bare(ArrayLike)


def _shown(value: Any) -> str:
    """Return a value in at most one line, and its type."""
    shape, kind = getattr(value, "shape", ()), type(value).__name__
    if shape:
        return f"a {kind} of shape {tuple(shape)}"
    return f"{_REPR.repr(value)} ({kind})".replace("\n", " ")
