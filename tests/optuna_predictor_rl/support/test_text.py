"""Whatever users name things, it is shown as they wrote it and acts as nothing else."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from optuna_predictor_rl.support.text import code_span, markdown_text, plotly_text, shortened

COMMONMARK = MarkdownIt("gfm-like", {"linkify": False, "html": True})
NASTY = [
    "a`b", "``", "`", " ` ", "", " ", "  a  ", "\n", "a\n\nb", "- a", "# a", "<unk>", "*x*",
    "![](http://host/pixel.png)", "[a](javascript:x)", "a`<img src=x>`b", "a | b", "&lt;", "\\",
    "$x$", "_x_", "~~x~~", "[^1]", "\u202eabc", "\ud800", "\x00", "é ü 模型 🙂", "x" * 2000,
]  # fmt: skip
NAMES = st.one_of(st.sampled_from(NASTY), st.text(), st.text("`a <*_\n"))


def code_of(markdown: str) -> list[tuple[str, str]]:
    """Return the inline tokens of one paragraph, as a parser of Markdown sees them."""
    tokens = COMMONMARK.parse(markdown)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    return [(token.type, token.content) for token in tokens[1].children or []]


@given(NAMES)
def test_a_code_span_holds_the_text_and_nothing_else(name: str) -> None:
    shown = shortened(name)
    expected = shown if shown.strip() else f'"{shown}"'
    parsed = code_of(f"The best {code_span(name)} is 3")
    assert parsed == [("text", "The best "), ("code_inline", expected), ("text", " is 3")]


@given(NAMES)
def test_markdown_text_is_the_text_and_nothing_else(name: str) -> None:
    parsed = code_of(f"a {markdown_text(name)} b")
    assert {kind for kind, _ in parsed} == {"text"}
    assert "".join(text for _, text in parsed) == f"a {shortened(name)} b"


@given(NAMES)
def test_plotly_text_has_no_tag_and_reads_as_the_text(name: str) -> None:
    text = plotly_text(name)
    assert not re.search("[<>$]", text)
    shown = shortened(name)
    assert html.unescape(text) == (shown if shown.strip() else f'"{shown}"')


@given(NAMES, st.integers(3, 70))
def test_shortened_text_is_one_printable_line_of_a_bounded_length(name: str, most: int) -> None:
    text = shortened(name, most)
    assert len(text) <= most
    assert text.isprintable()
    text.encode("utf-8")  # as storages do
    if len(name) <= most and name.isprintable():
        assert text == name


@pytest.mark.parametrize("n", [10, 60, 61, 119, 120, 121, 179, 180, 181, 2000])
def test_long_text_keeps_its_start_and_its_end(n: int) -> None:
    name = "".join(chr(ord("a") + i % 26) for i in range(n))
    text = shortened(name)
    assert text == name if n <= 60 else text == f"{name[:30]}…{name[-29:]}"
