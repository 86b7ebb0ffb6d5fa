"""Files and tables that are refused, each with what the reader is told.

The page docs/refused_files.md lists them; `python tests/dhen_objective/streams/test_refusals.py`
writes it anew.
"""

import gzip
import json
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from pandas.core.arrays.arrow.extension_types import ArrowPeriodType

from dhen_objective.streams import CSV, Columns, TableStream

PAGE = Path(__file__).parents[3] / "docs" / "refused_files.md"
COLUMNS = Columns(label="clicked", sparse={"shop": 50}, dense=("price",))
TIMED = Columns(label="clicked", sparse={"shop": 50}, time="t", calendar=True)
DATED = Columns(label="clicked", sparse={"shop": 50}, time="t", time_format="%d/%m/%Y")
TABLE = "clicked,shop,price\n0,a,1\n1,b,2\n"


def text(*files: tuple[str, str | bytes]) -> Callable[[Path], list[Path]]:
    """Writes these files."""

    def write(folder: Path) -> list[Path]:
        for name, content in files:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return [folder / name for name, _ in files]

    return write


def parquet(**columns: object) -> Callable[[Path], list[Path]]:
    """Writes a table to day_1.parquet; columns are named shop and price if they are not given."""
    base: dict = {"clicked": [0, 1], "shop": ["a", "b"], "price": [1.0, 2.0]}

    def write(folder: Path) -> list[Path]:
        pq.write_table(pa.table(base | columns), folder / "day_1.parquet")
        return [folder / "day_1.parquet"]

    return write


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "day_1.csv")
    return folder / "day_1.csv"


def twice(folder: Path) -> list[Path]:
    table = pa.table(
        [[0, 1], ["a", "b"], ["c", "d"], [1.0, 2.0]], ["clicked", "shop", "shop", "price"]
    )
    pq.write_table(table, folder / "day_1.parquet")
    return [folder / "day_1.parquet"]


def periods(folder: Path) -> list[Path]:
    table = {"clicked": [0, 1], "shop": pd.period_range("2014-10", periods=2, freq="M")}
    pd.DataFrame(table | {"price": 1.0}).to_parquet(folder / "day_1.parquet")
    return [folder / "day_1.parquet"]


def cut_parquet(folder: Path) -> list[Path]:
    (path,) = parquet()(folder)
    path.write_bytes(path.read_bytes()[:-20])
    return [path]


def archive(folder: Path) -> list[Path]:
    with zipfile.ZipFile(folder / "days.csv.zip", "w") as file:
        for name in ("day_1.csv", "day_2.csv"):
            file.writestr(name, TABLE)
    return [folder / "days.csv.zip"]


def feather(folder: Path) -> list[Path]:
    pa.feather.write_feather(pa.table({"a": [1]}), folder / "day_1.feather", compression=None)
    return [folder / "day_1.feather"]


def delta(folder: Path) -> list[Path]:
    (folder / "clicks" / "_delta_log").mkdir(parents=True)
    return [folder / "clicks"]


def empty_folder(folder: Path) -> list[Path]:
    (folder / "clicks").mkdir()
    return [folder / "clicks"]


def frame(**columns: object) -> Callable[[Path], pd.DataFrame]:
    """A DataFrame with other columns than it should have."""
    base: dict = {"clicked": [0, 1], "shop": ["a", "b"], "price": [1.0, 2.0]}
    return lambda _: pd.DataFrame(base | columns)


HALF = len(gzip.compress(TABLE.encode())) // 2
CUT = gzip.compress(TABLE.encode())[:HALF]
UNCLOSED = 'clicked,price,shop\n0,1,a\n1,2,"b\n0,3,c\n1,4,d\n0,5,e\n'

