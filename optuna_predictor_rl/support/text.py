"""Text from users, such as names and choices, made safe to show.

A storage may be shared: everybody who looks at a study sees the names that one person chose. So
no part of a name may act as markup.
"""

import html
import re

WIDEST = 60
"""Largest number of characters of a name or a value in a figure or a note."""

_ACTIVE = re.compile(
    r"[\\`*\[\]<>|&~@]"
    r"|(?<!\w)_|_(?!\w)"  # Markdown leaves underscores inside a word alone
    r"|:(?=//)|(?<=www)\."  # Markdown makes links of addresses
)


def shortened(text: object, at_most: int = WIDEST) -> str:
    r"""Return one line of visible characters.

    Characters without a glyph (line breaks, marks that turn the direction of writing, halves of a
    surrogate pair) are shown as Python escapes them. Long text loses its middle, so that names
    with a common prefix stay different.

    Args:
        text: Any object; its `str` is shown.
        at_most: Largest number of characters, at least 3.

    Example:
        >>> shortened("a\nb"), shortened("optimizer.weight_decay", 11)
        ('a\\nb', 'optim…decay')
    """
    line = str(text)
    if len(line) > 2 * at_most:  # escaping a megabyte would be slow
        line = line[:at_most] + line[-at_most:]
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )
    if len(shown) <= at_most:
        return shown
    half = at_most // 2
    return f"{shown[:half]}…{shown[len(shown) - (at_most - half - 1) :]}"


def code_span(text: object) -> str:
    """Return any text as a code span of Markdown.

    Example:
        >>> print(code_span("lr"), code_span("a`b"), code_span(""))
        `lr` ``a`b`` `""`
    """
    shown = _not_blank(shortened(text))
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    # Markdown strips one space at each end of a span.
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def markdown_text(text: object) -> str:
    r"""Return text for Markdown outside of a code span, such as a cell of a table.

    Example:
        >>> print(markdown_text("tpe_1"), markdown_text("a|b *c*"))
        tpe_1 a\|b \*c\*
    """
    return _ACTIVE.sub(r"\\\g<0>", shortened(text))


def plotly_text(text: object, at_most: int = WIDEST) -> str:
    """Return text for plotly, which takes some HTML for markup and `$...$` for LaTeX.

    Example:
        >>> plotly_text("<b>x</b> & y")
        '&lt;b&gt;x&lt;/b&gt; &amp; y'
    """
    return html.escape(_not_blank(shortened(text, at_most)), quote=False).replace("$", "&#36;")


def _not_blank(text: str) -> str:
    """Return text, in quotes if it is all blank."""
    return text if text.strip() else f'"{text}"'
