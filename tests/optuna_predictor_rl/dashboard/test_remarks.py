"""The generated part of a note is replaced; what stands around it is the users'."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from optuna_predictor_rl.dashboard.remarks import BEGIN, END, merged
from optuna_predictor_rl.support.text import WIDEST

REMARKS = st.text("ab#-*`> \n[]:").filter(lambda text: text == text.strip())


@given(REMARKS, REMARKS)
def test_remarks_stay_as_they_are(above: str, below: str) -> None:
    note = f"{above}\n\n{merged('', 'old')}\n{below}"
    for generated in ("new", "newer"):
        note = merged(note, generated)
    start, rest = note.split(BEGIN)
    middle, end = rest.split(END)
    assert (start.strip(), middle.strip(), end.strip()) == (above, "newer", below)


def test_the_marks_do_not_show() -> None:
    note = merged(merged("Above.", "*Old.*") + "Below.", "*New.*")
    page = MarkdownIt("commonmark").render(note)
    assert page == "<p>Above.</p>\n<p><em>New.</em></p>\n<p>Below.</p>\n"


@pytest.mark.parametrize("mark", [BEGIN, END])
def test_nothing_is_taken_from_a_note_that_has_lost_a_mark(mark: str) -> None:
    note = merged("Above.", "old") + "Below."
    lost = note.replace(mark, "")
    once = merged(lost, "Second.")
    assert once.startswith(lost)
    assert merged(once, "Third.") == once.replace("Second.", "Third.")


def test_no_name_is_taken_for_a_mark() -> None:
    assert min(len(BEGIN), len(END)) > WIDEST + 2
