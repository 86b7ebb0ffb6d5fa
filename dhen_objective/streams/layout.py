"""How a text file is laid out."""

from __future__ import annotations

from dataclasses import dataclass

from dhen_objective.checked import checked


@checked
@dataclass(frozen=True, kw_only=True)
class CSV:
    r"""How a text file is laid out, in UTF-8 or any other code that extends ASCII.

    Attributes:
        delimiter: Between two columns.
        names: Names of the columns of a file without a header; by default there is one.
        quotes: Whether a value may stand in double quotes, which are doubled within it. It may
            then hold delimiters and new lines.
        escape: A character that takes the meaning from the next one: a backslash for `\"`.
        null: Texts that mean a missing value, besides empty text: `("NA", r"\N")`.

    Raises:
        ValueError: If a character is no single one of ASCII or has two meanings, or a name
            occurs twice.

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
