"""``--format`` of the commands that list things: a table, JSON lines, or a template per row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from nacre.cli.render.columns import tabulate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Renderer(Protocol):
        """A template, ready for use."""

        def row(self, row: Row) -> str:
            """Return the text of a row."""

        def header(self, headers: Mapping[str, str]) -> str:
            """Return the line above a table, given the header of each field."""


_TABLE = "table"
_FIELD = re.compile(r"\{\{\.([A-Za-z][A-Za-z0-9]*)\}\}")

Row = Mapping[str, object]
"""The fields of one listed thing, by the names that templates use: ``ID``, ``Size``, …"""


def render_rows(
    rows: Iterable[Row],
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    default_table: str,
    headers: Mapping[str, str],
    quiet_field: str | None = None,
    type_name: str = "row",
) -> Iterator[str]:
    r"""Return the lines that list some rows, without newlines at their ends.

    ``format`` is what the user asked for: ``table`` or nothing (the default table),
    ``table TEMPLATE`` (columns separated by ``\t``, under a header line), ``json`` (an object per
    line, keys sorted), ``raw`` (a block of lines per row, where rows of the kind have one) or a
    template per row. ``default_table`` is a format of the second kind, ``headers`` gives each
    field's column header. With ``quiet_field`` the default table shrinks to that one field
    without a header. ``type_name`` names the kind of row in errors.

    Rows are taken one by one, except for tables.

    Raises:
        TemplateSyntaxError: at once, when the template cannot be parsed.
        TemplateExecutionError: from the iterator, at a row that the template does not fit.
    """
    asked = format or _TABLE
    if asked == "json":
        asked = "{{json .}}"
    if asked == "raw":
        from nacre.cli.render.raw import template

        asked = template(type_name, default_table, quiet_field)
    if asked == _TABLE:
        asked = default_table if quiet_field is None else f"{{{{.{quiet_field}}}}}"
    # A shell leaves \t and \n as they are typed; Docker takes them for tab and newline anywhere.
    source = asked.removeprefix(_TABLE).strip(" ").replace(r"\t", "\t").replace(r"\n", "\n")
    renderer = _renderer(source, type_name)
    lines = (renderer.row(row) for row in rows)
    return _table(renderer.header(headers), lines) if asked.startswith(_TABLE) else lines


def _table(header: str, lines: Iterable[str]) -> Iterator[str]:
    text = "\n".join([header, *lines])
    yield from tabulate(text.split("\n"))


def _renderer(source: str, type_name: str) -> Renderer:
    pieces = _FIELD.split(source)
    if any("{{" in text or text.endswith("{") for text in pieces[::2]):
        return _engine(source, type_name)
    return _Plain(source, type_name, pieces)


def _engine(source: str, type_name: str) -> Renderer:
    from nacre.cli.render.templated import Templated

    return Templated(source, type_name)


class _Plain:
    """A template of nothing but text and fields, as every default table is.

    Such a template needs no template engine, whose import takes longer than everything else that
    ``nacre history`` does. What is less plain than expected is left to the engine after all.
    """

    def __init__(self, source: str, type_name: str, pieces: list[str]) -> None:
        self._source = source
        self._type_name = type_name
        self._pieces = pieces

    def row(self, row: Row) -> str:
        filled: list[str] = self._pieces.copy()
        for index in range(1, len(filled), 2):
            value = row.get(filled[index])
            if not isinstance(value, str):
                return _engine(self._source, self._type_name).row(row)
            filled[index] = value
        return "".join(filled)

    def header(self, headers: Mapping[str, str]) -> str:
        filled = self._pieces.copy()
        filled[1::2] = (headers.get(name, "<no value>") for name in filled[1::2])
        return "".join(filled)
