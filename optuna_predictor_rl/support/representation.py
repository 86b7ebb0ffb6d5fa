"""Representations of the sampler and the pruners that show the call that made them."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

_Init = TypeVar("_Init", bound=Callable[..., None])


def remembering(init: _Init) -> _Init:
    """Let a constructor store the arguments it was given, for `call_of`.

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

    @functools.wraps(init)
    def remember(self: Any, /, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        _, *given = signature.bind(self, *args, **kwargs).arguments.items()
        self._given = dict(given)

    return remember  # type: ignore[return-value]


def call_of(made: Any) -> str:
    """Return the call that made an object, whose constructor must be `remembering`."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in made._given.items())
    return f"{type(made).__name__}({arguments})"
