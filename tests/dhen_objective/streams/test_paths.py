"""No file is read twice, and none is left out without a word."""

import os
import warnings
from pathlib import Path

import pytest

from dhen_objective.streams import Columns, TableStream
from dhen_objective.streams.paths import expand


def folder(top: Path, *names: str) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()
    return top


def test_linked_folders_are_read_by_folder_and_by_pattern(tmp_path: Path) -> None:
    other = folder(tmp_path / "other", "day_2.csv")
    top = folder(tmp_path / "clicks", "a/day_1.csv")
    (top / "b").symlink_to(other)
    expected = (top / "a" / "day_1.csv", top / "b" / "day_2.csv")
    for path in (top, str(top / "**" / "*.csv"), str(top / "*")):
        assert expand([path]) == expected


def test_a_link_to_a_folder_above_adds_nothing(tmp_path: Path) -> None:
    top = folder(tmp_path / "clicks", "a/day_1.csv")
    (top / "a" / "up").symlink_to(top)
    assert expand([top]) == (top / "a" / "day_1.csv",)


def test_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    top = folder(tmp_path / "clicks", "day_1.csv")
    (top / "day_2.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(FileNotFoundError, match=r"day_2\.csv must lead to a file"):
        expand([top])


def test_one_file_by_several_names_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = folder(tmp_path / "clicks", "day_1.csv")
    monkeypatch.chdir(top)
    (tmp_path / "link").symlink_to(top)
    (tmp_path / "day_9.csv").symlink_to(top / "day_1.csv")
    names = ["day_1.csv", top, tmp_path / "link", tmp_path / "day_9.csv", "../clicks/day_1.csv"]
    for name in names[1:]:
        with pytest.raises(ValueError, match=r"must name each file once.*'day_1\.csv', '.*csv'\]"):
            expand([names[0], name])


@pytest.mark.filterwarnings("ignore:paths name .*, which may be one table")
@pytest.mark.parametrize(
    "other",
    [
        "day_1.csv.gz", "day_1.csv.bak", "day_1.csv~", "day_1.parquet", "day_1.CSV.GZ", "day_1",
        "day_1.csv.1", "day_1.csv.part", "day_1.csv.gz.sha256", "day_1.csv_old", "day_1 (1).csv",
        "Copy of day_1.csv", "day_1 - Copy (2).csv", "day_1_backup.csv", "day_1_old_2.csv.gz",
        "#day_1.csv#", "~$day_1.csv",
    ],
)  # fmt: skip
def test_a_folder_with_a_table_twice_is_refused(tmp_path: Path, other: str) -> None:
    folder(tmp_path, "a/day_1.csv", f"a/{other}", "b/day_1.csv")
    for path in (tmp_path, str(tmp_path / "a" / "*")):
        with pytest.raises(ValueError, match=r"once, but has .*day_1.* and .*day_1.*;"):
            expand([path])
    assert len(expand([tmp_path / "a" / "day_1.csv", tmp_path / "a" / other])) == 2


def test_tables_of_other_names_are_all_read(tmp_path: Path) -> None:
    names = ["day_1.csv", "day_1_b.csv.gz", "day_2.csv.gz", "day_2.1.csv", "b/day_1.csv"]
    names += ["sum.csv.1", "sum.csv.2", "month (1).csv", "month (2).csv", "day_1_older.csv"]
    names += ["_day=1/part-0.csv"]  # a column's value, where Spark keeps a file for each
    assert len(expand([folder(tmp_path, *names)])) == len(names)


def test_delta_tables_are_refused_at_any_depth(tmp_path: Path) -> None:
    folder(tmp_path, "lake/clicks/_delta_log/0.json", "lake/clicks/day=1/part-0.parquet", "b.csv")
    (tmp_path / "link.parquet").symlink_to(tmp_path / "lake/clicks/day=1/part-0.parquet")
    for path in (
        "lake", "lake/clicks", "lake/clicks/day=1", "lake/clicks/day=1/*", "lake/**/*.parquet",
        "lake/clicks/day=1/part-0.parquet", "link.parquet",
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"clicks must be .* but is a Delta Lake table"):
            expand([tmp_path / path])
    assert expand([tmp_path / "b.csv"]) == (tmp_path / "b.csv",)


def test_the_order_of_files_is_that_of_their_numbers_folder_by_folder(tmp_path: Path) -> None:
    names = ["2014-10/day.csv", "2014-10-21/day.csv", "2014-11/Day_9.csv", "2014-11/day_09.csv"]
    names += ["2014-11/day_9.csv", "2014-11/Day_10.csv"]
    top = folder(tmp_path, *reversed(names))
    assert expand([top]) == tuple(top / name for name in names)


def test_a_name_comes_before_those_that_begin_with_it(tmp_path: Path) -> None:
    for names in (
        ["data.csv", "data-2.csv", "data-10.csv"],
        ["data.csv.gz", "data 2.csv.gz", "data 3.csv.gz"],
        ["2024-01.csv", "2024-01-02.csv", "2024-02.csv"],
    ):
        top = folder(tmp_path / names[0], *reversed(names))
        assert expand([top]) == tuple(top / name for name in names)


def test_a_table_that_is_named_twice_is_told_of(tmp_path: Path) -> None:
    names = ["day_1.csv", "day_1.csv.gz", "day_2.csv"]
    top = folder(tmp_path, *names)
    with pytest.warns(UserWarning, match=r"day_1\.csv and \S*day_1\.csv\.gz, which may be one"):
        assert len(expand([top / name for name in names])) == 3
    expand([top / "day_1.csv.gz", top / "day_2.csv"])  # a warning would be an error


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["day_1.csv", "day_10.csv", "day_2.csv"], True),  # of sorted(glob(...))
        (["day=10/a.csv", "day=9/a.csv"], True),
        (["day_1.csv", "day_2.csv", "day_10.csv"], False),
        (["day_02.csv", "day_1.csv", "day_10.csv"], True),
        (["day_10.csv", "day_1.csv", "day_2.csv"], False),  # an order of one's own
        (["part-0f3e10.csv", "part-0f3e9b.csv"], False),
    ],
)
def test_files_in_the_order_of_letters_are_told_of(
    tmp_path: Path, names: list[str], told: bool
) -> None:
    top = folder(tmp_path, *names)
    for i, name in enumerate(names):
        (top / name).write_text(f"t,y,s\n{i},{i % 2},a\n")
    files = [top / name for name in names]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TableStream(files, Columns(label="y", sparse={"s": 9}), prior=0.5)
    assert len(caught) == told
    assert all("as if sorted by letters" in str(warning.message) for warning in caught)
    TableStream(files, Columns(label="y", sparse={"s": 9}, time="t"), prior=0.5)  # in order


