import pytest

from dhen_objective.streams.malformed import MalformedRow, MalformedRows, MalformedRowsError


def counted(limit: float, *, read: int, wrong: int) -> MalformedRows:
    rows = MalformedRows(limit)
    rows.read = read
    for line in range(1, wrong + 1):
        rows.add(lambda line=line: MalformedRow("a.csv", line, "label must be 0 or 1"))
    return rows


def test_none_are_allowed_by_a_limit_of_zero() -> None:
    counted(0.0, read=10, wrong=0).check(at_end=True)
    with pytest.raises(MalformedRowsError, match=r"got 1 of 10: a\.csv:1: label must be 0 or 1"):
        counted(0.0, read=10, wrong=1).check()


def test_a_share_of_few_rows_is_judged_at_the_end() -> None:
    rows = counted(0.01, read=10, wrong=1)
    rows.check()
    with pytest.raises(MalformedRowsError, match=r"share of 0\.01 malformed rows, but got 1 of"):
        rows.check(at_end=True)
    with pytest.raises(MalformedRowsError):
        counted(0.01, read=1000, wrong=11).check()


def test_the_pass_ends_with_a_warning_that_names_the_first() -> None:
    rows = counted(0.5, read=100, wrong=7)
    with pytest.warns(UserWarning, match=r"left out: 7 of 100: a\.csv:1: .*a\.csv:5: .*; \.\.\."):
        rows.finish()
    assert (rows.count, len(rows.first)) == (7, 5)


@pytest.mark.parametrize("limit", [-0.1, 1.0, float("nan")])
def test_a_limit_is_a_share(limit: float) -> None:
    with pytest.raises(ValueError, match=r"max_malformed must be in \[0, 1\), but got"):
        MalformedRows(limit)
