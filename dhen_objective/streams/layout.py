"""The layout of a text file."""

from __future__ import annotations

from dataclasses import dataclass

from dhen_objective.checked import checked


@checked
@dataclass(frozen=True, kw_only=True)
class CSV:
    r"""The layout of a text file in UTF-8 or any other encoding that extends ASCII.

    Attributes:
        delimiter: Between two columns.
        names: Names of the columns of a file without a header; by default there is one.
        quotes: Whether a value may stand in double quotes, which are doubled within it. It may
            then hold delimiters and new lines.
        escape: A character that makes the next one a plain letter: a backslash for `\"`.
        null: Texts that mean a missing value, besides empty text: `("NA", r"\N")`.

    Raises:
        ValueError: If `delimiter` or `escape` is a quote, a new line, or not one character of
            ASCII, if both are equal, or if `names` is empty or has a name twice.

    Examples:
        >>> CSV(delimiter="\t", names=("clicked", "shop"), null=("NA",)).delimiter
        '\t'
    """

    delimiter: str = ","
    names: tuple[str, ...] | None = None
    quotes: bool = True
    escape: str | None = None
    null: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("delimiter", "escape"):
            value = getattr(self, name)
            if value is None:
                continue
            if len(value) != 1 or not value.isascii() or value in '"\r\n\0':
                raise ValueError(
                    f"{name} must be one character of ASCII other than a quote or a new line, "
                    f"but got {value!r}."
                )
        if self.escape == self.delimiter:
            raise ValueError(f"escape must differ from delimiter, but got {self.escape!r}.")
        names = self.names or ()
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or self.names == ():
            raise ValueError(f"names must differ and be at least one, but got {twice or ()}.")
