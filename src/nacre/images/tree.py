"""The tree of an image as data: what a container would see, from tables of contents alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from nacre.errors import NotFound
from nacre.images.image import Image
from nacre.layers.entry import Kind
from nacre.layers.errors import NoSuchPath
from nacre.layers.paths import clean, joined
from nacre.layers.toc.table import Toc
from nacre.layers.union.fold import union
from nacre.layers.union.node import IMPLIED, Node
from nacre.layers.union.tree import Tree
from nacre.storage.layers import Layers


class NoSuchLayer(NotFound):
    """The image has fewer layers."""


class FileInfo(NamedTuple):
    """A file, directory, link, device or pipe of an image, as lstat(2) would show it."""

    path: str
    """From the root, with a slash in front. Bytes that are no UTF-8 are surrogates, as Python's
    own file functions have them."""
    kind: str
    """``file``, ``directory``, ``symlink``, ``char``, ``block``, ``fifo``; in the listing of one
    layer also ``hardlink``."""
    mode: int
    """The twelve permission bits."""
    links: int
    """Number of links."""
    uid: int
    gid: int
    size: int
    """Bytes of a file, holes included; zero for everything else."""
    mtime: int
    """Nanoseconds since 1970."""
    target: str
    """Where a link leads; empty for everything else."""
    device: tuple[int, int]
    """Major and minor number of a device; zeros for everything else."""
    layer: int
    """Number of the layer that it comes from, the base being 0: of a directory, the one that gave
    it its attributes."""


class Listing(NamedTuple):
    """What is at a path."""

    path: str
    """The path, clean, with a slash in front."""
    is_directory: bool
    files: list[FileInfo]
    """What is in the directory, by name; of everything else itself alone."""


class ImageTree:
    """The tree of an image.

    Args:
        image: the image.
        layers: where its layers are.
    """

    def __init__(self, image: Image, layers: Layers) -> None:
        self.image = image
        self.layers = layers

    @cached_property
    def tocs(self) -> tuple[Toc, ...]:
        """The tables of the layers, base first.

        Raises:
            NotFound: a layer is not here.
            BadArchive, CorruptBlob, LayerLimit: one cannot be read.
        """
        diff_ids = self.image.diff_ids
        tocs = {diff_id: self.layers.toc(diff_id) for diff_id in dict.fromkeys(diff_ids)}
        return tuple(tocs[diff_id] for diff_id in diff_ids)

    @cached_property
    def tree(self) -> Tree:
        """The union of the layers.

        Raises:
            BadLayer, LayerLimit: the layers make no tree; and as ``tocs``.
        """
        return union(self.tocs)

    def find(self, path: bytes, *, follow: bool = True) -> Node:
        """Return what is at a path; a link at its end is followed only with ``follow``.

        Raises:
            NoSuchPath: there is nothing.
            TooManyLinks: links run in circles.
        """
        return self.tree.resolve(path, follow=follow)

    def listing(self, path: bytes, *, recursive: bool = False, follow: bool = True) -> Listing:
        """Return what is at a path, or in the directory there.

        Args:
            path: where; links on the way are followed.
            recursive: with all that is in the directories in it, each before its content.
            follow: whether a link at the very end is followed.

        Raises:
            NoSuchPath, TooManyLinks: as ``find``.
        """
        return _listing(self.tree, self.find(path, follow=follow), path, recursive=recursive)

    def layer_listing(self, number: int, path: bytes, *, recursive: bool = False) -> Listing:
        """Return what one layer alone has at a path, whiteouts and hard links as it writes them.

        No link is followed, for where it leads is seen from the whole tree only.

        Raises:
            NoSuchLayer: there are fewer.
            NoSuchPath: that layer has nothing there.
        """
        tree = layer_tree(self.toc(number), number)
        node = tree.root
        for part in filter(None, clean(path).split(b"/")):
            found = (node.children or {}).get(part)
            if found is None:
                raise NoSuchPath(f"layer {number} has nothing at {shown_path(path)}", path=path)
            node = found
        return _listing(tree, node, path, recursive=recursive)

    def toc(self, number: int) -> Toc:
        """Return the table of one layer, the base being 0.

        Raises:
            NoSuchLayer: there are fewer.
        """
        count = len(self.image.diff_ids)
        if not 0 <= number < count:
            layers = f"{count} layer{'' if count == 1 else 's'}"
            raise NoSuchLayer(f"there is no layer {number}: the image has {layers}, from 0")
        return self.layers.toc(self.image.diff_ids[number])


def layer_tree(toc: Toc, number: int) -> Tree:
    """Return the members of one layer as a tree: of repeated ones the last, whatever they mean."""
    root = Node(IMPLIED, 0, number, {})
    for row, path in enumerate(toc.paths):
        node = root
        for part in filter(None, path.split(b"/")):
            if node.children is None:
                node.children = {}
            node = node.children.setdefault(part, Node(IMPLIED, 0, number, None))
        node.toc, node.row = toc, row
        if node.children is None and node.kind is Kind.DIR:
            node.children = {}
    return Tree(root, (toc,))


def info(path: bytes, node: Node) -> FileInfo:
    """Return what there is to say of a node with a clean path."""
    # Straight from the columns of the table: a whole image is a million of these.
    toc, row = node.toc, node.row
    return FileInfo(
        "/" + as_text(path),
        _WORDS[toc.kinds[row]],
        toc.modes[row],
        node.nlink,
        toc.uids[row],
        toc.gids[row],
        toc.sizes[row],
        toc.mtimes[row] * 10**9 + toc.nanoseconds[row],
        as_text(toc.links.get(row, b"")),
        toc.devices.get(row, (0, 0)),
        node.attributes_layer,
    )


def kind_of(kind: Kind) -> str:
    """Return the word for what something is; see ``FileInfo``."""
    return _WORDS[kind.value[0]]


def shown_path(path: bytes) -> str:
    """Return a path as people see it: clean, from the root."""
    return "/" + as_text(clean(path))


def as_text(name: bytes) -> str:
    """Return bytes of a name as text; what is no UTF-8 becomes surrogates."""
    return name.decode("utf-8", "surrogateescape")


# By type flag, as tables have it.
_WORDS = {
    kind.value[0]: word
    for kind, word in (
        (Kind.REG, "file"),
        (Kind.DIR, "directory"),
        (Kind.SYMLINK, "symlink"),
        (Kind.LINK, "hardlink"),
        (Kind.CHR, "char"),
        (Kind.BLK, "block"),
        (Kind.FIFO, "fifo"),
    )
}


def _listing(tree: Tree, node: Node, path: bytes, *, recursive: bool) -> Listing:
    place = clean(path)
    if node.children is None:
        return Listing(shown_path(path), False, [info(place, node)])
    return Listing(
        shown_path(path), True, [info(*each) for each in _below(tree, node, place, recursive)]
    )


def _below(tree: Tree, node: Node, path: bytes, recursive: bool) -> Iterator[tuple[bytes, Node]]:
    if recursive:
        walk = tree.walk(node, path)
        next(walk)
        yield from walk
    else:
        for name, child in sorted((node.children or {}).items()):
            yield joined(path, name), child
