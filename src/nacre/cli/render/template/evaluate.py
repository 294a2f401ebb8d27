"""Statements and a value -> text, after Go's text/template execution, with its error messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nacre.cli.render.template.errors import FunctionError, TemplateExecutionError
from nacre.cli.render.template.functions import FUNCTIONS, Signature
from nacre.cli.render.template.lexer import line_of
from nacre.cli.render.template.nodes import (
    Branch,
    Command,
    Function,
    Literal,
    Operand,
    Path,
    Pipeline,
    Statement,
)
from nacre.cli.render.template.parser import parse
from nacre.cli.render.template.values import (
    Struct,
    in_order,
    is_strings,
    printed,
    truth,
    type_name,
)

SHORT_CIRCUIT = frozenset({"and", "or"})
_NO_INPUT = object()
_LITERAL_KINDS = {"string": ("string", str), "int": ("integer", int)}
_Node = Literal | Path | Function | Command | Pipeline


class Template:
    """A parsed template.

    Raises:
        TemplateSyntaxError: the source is no template.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._statements = parse(source, FUNCTIONS.keys() | SHORT_CIRCUIT)

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
        run = _Run(self._source, functions, value, missing_is_error=missing_is_error)
        try:
            run.walk(self._statements, value)
        except RecursionError:
            raise run.error(Literal(None, "", 0), "exceeded maximum template depth") from None
        return "".join(run.out)


