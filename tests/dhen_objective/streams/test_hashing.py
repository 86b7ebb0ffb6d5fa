import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhen_objective.streams import hashing
from dhen_objective.streams.hashing import MISSING, hashed_ids, stable_id, word


@given(st.text(), st.integers(1, 10_000))
def test_an_id_lies_in_its_field(value: str, size: int) -> None:
    assert 0 <= stable_id(value, field="f", size=size) < size


def test_an_id_is_the_same_in_another_process_with_another_hash_seed() -> None:
    code = (  # the file alone, as importing the package takes long
        "import runpy, sys;"
        "stable_id = runpy.run_path(sys.argv[1])['stable_id'];"
        "print(stable_id('50-74K', field='income', size=1000))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", code, hashing.__file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == stable_id("50-74K", field="income", size=1000)


def test_equal_values_of_different_fields_are_unrelated() -> None:
    ids = [stable_id(1, field=f"f{i}", size=1 << 20) for i in range(50)]
    assert len(set(ids)) == 50


def test_ids_of_many_values_are_those_of_each() -> None:
    ids = hashed_ids(["a", "b"], field="f", size=100)
    assert ids.tolist() == [stable_id(v, field="f", size=100) for v in ("a", "b")]


def test_ids_are_those_of_crc_32_and_the_finalizer_of_murmur_3() -> None:
    mask = (1 << 64) - 1
    mixed = 0xE34677F0  # zlib.crc32(b"f=a")
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed = ((mixed ^ (mixed >> 33)) * factor) & mask
    mixed ^= mixed >> 33
    assert stable_id("a", field="f", size=1 << 40) == mixed % (1 << 40)


LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
FAMILIES = {
    "codes of three letters": [a + b + c for a in LETTERS for b in LETTERS for c in LETTERS],
    "times every 5 minutes": [
        f"2014-{1 + i // 8640:02}-{1 + i // 288 % 30:02} {i // 12 % 24:02}:{i % 12 * 5:02}:00"
        for i in range(30_000)
    ],
    "whole numbers": [str(i) for i in range(30_000)],
    "numbers of ten digits": [str(1_000_000_000 + 64 * i) for i in range(30_000)],
    "words with a number": [f"item_{i:06}" for i in range(30_000)],
    "hexadecimal": [f"{i * 4096:08x}" for i in range(30_000)],
    "pairs": [f"{i}-{j}" for i in range(170) for j in range(170)],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_as_few_words_share_an_id_as_if_ids_were_drawn(family: str) -> None:
    words = FAMILIES[family]
    rng = np.random.default_rng(0)
    hashes = hashed_ids(words, field="shop", size=1 << 62)
    for bits in (14, 16, 18):
        drawn = [shared(rng.integers(1 << bits, size=len(words))) for _ in range(3)]
        assert shared(hashes % (1 << bits)) <= 1.1 * float(np.mean(drawn))


def shared(ids: np.ndarray) -> float:
    """Share of words whose id is also another's."""
    _, index, counts = np.unique(ids, return_inverse=True, return_counts=True)
    return float((counts[index] > 1).mean())


MOMENTS = (
    datetime(2014, 10, 21, 23, 0, 0, 500_000, UTC),
    datetime(2014, 10, 22, 1, 0, 0, 500_000, timezone(timedelta(hours=2))),
    "2014-10-21T23:00:00.500Z", "2014-10-21 23:00:00.5+00:00", "2014-10-21 23:00:00.500000+0000",
    "2014-10-21 23:00:00.5 UTC", "2014-10-22 01:00:00.50+02", "2014-10-21T17:30:00.5-05:30",
    "2014-10-21 23:00:00.5",
)  # fmt: skip


@pytest.mark.parametrize(
    ("same", "expected"),
    [
        ((5, 5.0, "5", b"5.0", "5.00", np.int8(5), np.float64(5)), b"5"),
        ((0, -0.0, "0.0", "-0.0", "-0"), b"0"),
        ((1e16, 10**16, "1e+16", "10000000000000000", "10000000000000000.0"), b"1" + b"0" * 16),
        ((1e16, "1e16", "1E16", "1e+16"), b"1" + b"0" * 16),
        ((pd.NA, pd.NaT, np.datetime64("NaT"), np.timedelta64("NaT"), None), MISSING),
        ((True, "True", "true", b"TRUE", np.bool_(True)), b"True"),
        ((None, float("nan"), "", "nan", b"NaN", "  "), MISSING),
        (("2014-10-21", "2014-10-21 00:00:00", "2014-10-21T00:00:00.000"), b"2014-10-21"),
        (("2014-10-21 05:00:00.5", "2014-10-21 05:00:00.500000"), b"2014-10-21 05:00:00.5"),
        ((5.5, Decimal("5.50"), "5.50", "5.5", np.float32(5.5), " 5.500\t"), b"5.5"),
        ((0.5, ".5", "0.50", Decimal(".5")), b"0.5"),
        ((5, " 5", "5 ", "5.", b"\t5.0 ", "5.E0"), b"5"),
        ((12345678, 12345678.0, "1.2345678E7", "1.2345678e+07", "12345678.0"), b"12345678"),
        ((10**7, "1.0E7", "1e+7", "1E+07", "10E+6", 1e7), b"10000000"),
        (
            (-2.5e-7, "-2.5E-7", "-2.50e-07", "-0.00000025", "-.00000025", Decimal("-2.5e-7")),
            b"-2.5e-07",
        ),
        (
            (0.1, "0.10000000000000001", ".10000000000000001", Decimal("0.1000000000000000056")),
            b"0.1",
        ),
        ((0.1 + 0.2, f"{0.1 + 0.2:.17g}", f"{0.1 + 0.2:.40f}"), b"0.30000000000000004"),
        ((2.5**-30, f"{2.5**-30:.16e}", Decimal(f"{2.5**-30:.40f}")), repr(2.5**-30).encode()),
        ((123456792, np.float32(123456792), "123456792.0"), b"123456792"),
        ((65504, np.float16(65504), np.float64(65504)), b"65504"),
        (MOMENTS, b"2014-10-21 23:00:00.5"),
        (
            ("2014-10-21T00:00:00Z", "2014-10-21 00:00:00.000+0000", date(2014, 10, 21)),
            b"2014-10-21",
        ),
    ],
)
def test_a_value_is_one_category_however_it_is_written(same: tuple, expected: bytes) -> None:
    assert {word(value) for value in same} == {expected}


@pytest.mark.parametrize(
    "text",
    [
        "05",
        "05.0",
        "12345e67",
        "9000E++9",
        "000000e5",
        "+5",
        "tRUE",
        "Nan",
        "1e999",
        "0e5",
        "1e2",
        "5E0",
        "1e7",
        "9e05",
        ".",
        "-",
        "missing",
        "1.5 0",
        "2014-10-21 05:00:00+99:00",
        "2014-02-31 05:00:00+01:00",
        "A320-214",
        "3.141592653589793239",
        "0.99999999999999999999",
        "9007199254740993",
        "123456789012345678901234567890.5",
    ],
)
def test_other_text_is_taken_as_it_is(text: str) -> None:
    assert word(text) == text.encode()


def test_no_text_shares_the_category_of_missing_values() -> None:
    texts = ["missing", "None", "null", "NA", "\ufffd\0missing", "\xff\0missing"]
    assert MISSING not in {word(text) for text in texts}


def test_truth_values_are_no_numbers() -> None:
    assert {word(True), word(1), word(False), word(0)} == {b"True", b"1", b"False", b"0"}


def test_the_last_moment_of_all_has_a_word() -> None:
    assert word(datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))).startswith(
        b"9999-12-31"
    )


@pytest.mark.parametrize("size", [0, -5])
def test_a_size_that_is_none_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"size must be an integer of at least 1, but got {size}"):
        stable_id("a", field="f", size=size)
