"""What the tests of unions look at."""

from __future__ import annotations

import pytest

from nacre.layers.union import BadLayer, Node
from tests.unit.layers.stacks import (
    Member,
    Stack,
)

OWNER = {"uid": 7, "gid": 8, "mtime": 9, "xattrs": ((b"user.a", b"1"),)}


def attributes(node: Node) -> tuple[int, int, int, int, tuple[tuple[bytes, bytes], ...]]:
    return node.mode, node.uid, node.gid, node.mtime, node.xattrs


OWNED = (7, 8, 9, ((b"user.a", b"1"),))
IMPLIED = (0o755, 0, 0, 0, ())


def fails(*layers: list[Member]) -> BadLayer:
    with pytest.raises(BadLayer) as caught:
        Stack(*layers)
    return caught.value
