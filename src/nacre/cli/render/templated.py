"""Rows and table headers through the template engine."""

from __future__ import annotations

from collections.abc import Mapping

from nacre.cli.render.template.errors import TemplateExecutionError, TemplateSyntaxError
from nacre.cli.render.template.evaluate import Template
from nacre.cli.render.template.functions import HEADER_FUNCTIONS
from nacre.cli.render.template.values import Row


class Templated:
    """A ``--format`` template for rows of one kind.

    Raises:
        TemplateSyntaxError: the source is no template.
    """

    def __init__(self, source: str, type_name: str) -> None:
        try:
            self._template = Template(source)
        except TemplateSyntaxError as error:
            error.exit_code = 1  # Docker's lists do not tell it from other errors, inspect does
            raise
        self._type_name = type_name

    def row(self, row: Mapping[str, object]) -> str:
        """Return the text of a row; see :meth:`Template.render` for errors."""
        return self._template.render(Row(self._type_name, dict(sorted(row.items()))))

    def header(self, headers: Mapping[str, str]) -> str:
        """Return the header line: the names of the columns in place of their contents."""
        try:
            return self._template.render(dict(headers), functions=HEADER_FUNCTIONS)
        except TemplateExecutionError as error:
            # The template fits rows, not names: show the names up to there, as Docker does.
            return error.written
