"""Text in columns: how wide it is on a terminal, cutting it, and aligning it.

Alignment follows Go's text/tabwriter as Docker sets it up: cells end in a tab, a column is a run
of consecutive lines that have the cell, and what follows a line's last tab belongs to no column.
"""

from __future__ import annotations

from collections.abc import Iterable

MINIMUM_WIDTH = 10
"""The columns that a cell and its padding take at least."""

PADDING = 3
"""The spaces between a column's widest cell and the next column."""

ELLIPSIS = "…"


def display_width(text: str) -> int:
    """Return the terminal columns that a text takes.

    East-Asian wide characters take two, combining marks and format characters none.
    """
    return len(text) if text.isascii() else sum(map(_character_width, text))


def ellipsis(text: str, width: int) -> str:
    """Return the text, cut to ``width`` terminal columns with a final ``…`` where it is longer."""
    if display_width(text) <= width:
        return text
    if text.isascii():
        return text[: width - 1] + ELLIPSIS if width > 1 else text[: max(width, 0)]
    used = 0
    for index, character in enumerate(text):
        used += _character_width(character)
        if used > width - 1:
            return text[:index] + ELLIPSIS if width > 1 else text[: max(width, 0)]
    raise AssertionError("a text too wide has a character too many")


def tabulate(lines: Iterable[str]) -> list[str]:
    """Return the lines with every cell padded to its column's width."""
    rows = [line.split("\t") for line in lines]
    column = 0
    while _pad_column(rows, column):
        column += 1
    return ["".join(row) for row in rows]


def _pad_column(rows: list[list[str]], column: int) -> bool:
    """Pad one column in place, run by run; say whether any line has it."""
    found = False
    run: list[list[str]] = []
    for row in [*rows, []]:
        if column < len(row) - 1:
            run.append(row)
        elif run:
            _pad_run(run, column)
            found = True
            run = []
    return found


def _pad_run(run: list[list[str]], column: int) -> None:
    widths = [display_width(row[column]) for row in run]
    width = max(MINIMUM_WIDTH, max(widths) + PADDING)
    for row, used in zip(run, widths, strict=True):
        row[column] += " " * (width - used)


def _character_width(character: str) -> int:
    # Most tables are ASCII: the character database (1 MB) is loaded for the others only.
    from unicodedata import category, combining, east_asian_width

    if combining(character) or category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if east_asian_width(character) in {"W", "F"} else 1
