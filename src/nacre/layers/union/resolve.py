"""Following a path inside a tree, symbolic links included, as the kernel does in a chroot."""

from __future__ import annotations

from collections.abc import Callable

from nacre.layers.entry import Kind
from nacre.layers.errors import MAX_LINKS, LayerLimit, TooManyLinks, shown
from nacre.layers.union.node import Node

MAX_STEPS = 50_000_000
MAX_DEPTH = 2048

Missing = Callable[[Node, bytes], Node]
"""Is asked for the directory of a name in a directory, where there is none; returns or raises."""


class Resolver:
    """Resolves paths in one tree; none leads out of it.

    Args:
        root: the root of the tree, where ``..`` ends and absolute links begin.
        max_steps: most parts of paths to look at in all, for links that lead through each other
            multiply the work.
        max_depth: how deep directories may lie; no path in Linux has more parts than 2048.
    """

    def __init__(
        self, root: Node, *, max_steps: int = MAX_STEPS, max_depth: int = MAX_DEPTH
    ) -> None:
        self._root = root
        self._max_steps = max_steps
        self._max_depth = max_depth
        self._steps = 0

    def trail(self, path: bytes, missing: Missing, *, follow: bool = True) -> list[Node]:
        """Return the nodes from the root to what the path leads to.

        Every node but the last is a directory. Where a part of the path is no directory and has
        to be one, or is nothing at all, ``missing`` decides.

        Args:
            path: the parts between its slashes; it need not be clean.
            missing: see ``Missing``; a last part that exists is never asked for.
            follow: whether a symbolic link at the very end is followed.

        Raises:
            TooManyLinks: see the class.
            LayerLimit: the work exceeds ``max_steps``, or the path ``max_depth``.
        """
        trail = [self._root]
        todo = path.split(b"/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            self._count(path)
            if part in (b"", b"."):
                continue
            if part == b"..":
                trail[1:] = trail[1:-1]
                continue
            child = (trail[-1].children or {}).get(part)
            if child is not None and child.kind is Kind.SYMLINK and (todo or follow):
                links += 1
                if links > MAX_LINKS:
                    raise TooManyLinks(path)
                if child.linkname.startswith(b"/"):
                    del trail[1:]
                todo += child.linkname.split(b"/")[::-1]
                continue
            if child is None or (todo and child.children is None):
                child = missing(trail[-1], part)
            trail.append(child)
            self.check_depth(path, len(trail))
        return trail

    def check_depth(self, path: bytes, depth: int) -> None:
        """Check how deep a path leads: so many directories, the root included.

        Raises:
            LayerLimit: it is deeper than ``max_depth``.
        """
        if depth > self._max_depth:
            raise self._exceeded(path, "max_depth", self._max_depth)

    def _count(self, path: bytes) -> None:
        self._steps += 1
        if self._steps > self._max_steps:
            raise self._exceeded(path, "max_steps", self._max_steps)

    def _exceeded(self, path: bytes, limit: str, maximum: int) -> LayerLimit:
        what = {"max_steps": "steps in all", "max_depth": "directories"}[limit]
        return LayerLimit(
            f"the path {shown(path)} leads through more than {maximum} {what}",
            limit=limit,
            maximum=maximum,
        )
