"""Numbers such as 1.234 that may be thousands are told of, and no others."""

import warnings
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from dhen_objective.streams.columns import features
from dhen_objective.streams.thousands import warn_of_thousands

RNG = np.random.default_rng(0)
COUNTS = RNG.integers(0, 20_000, 1000).tolist()


def told(texts: list[str | None]) -> bool:
    column = pa.array(texts)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_thousands(column, features(column).values, name="visits")
    assert all("visits has numbers with three decimals" in str(w.message) for w in caught)
    return bool(caught)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda n: f"{n:,}".replace(",", "."), True),  # as in Germany
        (lambda n: f" {-n:,} ".replace(",", "."), True),
        (lambda n: f"{n}", False),
        (lambda n: f"{n / 1000:.3f}", False),
        (lambda n: repr(n / 1000), False),
        (lambda n: f"{n / 1000:g}", False),
        (lambda n: f"{n + 1}.5", False),
        (lambda n: f"{1 + n % 9}.459" if n % 7 else "0", False),  # prices of fuel
    ],
)
def test_points_that_may_stand_between_thousands_are_told_of(
    write: Callable[[int], str], expected: bool
) -> None:
    assert told([*map(write, COUNTS), "", None]) == expected
    assert not told([*map(write, COUNTS[:20])])  # too few to tell
    as_numbers = features(pa.array([*map(write, COUNTS)])).values
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_thousands(pa.array(as_numbers), as_numbers, name="visits")
