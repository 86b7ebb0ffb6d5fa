"""What Python's csv module finds in a text, these streams find, row by row."""

import csv
import io
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dhen_objective.streams import Columns, TableStream, records, text
from dhen_objective.streams.layout import CSV
from dhen_objective.streams.text import TextFile


def by_python(content: str, layout: CSV) -> tuple[list[list[str]], list[int], bool]:
    """Rows, the line that each begins at, and whether all were read."""
    reader = csv.reader(
        io.StringIO(content, newline=""),
        delimiter=layout.delimiter,
        quotechar='"',
        quoting=csv.QUOTE_MINIMAL if layout.quotes else csv.QUOTE_NONE,
        escapechar=layout.escape,
        strict=True,
    )
    rows: list[list[str]] = []
    lines: list[int] = []
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return rows, lines, True
        except csv.Error:
            return rows, lines, False
        if row:
            rows.append(row)
            lines.append(line)


def by_stream(path: Path, layout: CSV) -> tuple[list[list[str]], list[int], list[int], bool]:
    """Rows with two columns, their lines, the lines of other rows, and whether all were read."""
    rows: list[list[str]] = []
    lines: list[int] = []
    torn: list[int] = []
    try:
        for part in TextFile(path, layout).parts(["a", "b"]):
            columns = [part.rows.column(i).to_pylist() for i in range(2)]
            rows += [[value.decode() for value in row] for row in zip(*columns, strict=True)]
            lines += part.lines.tolist()
            torn += [line for line, _ in part.torn]
    except ValueError:
        return rows, lines, torn, False
    return rows, lines, torn, True


TEXTS = st.lists(
    st.sampled_from(["a", "é", ",", ",", "\n", "\n", "\r\n", "\r", '"', '"', '""', "a ", '"x,y"'])
).map("".join)


def compare(path: Path, content: str, layout: CSV) -> None:
    path.write_bytes(content.encode())
    rows, lines, whole = by_python(content, layout)
    expected = [(row, line) for row, line in zip(rows, lines, strict=True) if len(row) == 2]
    others = [line for row, line in zip(rows, lines, strict=True) if len(row) != 2]
    mine, numbers, torn, all_read = by_stream(path, layout)
    assert (list(zip(mine, numbers, strict=True)), torn) == (expected, others)
    assert all_read == whole


