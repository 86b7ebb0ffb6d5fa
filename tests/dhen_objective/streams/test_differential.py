"""A table that pandas writes is read as the table itself, whatever it is written as."""

import csv
import gzip
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import fastparquet
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dhen_objective.streams import CSV, ArrayStream, Columns, TableStream, text
from dhen_objective.streams.hashing import stable_id

pytestmark = pytest.mark.filterwarnings("ignore:sparse .* has whole numbers from")

SIZE = 10**6

WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    st.text("a\",;\n\r\\ \t'é中", max_size=8),
    st.sampled_from(["5", "5.0", "-0", "True", "false", "nan", "NA", "2014-10-21", "1e+16", '"']),
).filter(lambda word: "\r" not in word or "\n" in word)  # pandas leaves a lone \r without quotes
WHOLE = st.integers(-(2**53), 2**53)
REAL = st.floats(allow_infinity=False, width=32)

CATEGORIES: dict[str, tuple[st.SearchStrategy, str]] = {
    "text": (st.none() | WORDS, "object"),
    "str": (st.none() | WORDS, "str"),
    "integers": (WHOLE, "int64"),
    "small integers": (st.integers(0, 255), "uint8"),
    "integers, some missing": (st.none() | WHOLE, "Int64"),
    "integers as floats": (st.none() | WHOLE, "float64"),
    "floats": (st.none() | st.floats(allow_infinity=False), "float64"),
    "float32": (st.none() | REAL.filter(lambda x: not abs(x) > 2**24), "float32"),
    "truth values": (st.booleans(), "bool"),
    "truth values, some missing": (st.none() | st.booleans(), "boolean"),
    "categorical": (st.none() | WORDS, "category"),
    "categorical integers": (st.none() | WHOLE, "category"),
}
NUMBERS: dict[str, tuple[st.SearchStrategy, str]] = {
    "float64": (st.none() | REAL, "float64"),
    "float32": (st.none() | REAL, "float32"),
    "integers": (WHOLE, "int64"),
    "integers, some missing": (st.none() | st.integers(-(2**31), 2**31 - 1), "Int32"),
    "truth values": (st.booleans(), "bool"),
    "objects": (st.none() | REAL, "object"),
    "categorical": (st.none() | REAL, "category"),
}
LABELS: dict[str, tuple[st.SearchStrategy, str]] = {
    "integers": (st.integers(0, 1), "int64"),
    "floats": (st.integers(0, 1), "float64"),
    "nullable": (st.integers(0, 1), "Int8"),
    "truth values": (st.booleans(), "bool"),
    "objects": (st.booleans(), "object"),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Tables with a label y, categories s0 to s2, and numbers d0 and c0."""
    rows = draw(st.integers(1, 8))
    kinds = {"y": LABELS, "s0": CATEGORIES, "s1": CATEGORIES, "s2": CATEGORIES}
    kinds |= {"d0": NUMBERS, "c0": NUMBERS}
    columns = {}
    for name in draw(st.permutations(list(kinds))):
        values, dtype = kinds[name][draw(st.sampled_from(sorted(kinds[name])))]
        drawn = draw(st.lists(values, min_size=rows, max_size=rows))
        columns[name] = pd.Series(drawn, dtype=dtype)
    return pd.DataFrame(columns)


def to_csv(quoting: int, **arguments: object) -> Callable[[pd.DataFrame, Path], Path]:
    def write(frame: pd.DataFrame, path: Path) -> Path:
        frame.to_csv(path, quoting=quoting, index=False, **arguments)
        return path

    return write


def to_spaced_gzip(frame: pd.DataFrame, path: Path) -> Path:
    """As text with empty lines before and behind, compressed under a name that does not say so."""
    content = "\n\r\n" + frame.to_csv(index=False) + "\r\n\n"
    path.write_bytes(gzip.compress(content.encode()))
    return path


def by_pyarrow(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path, engine="pyarrow")
    return path


def by_fastparquet(frame: pd.DataFrame, path: Path) -> Path:
    objects = [name for name in frame if frame[name].dtype.kind == "O"]
    fastparquet.write(str(path), frame.astype(dict.fromkeys(objects, "string")))
    return path


WRITERS: dict[str, tuple[Callable[[pd.DataFrame, Path], Path], CSV | None]] = {
    "csv": (to_csv(csv.QUOTE_MINIMAL), CSV()),
    "csv, all in quotes": (to_csv(csv.QUOTE_ALL), CSV()),
    "csv, words in quotes": (to_csv(csv.QUOTE_NONNUMERIC), CSV()),
    "csv, escaped": (
        to_csv(csv.QUOTE_MINIMAL, escapechar="\\", doublequote=False), CSV(escape="\\")),
    "csv, Windows": (
        to_csv(csv.QUOTE_MINIMAL, lineterminator="\r\n", sep=";"), CSV(delimiter=";")),
    "csv, missing as NULL": (to_csv(csv.QUOTE_MINIMAL, na_rep="NULL"), CSV(null=("NULL",))),
    "csv, gzip, empty lines": (to_spaced_gzip, CSV()),
    "csv, mark of UTF-8": (to_csv(csv.QUOTE_MINIMAL, encoding="utf-8-sig"), CSV()),
    "Parquet by pyarrow": (by_pyarrow, None),
    "Parquet by fastparquet": (by_fastparquet, None),
}  # fmt: skip


def compare(frame: pd.DataFrame, writer: str, parts: int, block: int) -> None:
    """Reads the table from files of these parts, and as it is."""
    sparse = dict.fromkeys(("s0", "s1", "s2"), SIZE)
    columns = Columns(label="y", sparse=sparse, dense=("d0",), counts=("c0",))
    expected = expected_arrays(frame, sparse)
    write, layout = WRITERS[writer]
    cuts = np.linspace(0, len(frame), parts + 1).astype(int)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BLOCK", block)
        files = [
            write(frame.iloc[first:last], Path(folder) / f"part_{i}")
            for i, (first, last) in enumerate(itertools.pairwise(cuts))
        ]
        streams = [
            TableStream(files, columns, prior=0.5, layout=layout),
            TableStream(frame, columns, prior=0.5),
        ]
        if len(set(expected["labels"].tolist())) == 2:
            arrays = ArrayStream(**expected, field_sizes=(SIZE,) * 3, prior=0.5)
            streams.append(arrays)
        for stream in streams:
            batches = list(stream.batches(3))
            for name, values in expected.items():
                read = torch.cat([getattr(batch, name) for batch in batches]).numpy()
                # .1 of a float32 differs in the last digit from that of its text
                read = read.astype(values.dtype)
                np.testing.assert_allclose(read, values, rtol=2e-7, err_msg=name)


def expected_arrays(frame: pd.DataFrame, sparse: dict[str, int]) -> dict[str, np.ndarray]:
    """What the table holds, value by value."""
    plain = frame.astype(object).where(frame.notna(), None)
    ids = [
        [stable_id(v, field=name, size=SIZE) for v in written(frame[name], plain[name])]
        for name in sparse
    ]
    numbers = [[np.nan if v is None else float(v) for v in plain[name]] for name in ("d0", "c0")]
    numbers[1] = [np.sign(v) * np.log1p(abs(v)) for v in numbers[1]]
    return {
        "dense": np.array(numbers, np.float32).T,
        "sparse": np.array(ids).T,
        "labels": np.array([float(v) for v in plain["y"]], np.float32),
    }


def written(column: pd.Series, values: pd.Series) -> list[object]:
    """Values as they are written: .1 in float32 is no .10000000149.

    Whole numbers beyond 2**24 are left out, of which pandas writes only eight digits as text.
    """
    if column.dtype != np.float32:
        return values.tolist()
    return [None if value is None else str(np.float32(value)) for value in values]


EXAMPLES = given(
    frames(), st.sampled_from(sorted(WRITERS)), st.integers(1, 3), st.integers(30, 300)
)


@settings(max_examples=50)
@EXAMPLES
def test_a_table_is_read_as_it_is(
    frame: pd.DataFrame, writer: str, parts: int, block: int
) -> None:
    compare(frame, writer, parts, block)


@pytest.mark.nightly
@settings(max_examples=500)
@EXAMPLES
def test_many_tables_are_read_as_they_are(
    frame: pd.DataFrame, writer: str, parts: int, block: int
) -> None:
    compare(frame, writer, parts, block)
