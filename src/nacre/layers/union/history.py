"""The history of one path: which layers had a hand in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from nacre.layers.entry import Entry
from nacre.layers.toc import Toc
from nacre.layers.union.fold import Fold
from nacre.layers.union.node import Node


class Change(Enum):
    """What a layer did to a path; the value is the letter that ``docker diff`` shows."""

    ADDED = "A"
    CHANGED = "C"
    REMOVED = "D"


class Event(NamedTuple):
    """One layer's change of a path."""

    layer: int
    """Its number in the chain, the base being 0."""
    change: Change
    entry: Entry | None
    """What is there since, hard links resolved; None when it was removed."""


class _Nothing(Exception):
    """There is nothing at the path."""


def history(layers: Iterable[Toc], path: bytes) -> list[Event]:
    """Return what each layer of a chain did to a path, from the base up.

    A layer changes a path when it has it again, whether or not anything differs, and also when
    it changes a symbolic link on the way there. What happens in a directory does not change it.

    Raises:
        BadLayer: as ``union``.
        TooManyLinks: the path leads through symbolic links that run in circles.
    """
    return list(_events(layers, path))


def _events(layers: Iterable[Toc], path: bytes) -> Iterator[Event]:
    fold = Fold()
    before: tuple[Node, int] | None = None
    for number, toc in enumerate(layers):
        fold.apply(toc)
        after = _state(fold, path)
        if after is None and before is not None:
            yield Event(number, Change.REMOVED, None)
        elif after is not None and after != before:
            change = Change.ADDED if before is None else Change.CHANGED
            yield Event(number, change, after[0].entry)
        before = after


def _state(fold: Fold, path: bytes) -> tuple[Node, int] | None:
    try:
        node = fold.resolver.trail(path, _missing, follow=False)[-1]
    except _Nothing:
        return None
    return node, node.attributes_layer


def _missing(_parent: Node, _name: bytes) -> Node:
    raise _Nothing