CASES: dict[str, tuple[Callable[[Path], object], dict]] = {
    "A quote is never closed": (text(("day_1.csv", UNCLOSED)), {}),
    "Something follows a closing quote": (
        text(("day_1.csv", 'clicked,price,shop\n0,1,"5" pipe"\n')), {}),
    "Spaces stand before a quote": (
        text(("day_1.csv", 'clicked,price,shop\n0,1, "a"\n')), {}),
    "A missing value is escaped": (
        text(("day_1.csv", "clicked,price,shop\n0,1,\\N\n")), {"layout": CSV(escape="\\")}),
    "A column has another name in the second file": (
        text(("day_1.csv", TABLE), ("day_2.csv", TABLE.replace("price", "Price"))), {}),
    "A column is there twice": (twice, {}),
    "A header names a column twice": (
        text(("day_1.csv", "clicked,shop,price,shop\n0,a,1,b\n")), {}),
    "A row has too many columns": (text(("day_1.csv", TABLE + "1,a,1,1\n")), {}),
    "A label is neither 0 nor 1": (text(("day_1.csv", TABLE + "2,a,1\n")), {}),
    "A number is none": (text(("day_1.csv", TABLE + "1,a,cheap\n")), {}),
    "A number is none, in a categorical of Parquet": (
        parquet(price=pa.array(["1", "x"]).dictionary_encode()), {}),
    "A number is too large for float32": (text(("day_1.csv", TABLE + "1,a,1e39\n")), {}),
    "Times are in milliseconds": (
        text(("day_1.csv", "clicked,shop,t\n0,a,1413867900000\n")), {"columns": TIMED}),
    "Times are numbers, and their format has other letters than digits": (
        parquet(t=[1022014, 2022014]), {"columns": DATED}),
    "Times decrease": (
        text(("day_1.csv", "clicked,shop,t\n0,a,1413867900\n1,a,1413867800\n")),
        {"columns": TIMED}),
    "Numbers are timestamps": (parquet(price=pa.array([0, 1], pa.timestamp("us"))), {}),
    "Categories are periods of pandas": (periods, {}),
    "Categories are lists": (parquet(shop=[["a"], ["b", "c"]]), {}),
    "A column of a DataFrame is a duration": (
        frame(price=pd.to_timedelta([1, 2], unit="s").astype("timedelta64[us]")), {}),
    "The text is UTF-16": (text(("day_1.csv", TABLE.encode("utf-16"))), {}),
    "Files with marks of UTF-8 were joined": (
        text(("day_1.csv", f"\ufeff{TABLE}\ufeff1,a,1\n")), {}),
    "The text has a gap of zero bytes": (
        text(("day_1.csv", TABLE + "1,a,1\n" * 300 + "1,b\0\0,1\n")), {}),
    "The compressed file is cut": (text(("day_1.csv.gz", CUT)), {}),
    "The Parquet file is cut": (cut_parquet, {}),
    "A zip archive holds two files": (archive, {}),
    "The file is no table": (feather, {}),
    "The layout of a text is not known": (text(("day_1.txt", TABLE)), {}),
    "A layout is given for Parquet": (parquet(), {"layout": CSV()}),
    "A folder is empty": (empty_folder, {}),
    "A pattern meets no file": (lambda folder: folder / "day_*.csv", {}),
    "A file is named twice": (lambda folder: text(("day_1.csv", TABLE))(folder) * 2, {}),
    "A file is a pipe": (pipe, {}),
    "A folder is a table of Delta Lake": (delta, {}),
    "There is no row": (text(("day_1.csv", "clicked,shop,price\n"), ("day_2.csv", "")), {}),
}  # fmt: skip


def told(case: str, folder: Path) -> str:
    """What a user is told, with the folder left out."""
    make, arguments = CASES[case]
    given = {"columns": COLUMNS, "prior": 0.5, **arguments}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the page has the messages)
        TableStream(make(folder), **given)
    message = str(caught.value).replace(f"{folder}/", "")
    # what the libraries say may differ from version to version
    return re.sub(r"(damaged|could not be read): .*", r"\1: ...", message)


def page() -> str:
    rows = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(f"| {case} | `{told(case, Path(folder))}` |")
    return BEFORE + "\n".join(rows) + AFTER


BEFORE = """# When a file is refused

A row is read right, or the reader is told. `TableStream`, and the streams that are built on it,
say what is wrong with a file when the stream is made, before any training. Malformed rows are
counted and left out up to a share of `max_malformed`, which is 0 by default; all else is refused
whatever that share is. Rows beyond `rows=` are not looked at. A warning tells of what can be read
but is likely to mean something else: files that hold the same rows, a column that another file
stores otherwise, labels that are sorted, a column that tells the label.

Refused are, with what is said:

| what is wrong | message |
|---|---|
"""

AFTER = r"""

Read are, besides plain CSV and Parquet files: files compressed by gzip, bzip2, xz, zip (of one
file), Zstandard or LZ4, whatever their names; folders of files and patterns such as
`"day_*.csv"`, in natural order (day_2 before day_10); a mark of UTF-8 and any text that extends
ASCII; new lines and doubled quotes in quoted values; empty lines, which are skipped; empty files
among others; spaces around numbers; True, true and TRUE; columns in another order in each file;
`CSV(escape="\\", null=("NA", r"\N"))` for what databases write.

Written by `python tests/dhen_objective/streams/test_refusals.py`, from the tests' messages.
"""


@pytest.mark.parametrize("case", CASES)
def test_the_reader_is_told_in_one_sentence_that_names_the_file(case: str, tmp_path: Path) -> None:
    message = told(case, tmp_path)
    assert "\n" not in message
    assert re.search(r"day_|days\.|clicks|DataFrame", message)


@pytest.mark.parametrize("noted", ["as an extension", "by pandas"])
def test_periods_are_refused_without_pandas(tmp_path: Path, noted: str) -> None:
    (path,) = periods(tmp_path)
    if noted == "by pandas":
        note = {"columns": [{"field_name": "shop", "numpy_type": "period[M]"}]}
        table = pa.table({"clicked": [0, 1], "shop": [537, 538], "price": [1.0, 2.0]})
        pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(note)}), path)
    pa.unregister_extension_type("pandas.period")  # as where pandas is not imported
    try:
        assert pq.read_schema(path).field("shop").type == pa.int64()
        with pytest.raises(
            ValueError, match=r"sparse 'shop' must be .* extension<pandas\.period<"
        ):
            TableStream(path, COLUMNS, prior=0.5)
    finally:
        pa.register_extension_type(ArrowPeriodType("D"))


def test_the_page_of_refused_files_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), f"write it anew: python {Path(__file__).name}"


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE} is written.\n")
