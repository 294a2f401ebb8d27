"""Layers and stacks of them in a few words: real tars, their tables, and the tree they make."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nacre.layers import whiteout
from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import END_OF_ARCHIVE, write_entry
from nacre.layers.toc import Toc, TocBuilder
from nacre.layers.union import Tree, union
from nacre.oci.digest import Digest


@dataclass(frozen=True)
class Member:
    """A member of a tar with its content."""

    entry: Entry
    content: bytes = b""


def file(name: str, content: bytes = b"", **attributes: Any) -> Member:
    return Member(Entry(name.encode(), Kind.REG, size=len(content), **attributes), content)


def folder(name: str, mode: int = 0o755, **attributes: Any) -> Member:
    return Member(Entry(name.encode(), Kind.DIR, mode, **attributes))


def symlink(name: str, target: str, **attributes: Any) -> Member:
    return Member(Entry(name.encode(), Kind.SYMLINK, 0o777, linkname=target.encode(), **attributes))


def hardlink(name: str, target: str, **attributes: Any) -> Member:
    return Member(Entry(name.encode(), Kind.LINK, linkname=target.encode(), **attributes))


def special(name: str, kind: Kind, **attributes: Any) -> Member:
    return Member(Entry(name.encode(), kind, **attributes))


def gone(path: str) -> Member:
    """Return the whiteout of a path."""
    return file(whiteout.whiteout(path.encode()).decode())


def opaque(directory: str = "") -> Member:
    """Return the marker that makes a directory opaque."""
    return file(whiteout.opaque(directory.encode()).decode())


def tar_of(members: Sequence[Member]) -> bytes:
    out = io.BytesIO()
    for member in members:
        write_entry(out, member.entry, io.BytesIO(member.content))
    return out.getvalue() + END_OF_ARCHIVE


def table(tar: bytes, *, step: int = 1 << 20, **options: Any) -> Toc:
    """Return the table of a tar that is fed in steps of so many bytes."""
    builder = TocBuilder(**options)
    for start in range(0, len(tar), step):
        builder.feed(tar[start : start + step])
    return builder.finish(Digest.of(tar))


class Stack:
    """Layers on top of each other, base first."""

    def __init__(self, *layers: Sequence[Member]) -> None:
        self.tars = [tar_of(layer) for layer in layers]
        self.tocs = [table(tar) for tar in self.tars]
        self.tree: Tree = union(self.tocs)

    def paths(self) -> list[str]:
        """Return all paths but the root, directories with a final slash."""
        return [
            path.decode() + ("/" if node.children is not None else "")
            for path, node in self.tree.walk()
            if path
        ]

    def read(self, path: str) -> bytes:
        """Return a file's content from the tar that the tree says holds it."""
        node = self.tree.resolve(path.encode())
        assert node.kind is Kind.REG
        assert node.size == node.stored_size
        return self.tars[node.layer][node.data_offset : node.data_offset + node.size]

    def exists(self, path: str) -> bool:
        """Say whether there is something at a path, be it a link to nothing."""
        listed = {found for found, _ in self.tree.walk()}
        return path.encode() in listed

    def is_same(self, one: str, other: str) -> bool:
        """Say whether two paths lead to one and the same file."""
        return self.tree.resolve(one.encode()) is self.tree.resolve(other.encode())