@pytest.mark.filterwarnings("ignore:.* a value in quotes has new lines")
@settings(max_examples=60)
@given(TEXTS, st.integers(1, 40))
@example('1,"a""\nb"\n\n2,c"d\r\n"3",4', 5)
@example('1,a\n2,"b\n3,c\n', 8)
@example('1,a\n2,"b"c\n3,c\n', 8)
@example("1,a\r2,b\r\n3,c\r", 4)
@example('"",""\n', 1)
def test_rows_and_lines_are_those_that_python_finds(
    tmp_path_factory: pytest.TempPathFactory, content: str, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BLOCK", block)
        patch.setattr(records, "_WINDOW", max(1, block // 3))
        compare(path, content, CSV(names=("a", "b")))
        compare(path, content, CSV(names=("a", "b"), quotes=False))


@pytest.mark.filterwarnings("ignore:.* a value in quotes has new lines")
@settings(max_examples=30)
@given(
    st.lists(st.lists(st.text('a,"\n\\N\r é'), min_size=2, max_size=2), min_size=1),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.integers(1, 40),
)
def test_a_backslash_escapes_as_python_writes_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], quoting: int, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "escaped.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, escapechar="\\", doublequote=False, quoting=quoting).writerows(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BLOCK", block)
        patch.setattr(records, "_WINDOW", max(1, block // 3))
        read, _, torn, whole = by_stream(path, CSV(names=("a", "b"), escape="\\"))
    assert whole
    assert (read, torn) == (rows, [])


@pytest.mark.filterwarnings("ignore:.* an escape before a letter")
def test_a_text_that_marks_nothing_is_missing_also_where_it_is_an_escape(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\\N,"x,\\N,y"\nNA,N\n"NA",\\\\N\n')
    (part,) = TextFile(path, CSV(names=("a", "b"), escape="\\", null=(r"\N", "NA"))).parts(
        ["a", "b"]
    )
    assert part.rows.column(0).to_pylist() == [None, None, None]
    assert part.rows.column(1).to_pylist() == [b"x,N,y", b"N", b"\\N"]
    (part,) = TextFile(path, CSV(names=("a", "b"), null=(r"\N",))).parts(["a", "b"])
    assert part.rows.column(0).to_pylist() == [None, b"NA", b"NA"]


@pytest.mark.parametrize("block", range(30, 60, 5))
def test_backslashes_may_stand_in_a_row_that_goes_on_in_the_next_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(text, "_BLOCK", block)
    monkeypatch.setattr(records, "_WINDOW", 10)
    path = tmp_path / "a.csv"
    folders = [["C:\\dir\\", f"{i}, {i}"] for i in range(20)]
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(folders)
    rows, _, torn, whole = by_stream(path, CSV(names=("a", "b")))
    assert (rows, torn, whole) == (folders, [], True)
    path.write_text("".join(f'\\N,"x, {i}"\n' for i in range(20)))
    layout = CSV(names=("a", "b"), escape="\\", null=(r"\N",))
    parts = [part.rows for part in TextFile(path, layout).parts(["a", "b"])]
    assert pa.Table.from_batches(parts).to_pydict() == {
        "a": [None] * 20, "b": [f"x, {i}".encode() for i in range(20)]
    }  # fmt: skip


def test_a_missing_value_of_databases_is_no_category_n(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"0\tN\n1\t\\N\n")
    layout = CSV(names=("a", "b"), delimiter="\t", quotes=False, escape="\\")
    with pytest.raises(ValueError, match=r"null must name \\N, .*, but got \(\) for .*a\.csv"):
        list(TextFile(path, layout).parts(["b"]))


def test_a_number_that_marks_nothing_may_have_zeros_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"-9,x\n-9.0,-9.\n -9.00 ,-9.05\n-90,1.50\n")
    (part,) = TextFile(path, CSV(names=("a", "b"), null=("-9", "1.5"))).parts(["a", "b"])
    assert part.rows.column(0).to_pylist() == [None, None, None, b"-90"]
    assert part.rows.column(1).to_pylist() == [b"x", None, b"-9.05", None]


def test_files_that_were_joined_with_their_marks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfa,0\n" * 2)
    with pytest.raises(ValueError, match="must not begin with the mark of UTF-8"):
        list(TextFile(path, CSV(names=("s", "y"))).parts(["s"]))


def test_a_line_in_quotes_may_begin_with_the_mark_of_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('0,"a\n\ufeffb"\n1,c\n')
    (part,) = TextFile(path, CSV(names=("y", "s"))).parts(["s"])
    assert part.rows.column(0).to_pylist() == ["a\n\ufeffb".encode(), b"c"]


@pytest.mark.parametrize(
    ("row", "told"), [('d\\"e,1', True), ('"C:\\",1', False), ("d\\e,1", False)]
)
def test_escaped_quotes_of_a_layout_without_an_escape_are_told_of(
    tmp_path: Path, row: str, told: bool
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"a,b\n{row}\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (part,) = TextFile(path, CSV()).parts(["a"])
    assert len(part.rows) == 1
    assert len(caught) == told
    assert all("in a value without quotes" in str(warning.message) for warning in caught)


def test_letters_behind_an_escape_are_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    layout = CSV(names=("a", "b"), escape="\\")
    path.write_bytes(b"1,C:\\new\n" * 9)
    source = TextFile(path, layout)
    monkeypatch.setattr(text, "_BLOCK", 20)
    with pytest.warns(UserWarning, match="escape") as told:
        list(source.parts(["b"]))
    assert len(told) == 1
    path.write_bytes(b"0,C:\\\\new\n1,C:\\new\n")
    with pytest.warns(UserWarning, match=r"escape before a letter or digit: it is read as 'n'"):
        (part,) = TextFile(path, layout).parts(["b"])
    assert part.rows.column(0).to_pylist() == [b"C:\\new", b"C:new"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('0\t1\t"27 inch\n1\t2\tb\n0\t3\tnew"\n', True),
        ('0\t1\t"27 inch\n1\t\tb\r\n0\t3\tnew"\n', True),
        ('0\t1\t"a\nb"\n', False),
        ('0\t1\t"a\nb\tc\td"\n', False),
    ],
)
def test_rows_between_two_stray_quotes_are_told_of(
    tmp_path: Path, content: str, told: bool
) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(content.encode())
    source = TextFile(path, CSV(names=("a", "b", "c"), delimiter="\t"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        list(source.parts(["a"]))
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == told
    assert all("a.tsv:1: a value in quotes has new lines" in text for text in messages)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('"y","shop"\n1,"a"\n0,NA\n', True),  # of R
        ('"","y","shop"\n"1",1,NA\n"2",0,"a"\n', True),
        ('"y","shop"\n1,"a"\n0,"NA"\n', False),
        ('"y","price","shop"\n1,NA,"a"\n0,NA,"NA"\n', False),
        ('y,shop\n1,"a,b"\n0,NA\n', False),  # text without quotes is text
        ('"y","shop"\n1,"a"\n0,NAN\n', False),
    ],
)
def test_a_missing_value_of_r_is_told_of(tmp_path: Path, content: str, told: bool) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (part,) = TextFile(path, CSV()).parts(["y", "shop"])
    assert len(caught) == told
    assert all("NA without quotes in 'shop'" in str(warning.message) for warning in caught)
    shops = pd.read_csv(path, keep_default_na=False)["shop"]  # all are taken as text
    assert part.rows.column(1).to_pylist() == [shop.encode() for shop in shops]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (part,) = TextFile(path, CSV(null=("NA",))).parts(["shop"])
    assert part.rows.column(0).null_count == (shops == "NA").sum()


def test_spaces_before_a_quote_do_not_make_a_letter_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\n0, "x\n1,y"\n')
    with pytest.raises(ValueError, match=r"a\.csv:2: a quote must not follow spaces"):
        list(TextFile(path, CSV()).parts(["a"]))


def test_a_row_without_end_is_refused_before_memory_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "_BLOCK", 1 << 10)
    monkeypatch.setattr(text, "_LONGEST_ROW", 1 << 12)
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\n1,2\n1,"2\n' + b"1,2\n" * 10_000)
    with pytest.raises(ValueError, match=r"a\.csv:3: a row must have at most .* not closed"):
        list(TextFile(path, CSV()).parts(["a"]))


def test_a_mark_of_utf_8_is_no_letter(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeff\n\na,b\n1,2\n3,\ufeff4\n".encode())
    assert TextFile(path, CSV()).names() == ["a", "b"]
    (part,) = TextFile(path, CSV()).parts(["a", "b"])
    assert part.rows.column(0).to_pylist() == [b"1", b"3"]
    assert part.rows.column(1).to_pylist() == [b"2", "\ufeff4".encode()]


def test_large_blocks_are_counted_as_python_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rng = np.random.default_rng(0)
    values = ['a "b"', "c\nd", "e,f", "", "g\r\nh", "plain"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b"])
        writer.writerows([values[i], values[j]] for i, j in rng.integers(6, size=(20_000, 2)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BLOCK", 50_000)
        compare(path, path.read_bytes().decode(), CSV(names=("a", "b")))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delimiter": ""}, "delimiter must be one character of ASCII .* but got ''"),
        ({"delimiter": "||"}, "delimiter must be one character"),
        ({"delimiter": "§"}, "delimiter must be one character"),
        ({"delimiter": '"'}, "delimiter must be one character"),
        ({"escape": "\n"}, "escape must be one character"),
        ({"escape": ","}, "escape must differ from delimiter, but got ','"),
        ({"names": ("a", "b", "a")}, r"names must differ and be at least one, but got \['a'\]"),
        ({"names": ()}, r"names must differ and be at least one, but got \(\)"),
    ],
)
def test_a_layout_that_cannot_be_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CSV(**arguments)


def test_marks_in_quotes_beside_bare_ones_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    columns = Columns(label="y", sparse={"country": 50}, dense=("x",))
    for rows, told in (
        ('0,"NA",1\n1,"DE",NA\n', True),  # of R: Namibia, and a missing number
        ('0,"NA",1\n1,NA,2\n', True),
        ('0,"NA",1\n1,"DE","NA"\n', False),
        ('0,NA,1\n1,"DE",NA\n', False),
    ):
        path.write_text('"y","country","x"\n' + rows)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            TableStream(path, columns, prior=0.5, layout=CSV(null=("NA",)))
        assert [str(w.message).count("in quotes and without") for w in caught] == [1] * told
