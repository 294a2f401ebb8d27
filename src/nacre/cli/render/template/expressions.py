"""Pipelines and a dot -> a value, after Go's text/template execution, with its error messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nacre.cli.render.template.errors import FunctionError, TemplateExecutionError
from nacre.cli.render.template.lexer import line_of
from nacre.cli.render.template.nodes import (
    Command,
    Function,
    Inclusion,
    Literal,
    Operand,
    Path,
    Pipeline,
)
from nacre.cli.render.template.signature import Signature
from nacre.cli.render.template.times import METHODS
from nacre.cli.render.template.values import Moment, Struct, is_strings, truth, type_name

SHORT_CIRCUIT = frozenset({"and", "or"})
_NO_INPUT = object()
_LITERAL_KINDS = {"string": ("string", str), "int": ("integer", int)}
_Node = Operand | Command | Pipeline | Inclusion


@dataclass(frozen=True, slots=True)
class Execution:
    """What all templates of one run share: what they are, what they may call, what they wrote."""

    source: str
    functions: Mapping[str, Signature]
    missing_is_error: bool
    out: list[str] = field(default_factory=list)


class _Given(NamedTuple):
    """What a function is given: operands, to be evaluated with a dot, and what is piped to it."""

    operands: Sequence[Operand]
    dot: object
    piped: Sequence[object]


class Scope:
    """The variables of one template while it runs, innermost last, and what they make."""

    def __init__(self, execution: Execution, name: str, dot: object) -> None:
        self._execution = execution
        self._name = name
        self._variables: list[tuple[str, object]] = [("$", dot)]

    def error(self, node: _Node, problem: str) -> TemplateExecutionError:
        """Return the error of a node, saying where it is."""
        source, position = self._execution.source, node.position
        start = source.rfind("\n", 0, position) + 1
        return TemplateExecutionError(
            line_of(source, position),
            len(source[start:position].encode("utf-8", "surrogatepass")),
            str(node),
            problem,
            template=self._name,
            written="".join(self._execution.out),
        )

    # --- variables

    def mark(self) -> int:
        """Return what `forget` takes to go back to the variables of now."""
        return len(self._variables)

    def forget(self, mark: int) -> None:
        """Drop all variables that were declared since."""
        del self._variables[mark:]

    def assign(self, pipeline: Pipeline, name: str, value: object) -> None:
        """Give a variable that there is another value."""
        for index in reversed(range(len(self._variables))):
            if self._variables[index][0] == name:
                self._variables[index] = (name, value)
                return
        raise self.error(pipeline.commands[-1], f"undefined variable: {name}")

    def _variable(self, path: Path, wanted: str) -> object:
        for name, value in reversed(self._variables):
            if name == wanted:
                return value
        # Known to the parser, but its declaration was in an argument that "and" or "or" skipped.
        raise self.error(path, f"undefined variable: {wanted}")

    # --- pipelines

    def pipeline(self, pipeline: Pipeline, dot: object) -> object:
        """Return what a pipeline makes, having given it to the variables of the pipeline."""
        value: object = _NO_INPUT
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        for name in pipeline.variables:
            if pipeline.assigns:
                self.assign(pipeline, name, value)
            else:
                self._variables.append((name, value))
        return value

    def _command(self, command: Command, dot: object, final: object) -> object:
        """Evaluate one command; ``final`` is the value piped into it, its last argument."""
        first, *arguments = command.operands
        given = _Given(arguments, dot, () if final is _NO_INPUT else (final,))
        if isinstance(first, Function):
            return self._call(first, command, given)
        if given.operands or given.piped:
            if isinstance(first, Path) and first.fields:
                return self._method(first, given)
            raise self.error(first, f"can't give argument to non-function {first}")
        if isinstance(first, Literal):
            if first.value is None:
                raise self.error(first, "nil is not a command")
            return first.value
        return self._path(first, dot)

    # --- operands

    def _operand(self, operand: Operand, dot: object) -> object:
        match operand:
            case Literal():
                return operand.value
            case Path():
                return self._path(operand, dot)
            case Function():
                command = Command((operand,), operand.position)
                return self._call(operand, command, _Given((), dot, ()))

    def _path(self, path: Path, dot: object) -> object:
        value = self._root(path, dot)
        for name in path.fields:
            value = self._field(path, value, name)
        return value

    def _root(self, path: Path, dot: object) -> object:
        if isinstance(path.root, Pipeline):
            return self.pipeline(path.root, dot)
        return dot if path.root == "." else self._variable(path, path.root)

    def _field(
        self, path: Path, value: object, name: str, *, has_arguments: bool = False
    ) -> object:
        missing_is_error = self._execution.missing_is_error
        match value:
            case None if missing_is_error:
                raise self.error(path, f'nil data; no entry for key "{name}"')
            case None:
                return None
            case Mapping() if has_arguments:
                raise self.error(path, f"{name} is not a method but has arguments")
            case Mapping() if missing_is_error and name not in value:
                raise self.error(path, f'map has no entry for key "{name}"')
            case Mapping():
                return value.get(name)
            case Moment() if name in METHODS:
                given = _Given((), None, ())
                return METHODS[name].call(value, *self._arguments(path, name, METHODS[name], given))
            case Struct():
                for fields in (value.fields, value.absent, value.aliases):
                    if name in fields and has_arguments:
                        problem = f"{name} has arguments but cannot be invoked as function"
                        raise self.error(path, problem)
                    if name in fields:
                        return fields[name]
        # What JSON holds has no type of its own; only there keys can be missing.
        kind = "interface {}" if missing_is_error else type_name(value)
        raise self.error(path, f"can't evaluate field {name} in type {kind}")

    # --- functions and methods

    def _method(self, path: Path, given: _Given) -> object:
        *before, name = path.fields
        owner = self._path(Path(path.root, tuple(before), path.position), given.dot)
        if not isinstance(owner, Moment) or name not in METHODS:
            return self._field(path, owner, name, has_arguments=True)
        method = METHODS[name]
        return method.call(owner, *self._arguments(path, name, method, given))

    def _call(self, function: Function, command: Command, given: _Given) -> object:
        if function.name in SHORT_CIRCUIT:
            return self._short_circuit(function, given)
        signature = self._execution.functions[function.name]
        values = self._arguments(function, function.name, signature, given)
        if function.name == "call":
            values.insert(0, _source(given.operands, values))
        try:
            return signature.call(*values)
        except FunctionError as error:
            raise self.error(command, f"error calling {function.name}: {error}") from None

    def _short_circuit(self, function: Function, given: _Given) -> object:
        if not given.operands and not given.piped:
            raise self.error(
                function, f"wrong number of args for {function.name}: want at least 1 got 0"
            )
        value: object = None
        for operand in given.operands:
            value = self._operand(operand, given.dot)
            if truth(value) == (function.name == "or"):
                return value
        return given.piped[0] if given.piped else value

    # --- arguments

    def _arguments(
        self, node: _Node, name: str, signature: Signature, given: _Given
    ) -> list[object]:
        """Return the values of all arguments, or fail if their number or types are wrong."""
        kinds = self._kinds(node, name, signature, len(given.operands) + len(given.piped))
        values = [
            self._argument(kind, operand, given.dot)
            for kind, operand in zip(kinds, given.operands, strict=False)
        ]
        return [*values, *(self._checked(kinds[-1], node, value) for value in given.piped)]

    def _kinds(self, node: _Node, name: str, signature: Signature, count: int) -> tuple[str, ...]:
        """Return the type of each argument, or fail if their number is wrong."""
        wanted = len(signature.parameters)
        if count < wanted or (count > wanted and not signature.variadic):
            want = f"at least {wanted}" if signature.variadic else f"{wanted}"
            raise self.error(node, f"wrong number of args for {name}: want {want} got {count}")
        return signature.parameters + (signature.variadic,) * (count - wanted)

    def _argument(self, kind: str, operand: Operand, dot: object) -> object:
        if not isinstance(operand, Literal) or kind == "any":
            return self._checked(kind, operand, self._operand(operand, dot))
        value = operand.value
        if value is None and kind == "[]string":
            return None
        if value is None:
            raise self.error(operand, f"cannot assign nil to {kind}")
        if kind == "[]string":
            raise self.error(operand, f"can't handle {operand} for arg of type {kind}")
        if kind == "int" and isinstance(value, float) and value.is_integer():
            return int(value)
        word, python_type = _LITERAL_KINDS[kind]
        if not isinstance(value, python_type) or isinstance(value, bool):
            raise self.error(operand, f"expected {word}; found {operand}")
        return value

    def _checked(self, kind: str, node: _Node, value: object) -> object:
        """Return a value that is of a parameter's type, or fail."""
        if kind == "any" or (kind == "[]string" and (value is None or is_strings(value))):
            return value
        if value is None:
            raise self.error(node, f"invalid value; expected {kind}")
        if type_name(value) != kind:
            raise self.error(node, f"wrong type for value; expected {kind}; got {type_name(value)}")
        return value


def _source(arguments: Sequence[Operand], values: Sequence[object]) -> str:
    """Return how Go names what ``call`` is to call: as written or, if it was piped, its value."""
    if arguments:
        return str(arguments[0])
    return values[0] if isinstance(values[0], str) else f"<{type_name(values[0])} Value>"
