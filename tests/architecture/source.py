"""The source tree as data: its modules, and what each of them imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).parents[2]
SOURCE = PROJECT / "src" / "nacre"


@dataclass(frozen=True)
class Module:
    """One Python file; ``name`` is dotted, without the leading ``nacre.`` ("" is nacre itself)."""

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        """Whether it is an ``__init__.py``."""
        return self.path.name == "__init__.py"

    @property
    def package(self) -> str:
        """The first part of the name: ``oci``, ``cli``, ``errors`` ..."""
        return self.name.partition(".")[0]

    @property
    def within(self) -> str:
        """The path below src/nacre, with slashes: what the rules name."""
        return self.path.relative_to(SOURCE).as_posix()

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.path.read_text(), filename=str(self.path))

    @cached_property
    def imports(self) -> frozenset[str]:
        """Every dotted name that is imported anywhere in it, ``from a import b`` as ``a.b``."""
        return frozenset(self._imports(ast.walk(self.tree)))

    @cached_property
    def running_imports(self) -> frozenset[str]:
        """Those that can happen when it runs: not what stands under ``if TYPE_CHECKING``."""
        return frozenset(self._imports(_running(self.tree)))

    def _imports(self, nodes: Iterator[ast.AST]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base_of(node)
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _base_of(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        here = ["nacre", *self.name.split(".")] if self.name else ["nacre"]
        parents = here[: len(here) - node.level + self.is_package]
        return ".".join([*parents, *([node.module] if node.module else [])])

    def strings(self) -> Iterator[str]:
        """Every string in the code that is not a docstring, f-strings in their fixed parts."""
        prose = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and id(node) not in prose:
                if isinstance(node.value, str):
                    yield node.value
                elif isinstance(node.value, bytes):
                    yield node.value.decode("latin-1")

    def attributes(self) -> Iterator[str]:
        """Every name that is read as an attribute of something."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                yield node.attr

    def names(self) -> Iterator[str]:
        """Every name that is read, dotted where it is an attribute of a name: ``os.environ``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield f"{node.value.id}.{node.attr}"
            elif isinstance(node, ast.Name):
                yield node.id


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, leaving out what only a type checker sees."""
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        yield from _running(child)


def modules() -> list[Module]:
    """Return every module of nacre."""
    return [_module(path) for path in sorted(SOURCE.rglob("*.py"))]


def _module(path: Path) -> Module:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return Module(".".join(part for part in parts if part != "__init__"), path)


def resolve(imported: str, known: frozenset[str]) -> str | None:
    """Return the module of nacre that an import refers to, or None when it is not nacre's.

    ``nacre.oci.digest.Digest`` is ``oci.digest``; ``nacre.oci`` is ``oci``.
    """
    first, *rest = imported.split(".")
    if first != "nacre":
        return None
    while rest and ".".join(rest) not in known:
        rest.pop()
    return ".".join(rest)