class _Run:
    """One execution: the output so far and the variables in scope, innermost last."""

    def __init__(
        self,
        source: str,
        functions: Mapping[str, Signature],
        value: object,
        *,
        missing_is_error: bool,
    ) -> None:
        self.out: list[str] = []
        self._source = source
        self._missing_is_error = missing_is_error
        self._functions = functions
        self._variables: list[tuple[str, object]] = [("$", value)]

    def error(self, node: _Node, problem: str) -> TemplateExecutionError:
        start = self._source.rfind("\n", 0, node.position) + 1
        column = len(self._source[start : node.position].encode("utf-8", "surrogatepass"))
        line = line_of(self._source, node.position)
        return TemplateExecutionError(line, column, str(node), problem, written="".join(self.out))

    # --- statements

    def walk(self, statements: Iterable[Statement], dot: object) -> None:
        for statement in statements:
            match statement:
                case str():
                    self.out.append(statement)
                case Pipeline():
                    value = self._pipeline(statement, dot)
                    if not statement.variables:
                        self.out.append("<no value>" if value is None else printed(value))
                case Branch():
                    self._branch(statement, dot)

    def _branch(self, branch: Branch, dot: object) -> None:
        outer = len(self._variables)
        value = self._pipeline(branch.pipeline, dot)
        if branch.keyword == "range":
            self._range(branch, dot, value)
        elif truth(value):
            self.walk(branch.body, value if branch.keyword == "with" else dot)
        else:
            self.walk(branch.otherwise, dot)
        del self._variables[outer:]

    def _range(self, branch: Branch, dot: object, value: object) -> None:
        names = branch.pipeline.variables
        scope = len(self._variables)
        empty = True
        for pair in self._pairs(branch, value):
            empty = False
            # One variable takes the item, two take its key and the item.
            for name, bound in zip(names, pair[-len(names) :], strict=False):
                self._assign(branch.pipeline, name, bound)
            self.walk(branch.body, pair[-1])
            del self._variables[scope:]
        if empty:
            self.walk(branch.otherwise, dot)

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
                    raise self.error(branch.pipeline.commands[-1], problem)
                pairs = ((number, number) for number in range(value))
            case _:
                raise self.error(branch.pipeline, f"range can't iterate over {printed(value)}")
        return pairs

    # --- pipelines

    def _pipeline(self, pipeline: Pipeline, dot: object) -> object:
        value: object = _NO_INPUT
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        for name in pipeline.variables:
            if pipeline.assigns:
                self._assign(pipeline, name, value)
            else:
                self._variables.append((name, value))
        return value

    def _assign(self, pipeline: Pipeline, name: str, value: object) -> None:
        for index in reversed(range(len(self._variables))):
            if self._variables[index][0] == name:
                self._variables[index] = (name, value)
                return
        raise self.error(pipeline.commands[-1], f"undefined variable: {name}")

    def _command(self, command: Command, dot: object, final: object) -> object:
        """Evaluate one command; ``final`` is the value piped into it, its last argument."""
        first, *arguments = command.operands
        if isinstance(first, Function):
            return self._call(first, command, arguments, dot, final)
        if arguments or final is not _NO_INPUT:
            if isinstance(first, Path) and first.fields:
                raise self.error(first, f"{first.fields[-1]} is not a method but has arguments")
            raise self.error(first, f"can't give argument to non-function {first}")
        if isinstance(first, Literal):
            if first.value is None:
                raise self.error(first, "nil is not a command")
            return first.value
        return self._path(first, dot)

    def _operand(self, operand: Operand, dot: object) -> object:
        match operand:
            case Literal():
                return operand.value
            case Path():
                return self._path(operand, dot)
            case Function():
                command = Command((operand,), operand.position)
                return self._call(operand, command, [], dot, _NO_INPUT)

    def _path(self, path: Path, dot: object) -> object:
        if isinstance(path.root, Pipeline):
            value = self._pipeline(path.root, dot)
        elif path.root == ".":
            value = dot
        else:
            value = self._variable(path, path.root)
        for name in path.fields:
            value = self._field(path, value, name)
        return value

    def _variable(self, path: Path, wanted: str) -> object:
        for name, value in reversed(self._variables):
            if name == wanted:
                return value
        # Known to the parser, but its declaration was in an argument that "and" or "or" skipped.
        raise self.error(path, f"undefined variable: {wanted}")

    def _field(self, path: Path, value: object, name: str) -> object:
        match value:
            case None if self._missing_is_error:
                raise self.error(path, f'nil data; no entry for key "{name}"')
            case None:
                return None
            case Mapping() if self._missing_is_error and name not in value:
                raise self.error(path, f'map has no entry for key "{name}"')
            case Mapping():
                return value.get(name)
            case Struct():
                for fields in (value.fields, value.absent):
                    if name in fields:
                        return fields[name]
        # What JSON holds has no type of its own; only there keys can be missing.
        kind = "interface {}" if self._missing_is_error else type_name(value)
        raise self.error(path, f"can't evaluate field {name} in type {kind}")

    # --- functions

    def _call(
        self,
        function: Function,
        command: Command,
        arguments: Sequence[Operand],
        dot: object,
        final: object,
    ) -> object:
        piped = [] if final is _NO_INPUT else [final]
        if function.name in SHORT_CIRCUIT:
            return self._short_circuit(function, arguments, dot, piped)
        signature = self._functions[function.name]
        kinds = self._kinds(function, signature, len(arguments) + len(piped))
        values = [
            self._argument(kind, operand, dot)
            for kind, operand in zip(kinds, arguments, strict=False)
        ]
        values += [self._checked(kinds[-1], function, value) for value in piped]
        try:
            return signature.call(*values)
        except FunctionError as error:
            raise self.error(command, f"error calling {function.name}: {error}") from None

    def _short_circuit(
        self, function: Function, arguments: Sequence[Operand], dot: object, piped: list[object]
    ) -> object:
        if not arguments and not piped:
            raise self.error(
                function, f"wrong number of args for {function.name}: want at least 1 got 0"
            )
        value: object = None
        for operand in arguments:
            value = self._operand(operand, dot)
            if truth(value) == (function.name == "or"):
                return value
        return piped[0] if piped else value

    def _kinds(self, function: Function, signature: Signature, count: int) -> tuple[str, ...]:
        """Return the type of each argument, or fail if their number is wrong."""
        wanted = len(signature.parameters)
        if signature.variadic and count < wanted:
            want = f"want at least {wanted} got {count}"
            raise self.error(function, f"wrong number of args for {function.name}: {want}")
        if not signature.variadic and count != wanted:
            raise self.error(
                function, f"wrong number of args for {function.name}: want {wanted} got {count}"
            )
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
