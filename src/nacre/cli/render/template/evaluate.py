"""Statements and a value -> text, after Go's text/template execution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nacre.cli.render.template.expressions import SHORT_CIRCUIT, Execution, Scope
from nacre.cli.render.template.functions import FUNCTIONS
from nacre.cli.render.template.nodes import (
    Branch,
    Inclusion,
    Leave,
    Literal,
    Pipeline,
    Statement,
)
from nacre.cli.render.template.parser import parse
from nacre.cli.render.template.signature import Signature
from nacre.cli.render.template.values import in_order, printed, quote, truth

_TOO_DEEP = "exceeded maximum template depth"


class Template:
    """A parsed template.

    Raises:
        TemplateSyntaxError: the source is no template.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._bodies = parse(source, FUNCTIONS.keys() | SHORT_CIRCUIT)

    def render(
        self,
        value: object,
        *,
        functions: Mapping[str, Signature] = FUNCTIONS,
        missing_is_error: bool = False,
    ) -> str:
        """Return the text that the template makes of a value.

        Args:
            value: the dot.
            functions: what it may call.
            missing_is_error: refuse a key that a map does not have (Go's missingkey=error).

        Raises:
            TemplateExecutionError: the template does not fit the value.

        """
        execution = Execution(self._source, functions, missing_is_error)
        run = _Run(execution, self._bodies, "", value)
        try:
            run.walk(self._bodies[""], value)
        except RecursionError:
            raise run.scope.error(Literal(None, "", 0), _TOO_DEEP) from None
        return "".join(execution.out)


class _Run:
    """One run of one of the templates that a source defines; the source itself is named ""."""

    def __init__(
        self,
        execution: Execution,
        bodies: Mapping[str, Iterable[Statement]],
        name: str,
        dot: object,
    ) -> None:
        self.scope = Scope(execution, name, dot)
        self._execution = execution
        self._bodies = bodies

    def walk(self, statements: Iterable[Statement], dot: object) -> str:
        """Run some statements; return the ``break`` or ``continue`` that ended them, if any."""
        for statement in statements:
            match statement:
                case str():
                    self._execution.out.append(statement)
                case Pipeline():
                    value = self.scope.pipeline(statement, dot)
                    if not statement.variables:
                        shown = "<no value>" if value is None else printed(value)
                        self._execution.out.append(shown)
                case Inclusion():
                    self._include(statement, dot)
                case Branch():
                    if left := self._branch(statement, dot):
                        return left
                case Leave():
                    return statement.keyword
        return ""

    def _include(self, inclusion: Inclusion, dot: object) -> None:
        body = self._bodies.get(inclusion.name)
        if body is None:
            problem = f"template {quote(inclusion.name)} not defined"
            raise self.scope.error(inclusion, problem)
        value = self.scope.pipeline(inclusion.pipeline, dot) if inclusion.pipeline else None
        try:
            _Run(self._execution, self._bodies, inclusion.name, value).walk(body, value)
        except RecursionError:
            raise self.scope.error(inclusion, _TOO_DEEP) from None

    def _branch(self, branch: Branch, dot: object) -> str:
        outer = self.scope.mark()
        value = self.scope.pipeline(branch.pipeline, dot)
        if branch.keyword == "range":
            left = self._range(branch, dot, value)
        elif truth(value):
            left = self.walk(branch.body, value if branch.keyword == "with" else dot)
        else:
            left = self.walk(branch.otherwise, dot)
        self.scope.forget(outer)
        return left

    def _range(self, branch: Branch, dot: object, value: object) -> str:
        names = branch.pipeline.variables
        scope = self.scope.mark()
        empty = True
        for pair in self._pairs(branch, value):
            empty = False
            # One variable takes the item, two take its key and the item.
            for name, bound in zip(names, pair[-len(names) :], strict=False):
                self.scope.assign(branch.pipeline, name, bound)
            left = self.walk(branch.body, pair[-1])
            self.scope.forget(scope)
            if left == "break":
                break
        left = self.walk(branch.otherwise, dot) if empty else ""
        # As in Go, a "break" there ends with this range, but a "continue" is of the one around.
        return left if left == "continue" else ""

    def _pairs(self, branch: Branch, value: object) -> Iterable[tuple[object, object]]:
        pairs: Iterable[tuple[object, object]] = ()
        match value:
            case None:
                pass
            case list() | tuple():
                pairs = enumerate(value)
            case Mapping():
                pairs = in_order(value)
            case int() if not isinstance(value, bool):
                if len(branch.pipeline.variables) > 1:
                    problem = f"can't use {value} to iterate over more than one variable"
                    raise self.scope.error(branch.pipeline.commands[-1], problem)
                pairs = ((number, number) for number in range(value))
            case _:
                problem = f"range can't iterate over {printed(value)}"
                raise self.scope.error(branch.pipeline, problem)
        return pairs
