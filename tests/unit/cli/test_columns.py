"""Display width, ellipsis and tables."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.cli.render.columns import PADDING, display_width, ellipsis, tabulate

CELLS = st.text(st.characters(exclude_characters="\t\n"), max_size=20)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("日本", 4),
        ("\uff21\uff22", 4),
        ("a\u200bb", 2),
        ("…", 1),
    ],
)
def test_width_counts_terminal_columns(text: str, width: int) -> None:
    assert display_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("abcdef", 2, "a…"),
        ("abcdef", 1, "a"),
        ("abcdef", 0, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("日本語", 1, "日"),
        ("", 1, ""),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
    ],
)
def test_ellipsis_keeps_to_the_width(text: str, width: int, shown: str) -> None:
    assert ellipsis(text, width) == shown


@given(st.text(), st.integers(min_value=2, max_value=60))
def test_ellipsis_never_exceeds_the_width_and_keeps_what_fits(text: str, width: int) -> None:
    shown = ellipsis(text, width)
    assert display_width(shown) <= width
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))


def test_columns_are_as_wide_as_their_widest_cell_and_three() -> None:
    lines = tabulate(["a\tb\tc", "a long cell here\tb\tc"])
    assert lines == [
        "a                  b         c",
        "a long cell here   b         c",
    ]


def test_the_last_cell_is_not_padded() -> None:
    assert tabulate(["a\tlong last cell", "a\tb"]) == ["a         long last cell", "a         b"]


def test_a_final_tab_makes_the_last_cell_a_column() -> None:
    assert tabulate(["a\t", "abcdefgh\t"]) == ["a          ", "abcdefgh   "]


def test_a_line_without_the_cell_ends_the_column() -> None:
    lines = tabulate(["a long cell here\tx", "no cell", "a\tx"])
    assert lines == ["a long cell here   x", "no cell", "a         x"]


def test_inner_columns_end_with_their_outer_ones() -> None:
    lines = tabulate(["a\ta rather long cell\tx", "a\tx", "a\tb\tx"])
    assert lines == ["a         a rather long cell   x", "a         x", "a         b         x"]


def test_empty_cells_keep_the_minimum_width() -> None:
    assert tabulate(["\t\tx"]) == [" " * 20 + "x"]


def test_wide_characters_align_on_the_screen() -> None:
    assert tabulate(["日本語日本\tx", "abcdefghij\tx"]) == ["日本語日本   x", "abcdefghij   x"]


def test_no_lines_make_no_table() -> None:
    assert tabulate([]) == []


@given(st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=8))
def test_cells_survive_and_are_set_apart(rows: list[list[str]]) -> None:
    lines = tabulate(["\t".join(row) for row in rows])
    for row, line in zip(rows, lines, strict=True):
        padded = "".join(f"{re.escape(cell)} {{{PADDING},}}" for cell in row[:-1])
        assert re.fullmatch(padded + re.escape(row[-1]), line)


@given(st.integers(1, 5), st.data())
def test_columns_of_full_tables_start_at_one_place(columns: int, data: st.DataObject) -> None:
    row = st.lists(CELLS, min_size=columns, max_size=columns)
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    marked = tabulate(["\t".join([*row, "|"]) for row in rows])
    assert len({display_width(line) for line in marked}) == 1
