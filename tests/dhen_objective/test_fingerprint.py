"""Streams of the same examples have one fingerprint, others another one."""

import math

import numpy as np
import pytest

from dhen_objective.fingerprint import Fingerprint, Fingerprinted
from dhen_objective.streams import ArrayStream

ROWS = 60


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "dense": rng.normal(size=(ROWS, 2)),
        "sparse": rng.integers(5, size=(ROWS, 2)),
        "labels": np.arange(ROWS) % 2,
    }


def fingerprint(given: dict[str, np.ndarray], *, size: int = 7) -> Fingerprint:
    stream = Fingerprinted(ArrayStream(**given, field_sizes=(5, 5), prior=0.5))
    assert sum(map(len, stream.batches(size))) == ROWS
    assert stream.fingerprint is not None
    return stream.fingerprint


def test_the_size_of_batches_and_last_digits_make_no_difference() -> None:
    whole = fingerprint(arrays())
    assert fingerprint(arrays(), size=ROWS).same(whole)
    rounded = arrays()
    rounded["dense"] = rounded["dense"].astype(np.float32)
    assert fingerprint(rounded).same(whole)


@pytest.mark.parametrize("change", ["label", "id", "value", "missing", "rows", "columns", "order"])
def test_each_change_of_the_examples_makes_another_fingerprint(change: str) -> None:
    given = arrays()
    if change == "label":
        given["labels"][[3, 4]] = given["labels"][[4, 3]]
    elif change == "id":
        given["sparse"][3, 1] = (given["sparse"][3, 1] + 1) % 5
    elif change in ("value", "missing"):
        given["dense"][3, 1] = math.nan if change == "missing" else given["dense"][3, 1] + 0.01
    elif change == "rows":
        given["dense"] = given["dense"][::-1]
    elif change == "columns":
        given["dense"] = given["dense"][:, ::-1]
    else:
        given = {name: values[::-1] for name, values in given.items()}
    assert not fingerprint(given).same(fingerprint(arrays()))


def test_a_pass_that_ends_early_has_none() -> None:
    stream = Fingerprinted(ArrayStream(**arrays(), field_sizes=(5, 5), prior=0.5))
    next(stream.batches(7))
    list(stream.batches(7, start=7))
    assert stream.fingerprint is None


@pytest.mark.parametrize("size", [1, 7, ROWS])
def test_the_first_rows_have_the_fingerprint_of_a_pass_over_them(size: int) -> None:
    given = arrays()
    stream = Fingerprinted(ArrayStream(**given, field_sizes=(5, 5), prior=0.5), at=(20, 30, ROWS))
    for batch in stream.batches(size):
        assert len(batch) <= size
        if 30 in stream.begun:
            break
    first = Fingerprinted(
        ArrayStream(**{k: v[:30] for k, v in given.items()}, field_sizes=(5, 5), prior=0.5)
    )
    list(first.batches(ROWS))
    assert stream.begun[30].same(first.fingerprint)


@pytest.mark.parametrize("change", ["order", "value"])
def test_large_values_do_not_hide_a_change(change: str) -> None:
    given = arrays()
    given["dense"][:, 0] = 1.4e9 + np.arange(ROWS)  # times
    whole = fingerprint(given)
    assert fingerprint(given, size=1).same(whole)
    if change == "order":
        given["dense"][:, 0] = given["dense"][::-1, 0]
    else:
        given["dense"][3, 1] += 0.01
    assert not fingerprint(given).same(whole)


def test_a_feature_that_begins_missing_has_the_same_fingerprint_in_any_batches() -> None:
    given = arrays()
    given["dense"][:20, 0], given["dense"][20, 0], given["dense"][:, 1] = math.nan, 0.0, math.nan
    whole = fingerprint(given, size=ROWS)
    assert all(fingerprint(given, size=size).same(whole) for size in (1, 7, 21))
    given["dense"][20, 0] = 0.5
    assert not fingerprint(given).same(whole)
