"""Changes as values: what was added, changed or deleted."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from nacre.errors import Invalid
from nacre.layers.errors import shown
from nacre.layers.paths import ROOT, split
from nacre.layers.whiteout import PREFIX


class ChangeKind(Enum):
    """What happened to a path; the value is the letter that ``docker diff`` prints."""

    ADDED = "A"
    CHANGED = "C"
    """It is something else now, or something in it changed."""
    DELETED = "D"
    """It is gone, and so is all that was in it."""


class Change(NamedTuple):
    """One change."""

    kind: ChangeKind
    path: bytes
    """Clean path, without symbolic links on the way."""


class Unstorable(Invalid):
    """A layer cannot hold what has that name. ``path`` is its clean path."""

    usual_remedy = "give it another name"

    def __init__(self, path: bytes) -> None:
        super().__init__(
            f"{shown(path)} cannot be part of a layer: names that begin with .wh. say there "
            "that something was deleted"
        )
        self.path = path


def check_name(path: bytes, name: bytes) -> None:
    """Make sure that a layer can hold a name.

    Raises:
        Unstorable: it cannot.
    """
    if name.startswith(PREFIX):
        raise Unstorable(path)


def in_order(found: Mapping[bytes, ChangeKind]) -> list[Change]:
    """Return changes, and those of their parents, in the order of a layer.

    A parent comes once and before what is in it; in a directory deletions come first, as the
    image-spec wants it, and then everything by name. The root is listed only if it is among them.
    """
    kinds = dict(found)
    for path in found:
        above = split(path)[0]
        while above != ROOT and above not in kinds:
            kinds[above] = ChangeKind.CHANGED
            above = split(above)[0]
    return [Change(kinds[path], path) for path in sorted(kinds, key=lambda path: _key(path, kinds))]


def _key(path: bytes, kinds: Mapping[bytes, ChangeKind]) -> bytes:
    # Part after part, each after a NUL, which no name has, and what it is: deleted goes first.
    # As text and not as a list, because all that a large layer holds is sorted by it.
    if not path:
        return b""
    above, _, name = (b"/" + path).rpartition(b"/")
    mark = b"\0\0" if kinds[path] is ChangeKind.DELETED else b"\0\1"
    return above.replace(b"/", b"\0\1") + mark + name
