"""A tree of an image, or a part of it, as one tar.

The same image always gives the same bytes. They come in the order of the tree: each directory,
then all that is in it, by name; whoever unpacks may give a directory its attributes as soon as
something follows that lies outside, as GNU tar does. A file with several names comes under the
first of them, the others are hard links to it. Extended attributes are those that a mounted tree
shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from nacre.images.anyorder import AnyOrder
from nacre.images.contents import PIECE, is_file
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import LayerLimit
from nacre.layers.paths import ROOT
from nacre.layers.tar.write import END_OF_ARCHIVE, header_blocks, padding
from nacre.layers.union.node import Node
from nacre.layers.union.tree import Tree
from nacre.layers.xattrs import kept_xattrs
from nacre.storage.layers import Layers

MAX_SIZE = 1 << 40
"""Most bytes of all files together, holes included: a tar has them written out."""


def named(tree: Tree, top: Node, name: bytes = ROOT) -> Iterator[tuple[bytes, Node]]:
    """Return a node and all that is in it, with names for ``write_tar``.

    Args:
        tree: the tree that it is in.
        top: the node.
        name: what to call it; when empty, what is in it has no directory in front, and itself
            is left out if no layer says what it is like.
    """
    for path, node in tree.walk(top, name):
        if path or not node.implied:
            yield path or b".", node


def write_tar(
    out: IO[bytes],
    members: Iterable[tuple[bytes, Node]],
    layers: Layers,
    *,
    spool: Path | None = None,
    max_size: int = MAX_SIZE,
) -> None:
    """Write nodes under the names that they are to have.

    Args:
        out: where to.
        members: names without a final slash, and nodes; a directory before what is in it.
        layers: where the layers are.
        spool: a folder for what has to wait, see ``AnyOrder``.
        max_size: most bytes of all files together.

    Raises:
        LayerLimit: the files are larger; nothing is written then.
        NotFound: a layer is not here.
        Denied, Unavailable: what has to wait cannot be written to the disk.
        OSError: ``out`` cannot be written to.
    """
    listed = list(members)
    first: dict[Node, bytes] = {}
    for name, node in listed:
        first.setdefault(node, name)
    check_size(first, max_size)
    with AnyOrder(layers, filter(_has_content, first), spool) as contents:
        for name, node in listed:
            if first[node] != name:
                out.write(header_blocks(_link(node, name, first[node])))
                continue
            _write_header(out, name, node)
            if _has_content(node):
                _write_content(out, node, contents.open(node))
    out.write(END_OF_ARCHIVE)


def _has_content(node: Node) -> bool:
    return is_file(node) and node.size > 0


def _write_header(out: IO[bytes], name: bytes, node: Node) -> None:
    entry = node.entry
    xattrs = kept_xattrs(entry.kind, entry.xattrs)
    out.write(header_blocks(entry._replace(name=name, sparse=None, xattrs=xattrs)))


def _write_content(out: IO[bytes], node: Node, stream: BinaryIO) -> None:
    while piece := stream.read(PIECE):
        out.write(piece)
    out.write(padding(node.size))


def _link(node: Node, name: bytes, target: bytes) -> Entry:
    return node.entry._replace(
        name=name, kind=Kind.LINK, linkname=target, size=0, sparse=None, xattrs=()
    )


def check_size(nodes: Iterable[Node], maximum: int = MAX_SIZE) -> None:
    """Refuse files that would never be read to their end.

    Raises:
        LayerLimit: they have more than ``maximum`` bytes together, holes included.
    """
    if sum(node.size for node in nodes) > maximum:
        raise LayerLimit(
            f"the files of the image take more than {maximum} bytes",
            limit="max_size",
            maximum=maximum,
        )
