"""The two ways in which a template fails, worded as Docker words them."""

from __future__ import annotations

from nacre.cli.render.template.values import quote
from nacre.errors import Invalid


class TemplateError(Invalid):
    """A ``--format`` template cannot be used; ``exit_code`` is what Docker's commands return."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(f"template parsing error: template: {message}")


class TemplateSyntaxError(TemplateError):
    """The text is no template; ``line`` counts from 1."""

    exit_code = 64

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f":{line}: {problem}")
        self.line = line


class TemplateExecutionError(TemplateError):
    """The template does not fit the value it was given.

    ``line`` counts from 1, ``column`` from 0 in bytes of UTF-8, both as Go counts them;
    ``template`` is the name that it was defined by, or ""; ``written`` is the output made until
    then.
    """

    def __init__(
        self, line: int, column: int, node: str, problem: str, *, template: str, written: str
    ) -> None:
        super().__init__(f":{line}:{column}: executing {quote(template)} at <{node}>: {problem}")
        self.line = line
        self.column = column
        self.written = written


class FunctionError(Exception):
    """A template function refuses its arguments; the evaluator adds where it was called."""
