"""Representations that show the call by which an object was made."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

_P = ParamSpec("_P")


def remembering(
    init: Callable[Concatenate[Any, _P], None],
) -> Callable[Concatenate[Any, _P], None]:
    """Lets an object's constructor remember what it was given, for `call_of`.

    Example:
        >>> class Point:
        ...     @remembering
        ...     def __init__(self, *, x=0, y=0): ...
        ...     def __repr__(self):
        ...         return call_of(self)
        >>> Point(y=2)
        Point(y=2)
    """
    signature = inspect.signature(init)

    def remember(self: Any, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        init(self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs).arguments
        self._given = dict(list(given.items())[1:])

    functools.update_wrapper(remember, init)
    return remember


def call_of(made: Any) -> str:
    """The call that makes an object whose constructor is `remembering`, as text."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in made._given.items())
    return f"{type(made).__name__}({arguments})"
