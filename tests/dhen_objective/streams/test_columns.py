import math
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.streams.categories import ids
from dhen_objective.streams.columns import features, labels, numbers
from dhen_objective.streams.hashing import stable_id
from dhen_objective.streams.times import times

pytestmark = [
    pytest.mark.filterwarnings("ignore:sparse .* has whole numbers from"),
    pytest.mark.filterwarnings("ignore:sparse .* has both .*, which are one number"),
]


def parsed(text: bytes) -> tuple[float, bool]:
    """Python's own reading of a number, without what only Python knows."""
    text = text.strip(b" \t")
    if text in (b"true", b"True", b"TRUE", b"false", b"False", b"FALSE"):
        return float(text.lower() == b"true"), False
    if text.lower() in (b"", b"nan"):
        return math.nan, False
    plain = text.isascii() and b"_" not in text and text == text.strip()
    try:
        value = float(text) if plain else math.nan
    except ValueError:
        value = math.nan
    return (value, False) if math.isfinite(value) else (math.nan, True)


NUMBERS = st.one_of(st.floats(), st.integers(-(10**6), 10**6)).map(lambda x: str(x).encode())


@given(st.lists(st.one_of(NUMBERS, st.text("0123456789.eE+-nax ").map(str.encode), st.binary())))
def test_text_is_read_as_python_reads_it(texts: list[bytes]) -> None:
    read = numbers(pa.array(texts, pa.binary()))
    expected = [parsed(text) for text in texts]
    assert read.wrong.tolist() == [wrong for _, wrong in expected]
    np.testing.assert_array_equal(read.values, [value for value, _ in expected])


@pytest.mark.parametrize("kind", [pa.int32(), pa.float32(), pa.bool_(), pa.string()])
def test_other_types_are_read_and_null_is_missing(kind: pa.DataType) -> None:
    column = pa.array([1, 0, None]).cast(kind)
    read = numbers(column)
    np.testing.assert_array_equal(read.values, [1, 0, math.nan])
    assert not read.wrong.any()
    assert labels(column).wrong.tolist() == [False, False, True]


def test_infinite_numbers_are_wrong() -> None:
    read = numbers(pa.array([math.inf, 1.0, math.nan]))
    assert read.wrong.tolist() == [True, False, False]
    assert math.isnan(read.values[0])


def test_the_largest_float32_may_be_rounded_up_as_text() -> None:
    texts = [b"3.4028235e+38", b"-3.4028235e+38", b"3.4028236e+38"]  # the last is infinite
    with np.errstate(over="ignore"):
        expected = ~np.isfinite(np.array(texts, float).astype(np.float32))
    assert features(pa.array(texts)).wrong.tolist() == expected.tolist() == [False, False, True]


def test_only_0_and_1_are_labels() -> None:
    read = labels(pa.array([b"0", b"1", b"1.0", b"2", b"", b"x"]))
    assert read.wrong.tolist() == [False, False, False, True, True, True]


def test_labels_that_are_0_or_1_in_a_float_alone_are_none() -> None:
    texts = ["1", "0.00", "1.0", "10e-1", " 1", "0.99999999999999999999", "1e-400", "x", None]
    wrong = [False] * 5 + [True] * 4
    assert labels(pa.array(texts)).wrong.tolist() == wrong
    decimals = [Decimal("1.00"), Decimal("0.99999999999999999999"), None]
    assert labels(pa.array(decimals)).wrong.tolist() == [False, True, True]


def test_times_are_seconds_whatever_they_are_stored_as() -> None:
    moment = datetime(2014, 10, 21, 5, tzinfo=UTC)
    text = pa.array([b"14102105", b"14139905", b"", b"\xff", None])
    read = times(text, "%y%m%d%H")
    assert read.values[0] == moment.timestamp()
    assert read.wrong.tolist() == [False, True, True, True, True]
    stamp = times(pa.array([moment, None]))
    assert stamp.values[0] == moment.timestamp()
    assert stamp.wrong.tolist() == [False, True]
    assert times(pa.array([b"12.5", b"soon"])).wrong.tolist() == [False, True]


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1), st.integers(1, 10_000))
def test_ids_are_those_of_each_value_alone(values: list[str | None], size: int) -> None:
    expected = [stable_id(value or None, field="f", size=size) for value in values]
    assert ids(pa.array(values, pa.string()), field="f", size=size).tolist() == expected
    binary = pa.array(values, pa.string()).cast(pa.binary())
    assert ids(binary, field="f", size=size).tolist() == expected


NULLS = {"null", "NaT"}
"""Texts of the alphabets below that other programs write for a missing value: told of."""


@given(st.lists((st.text("0123456789-+.eE:TZ truefalsnNa\n\t") | st.sampled_from([
    "5.0", "-0", "-0.00", "1e+16", "-1.5e+300", "True", "TRUE", "false", "nan", "NaN", "",
    "2014-10-21 00:00:00", "2014-10-21T05:06:07.100", "2014-10-21 05:06:07", "é.0", "\n.0",
    "1e7", "1.0E7", "12E-3", ".5", "-.5", "5.", "0.00000025", "2.50", " 5", "a\t", "1.5E-7",
    "2014-10-21T05:06:07Z", "2014-10-21 05:06:07.50+0200", "-0.0000", "-5.e+1", "-1e5",
    "1e--5", "12E+-3", "1e+",
])).filter(lambda text: text not in NULLS)))  # fmt: skip
def test_odd_texts_have_the_ids_of_what_they_mean(values: list[str]) -> None:
    expected = [stable_id(value, field="f", size=10**6) for value in values]
    assert ids(pa.array(values, pa.string()), field="f", size=10**6).tolist() == expected


@given(st.lists(st.text("0159eE\nanNTtrue", max_size=7).filter(lambda t: t not in NULLS)))
def test_texts_without_a_sign_or_a_space_have_the_ids_of_what_they_mean(values: list[str]) -> None:
    column = ids(pa.array(values, pa.string()), field="f", size=99)
    assert column.tolist() == [stable_id(value, field="f", size=99) for value in values]


def test_a_number_has_the_id_of_its_text() -> None:
    as_text, as_number = (pa.array(values) for values in ([b"7", b"-1"], [7, -1]))
    assert np.array_equal(ids(as_text, field="f", size=99), ids(as_number, field="f", size=99))


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64(), pa.uint64()], ids=str)
def test_large_whole_numbers_have_the_ids_of_all_their_digits(kind: pa.DataType) -> None:
    whole = [2048, 40_000 // 32 * 32, 65_504]
    whole += [] if kind == pa.float16() else [123_456_792, 2**40 + 2**20]
    column = pa.array(np.array(whole).astype(kind.to_pandas_dtype()))
    assert ids(column, field="f", size=10**6).tolist() == [
        stable_id(number, field="f", size=10**6) for number in whole
    ]


def test_a_moment_has_one_id_in_every_zone_and_unit() -> None:
    moment = datetime(2014, 10, 21, 23, 30, tzinfo=UTC)
    expected = stable_id("2014-10-21 23:30:00", field="f", size=10**6)
    for unit in ("s", "ms", "us", "ns"):
        for zone in (None, "UTC", "Asia/Tokyo", "-05:30"):
            column = pa.array([moment]).cast(pa.timestamp(unit, zone))
            assert ids(column, field="f", size=10**6).tolist() == [expected]
