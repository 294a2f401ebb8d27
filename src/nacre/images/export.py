"""A tree of an image, or a part of it, as one tar.

The same image always gives the same bytes. They come in the order in which the layers have them,
so that each layer passes once and nothing has to be kept: all directories first, by name; then
whatever else there is, from the base up, in the order of the layers' tars. A file with several
names comes under the first of them, and the others follow it as hard links.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from nacre.images.contents import PIECE, Contents, in_order, is_file
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import LayerLimit
from nacre.layers.paths import ROOT
from nacre.layers.tar.write import END_OF_ARCHIVE, header_blocks, padding
from nacre.layers.union.node import Node
from nacre.layers.union.tree import Tree
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
    max_size: int = MAX_SIZE,
) -> None:
    """Write nodes under the names that they are to have.

    Args:
        out: where to.
        members: names without a final slash, and nodes; a directory before what is in it.
        layers: where the layers are.
        max_size: most bytes of all files together.

    Raises:
        LayerLimit: the files are larger; nothing is written then.
        NotFound: a layer is not here.
        OSError: ``out`` cannot be written to.
    """
    names: dict[Node, list[bytes]] = {}
    for name, node in members:
        names.setdefault(node, []).append(name)
    check_size(names, max_size)
    for node, (name, *_) in names.items():
        if node.children is not None:
            _write_header(out, name, node)
    with Contents(layers) as contents:
        for node in in_order(node for node in names if node.children is None):
            first, *others = names[node]
            _write_header(out, first, node)
            if is_file(node):
                _write_content(out, node, contents)
            for name in others:
                out.write(header_blocks(_link(node, name, first)))
    out.write(END_OF_ARCHIVE)


def _write_header(out: IO[bytes], name: bytes, node: Node) -> None:
    out.write(header_blocks(node.entry._replace(name=name, sparse=None)))


def _write_content(out: IO[bytes], node: Node, contents: Contents) -> None:
    stream = contents.open(node)
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
