"""Search spaces, their members and labels, for property tests."""

import math
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from optuna_predictor_rl.core.decisions import Categorical, Decision, Numeric

lawful = settings(deadline=None, derandomize=True)
CHOICES: list[Any] = [None, True, False, 0, 1, 16, 32, 64, 0.5, -2.0, math.nan, "", "relu", "1"]
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def continuous(draw: st.DrawFn, name: str) -> Numeric:
    log = draw(st.booleans())
    bound = st.floats(1e-8, 1e8) if log else FINITE
    low, high = sorted(draw(st.tuples(bound, bound)))
    return Numeric(name=name, low=low, high=high, log=log)


@st.composite
def stepped(draw: st.DrawFn, name: str) -> Numeric:
    step = draw(st.sampled_from([0.05, 0.1, 0.25, 0.3, 1.0, 7.0]))
    low = draw(st.integers(-50, 50)) * step
    high = low + draw(st.integers(0, 60)) * step
    return Numeric(name=name, low=low, high=high, step=step)


@st.composite
def integer(draw: st.DrawFn, name: str) -> Numeric:
    log = draw(st.booleans())
    step = 1 if log else draw(st.integers(1, 9))
    low = draw(st.integers(1, 1000) if log else st.integers(-1000, 1000))
    high = low + draw(st.integers(0, 300)) * step
    return Numeric(
        name=name, low=float(low), high=float(high), log=log, step=float(step), integer=True
    )


@st.composite
def categorical(draw: st.DrawFn, name: str) -> Categorical:
    choices = draw(st.lists(st.sampled_from(CHOICES), min_size=1, max_size=6, unique_by=repr))
    return Categorical(name=name, choices=tuple(choices))


@st.composite
def decisions(draw: st.DrawFn, *, finite: bool = False, max_size: int = 4) -> tuple[Decision, ...]:
    """The decisions of a space; the test makes the space, which beartype checks at random."""
    kinds = [stepped, integer, categorical] + ([] if finite else [continuous])
    picked = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=max_size))
    return tuple(draw(kind(f"d{i}")) for i, kind in enumerate(picked))


def is_same(a: object, b: object) -> bool:
    """Same type and value, NaN included."""
    return type(a) is type(b) and repr(a) == repr(b)