def test_patterns_leave_out_what_folders_leave_out(tmp_path: Path) -> None:
    names = ("_SUCCESS", "_temporary/0/part-0.csv", "part-0.csv", "_day=1/part-0.csv")
    top = folder(tmp_path / "clicks", *names)
    expected = (top / "_day=1" / "part-0.csv", top / "part-0.csv")
    for pattern in ("**/*.csv", "*"):
        assert expand([str(top / pattern)]) == expected
    asked = top / "_temporary" / "0" / "part-0.csv"
    for pattern in ("_temporary/*/*.csv", "_temp*/**/*.csv"):
        assert expand([str(top / pattern)]) == (asked,)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ((".hoodie/hoodie.properties", "a_1.parquet", "a_2.parquet"), "Hudi"),
        (("metadata/v1.metadata.json", "data/a.parquet", "data/b.parquet"), "Iceberg"),
    ],
)
def test_tables_that_keep_old_rows_are_refused(
    tmp_path: Path, names: tuple[str, ...], kind: str
) -> None:
    top = folder(tmp_path / "clicks", *names)
    for path in (top, str(top / "**" / "*.parquet"), top / names[1]):
        with pytest.raises(
            ValueError, match=f"clicks must be a folder of files, but is an? {kind}"
        ):
            expand([path])


def test_an_empty_name_does_not_mean_the_present_folder() -> None:
    with pytest.raises(ValueError, match="paths must name files, but got ''"):
        expand([""])


def test_brackets_of_a_folder_that_exists_are_letters(tmp_path: Path) -> None:
    folder(tmp_path, "run[1]/day_1.csv", "run[1]/day_2.csv", "run1/day_1.csv")
    expected = tuple(tmp_path / "run[1]" / f"day_{i}.csv" for i in (1, 2))
    assert expand([tmp_path / "run[1]" / "day_*.csv"]) == expected
    assert expand([tmp_path / "run[12]" / "day_*.csv"]) == (tmp_path / "run1" / "day_1.csv",)


def test_a_pipe_is_refused_and_nothing_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    for given in (tmp_path / "a.csv", tmp_path / "*.csv"):
        with pytest.raises(ValueError, match=r"a\.csv is a pipe, a socket or a device"):
            expand([given])
