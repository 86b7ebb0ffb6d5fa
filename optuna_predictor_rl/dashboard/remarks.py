"""The generated part of a note between two marks, and the users' remarks around them."""

import re

# The marks are definitions of links that nobody uses, which Markdown does not show;
# optuna-dashboard shows HTML comments as text. They are longer than any name between them, so no
# name can be taken for one.
BEGIN = (
    "[begin-state-of-the-search]: # "
    "(From here to the end mark all is written anew. Write your remarks above or below.)"
)
END = (
    "[end-state-of-the-search]: # "
    "(The generated part ends here. What you write below this line stays as it is.)"
)
_BEGIN, _END = f"^{re.escape(BEGIN)}", f"^{re.escape(END)}"
# There is no begin mark inside: that of a block whose end mark is lost opens nothing.
_GENERATED = re.compile(f"{_BEGIN}(?:(?!{_BEGIN}).)*?{_END}", re.DOTALL | re.MULTILINE)


def merged(note: str, generated: str) -> str:
    r"""Return a note with its generated part replaced, and the remarks around it kept.

    A note without both marks is all remarks: the generated part then follows them.

    Args:
        note: The note with the remarks.
        generated: The Markdown to stand between the marks.

    Example:
        >>> once = merged("Shoes.", "1 trial.")
        >>> twice = merged(once + "A remark below.", "2 trials.")
        >>> twice.split("\n\n") == ["Shoes.", BEGIN, "2 trials.", END, "A remark below.\n"]
        True
    """
    found = _GENERATED.search(note)
    above, below = (note[: found.start()], note[found.end() :]) if found else (note, "")
    # The marks are definitions only with an empty line before them.
    parts = [above.rstrip(), BEGIN, generated.strip(), END, below.strip("\r\n").rstrip()]
    return "\n\n".join(part for part in parts if part) + "\n"
