"""The contents of files of an image in any order, where nobody can choose the order of the layers.

A raw tar is read where it lies. A layer that is only here compressed would have to be inflated
again for each file that lies before the last one; so what is asked for of such layers is inflated
once, into a file without a name that is gone with the process. If the order happens to be that of
the layers, as it is of a lone layer that a builder wrote, nothing has to wait in a file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from nacre.content.diskerrors import disk_errors
from nacre.images.contents import PIECE, Contents, in_order, unfolded
from nacre.layers.union.node import Node
from nacre.storage.layers import Layers


class AnyOrder:
    """Opens files of one image, one at a time; to be left as a context manager.

    Args:
        layers: where the layers are.
        wanted: the files that will be opened, each once, in that order.
        spool: a folder for what has to wait, if it can be written to; else it is the system's.
    """

    def __init__(self, layers: Layers, wanted: Iterable[Node], spool: Path | None) -> None:
        self._contents = Contents(layers)
        self._wanted = list(wanted)
        self._folder = spool
        self._spool: BinaryIO | None = None
        self._places: dict[Node, int] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._contents)
            ordered = in_order(self._wanted)
            if ordered != self._wanted:
                for node in ordered:
                    if not self._contents.can_seek(node):
                        self._keep(node, stack)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def open(self, node: Node) -> BinaryIO:
        """Return the content of a regular file, holes as zeros; good until the next is opened.

        Raises:
            NotFound: its layer is not here.
        """
        place = self._places.get(node)
        if place is None or self._spool is None:
            return self._contents.open(node)
        self._spool.seek(place)
        return unfolded(self._spool, node)

    def _keep(self, node: Node, stack: ExitStack) -> None:
        if self._spool is None:
            self._spool = stack.enter_context(_unlinked(self._folder))
        self._places[node] = self._spool.tell()
        stream = self._contents.stored(node)
        while piece := stream.read(PIECE):
            with disk_errors(self._folder or Path(tempfile.gettempdir())):
                self._spool.write(piece)


def _unlinked(folder: Path | None) -> BinaryIO:
    try:
        return tempfile.TemporaryFile(dir=folder, prefix="nacre-")
    except OSError:  # a store may be read-only
        return tempfile.TemporaryFile(prefix="nacre-")
