"""What a parsed template is made of. ``str()`` of a node is its source, for error messages.

``position`` is the offset in the template that Go reports for the node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nacre.cli.render.template.values import quote


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: string, number, boolean or ``nil``."""

    value: str | bool | float | None
    source: str
    position: int

    def __str__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class Path:
    """A root and fields of it, if any: ``.A.B`` (root "."), ``$x.A`` (root "$x"), ``(…).A``."""

    root: str | Pipeline
    fields: tuple[str, ...]
    position: int

    def __str__(self) -> str:
        root = f"({self.root})" if isinstance(self.root, Pipeline) else self.root
        names = "".join(f".{name}" for name in self.fields)
        return names if root == "." and names else f"{root}{names}"


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function, as the first word of a command or as an argument."""

    name: str
    position: int

    def __str__(self) -> str:
        return self.name


Operand = Literal | Path | Function


@dataclass(frozen=True, slots=True)
class Command:
    """A value or a function with its arguments."""

    operands: tuple[Operand, ...]
    position: int

    def __str__(self) -> str:
        return " ".join(map(str, self.operands))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands that each take the last one's result, and the variables that take the final one.

    As a statement it prints the result, unless it has variables.
    """

    variables: tuple[str, ...]
    assigns: bool
    commands: tuple[Command, ...]
    position: int

    def __str__(self) -> str:
        value = " | ".join(map(str, self.commands))
        if not self.variables:
            return value
        return f"{', '.join(self.variables)} {'=' if self.assigns else ':='} {value}"


@dataclass(frozen=True, slots=True)
class Branch:
    """An ``if``, ``with`` or ``range``: the body runs on the pipeline's value, else the other."""

    keyword: str
    pipeline: Pipeline
    body: Sequence[Statement]
    otherwise: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A ``template``: the text that another one makes of the pipeline's value, if there is one."""

    name: str
    pipeline: Pipeline | None
    position: int

    def __str__(self) -> str:
        value = f" {self.pipeline}" if self.pipeline else ""
        return f"{{{{template {quote(self.name)}{value}}}}}"


@dataclass(frozen=True, slots=True)
class Leave:
    """A ``break`` or ``continue`` of the innermost range."""

    keyword: str


Statement = str | Pipeline | Branch | Inclusion | Leave
