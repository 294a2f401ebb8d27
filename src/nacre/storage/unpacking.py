"""Making folders of layers: of one as it comes in, or of the difference between two trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from nacre.content.diskerrors import DiskFull, disk_error
from nacre.layers.apply import Applier, BadMember, CannotUnpack, TreeBuilder
from nacre.layers.entry import Kind
from nacre.layers.ownership import Ownership
from nacre.layers.rootpath import Root
from nacre.layers.stack import Delta, Make
from nacre.layers.whiteout import Overlay
from nacre.oci.digest import Digest
from nacre.storage.layers import Layers

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PIECE = 1 << 20


class Unpacker:
    """Unpacks one layer by itself as its tar arrives, as far as that is possible.

    A layer that needs those below may fail; that is told only by ``finish``, for by then it is
    known whether it does.

    Args:
        tree: an empty folder.
        form: the form of its whiteouts.
        ownership: how owners in the layer become owners on disk.
    """

    def __init__(self, tree: Path, *, form: Overlay, ownership: Ownership) -> None:
        self._tree = tree
        self._open = ExitStack()
        root = self._open.enter_context(Root.open(tree))
        applier = Applier(root, overlay=form, ownership=ownership)
        self._applier = self._open.enter_context(applier)
        self._failure: BadMember | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._open.close()

    def feed(self, data: Buffer) -> None:
        """Take the next bytes of the tar.

        Raises:
            BadArchive, LayerLimit, CannotUnpack, Forbidden: as `Applier.feed`.
        """
        if self._failure is None:
            try:
                with _full_disks(self._tree):
                    self._applier.feed(data)
            except BadMember as failure:
                self._failure = failure

    def finish(self) -> None:
        """Complete the tree.

        Raises:
            BadMember: a member could not be applied.
            Truncated, CannotUnpack, Forbidden: as `Applier.finish`.
        """
        if self._failure is not None:
            raise self._failure
        with _full_disks(self._tree):
            self._applier.finish()


def unpack_delta(
    delta: Delta,
    chain: Sequence[Digest],
    tree: Path,
    layers: Layers,
    *,
    form: Overlay | None,
    ownership: Ownership,
) -> None:
    """Make a folder of the difference between two trees.

    Args:
        delta: the difference.
        chain: the layers that its nodes come from, base first.
        tree: an empty folder.
        layers: gives the bytes of files.
        form: the form of whiteouts; None for a tree that nothing is removed from.
        ownership: how owners in layers become owners on disk.

    Raises:
        NotFound: a layer is not here.
        BadMember: this file system cannot hold one of the files.
        CannotUnpack: the disk fails or is full.
        Forbidden: the operating system does not let us.
    """
    with (
        _full_disks(tree),
        Root.open(tree) as root,
        TreeBuilder(root, overlay=form, ownership=ownership) as builder,
    ):
        for path, node in delta.directories:
            builder.make(path, node.entry)
        for number, makes in groupby(delta.others, key=lambda make: make.node.layer):
            _make_all(builder, list(makes), chain[number], layers)
        for path, target in delta.links:
            builder.link(path, target)
        for path in delta.removed:
            builder.remove(path)
        for path in delta.hidden:
            builder.hide(path)
        builder.finish()


@contextmanager
def _full_disks(tree: Path) -> Iterator[None]:
    """Tell a full disk from other failures: what cannot be finished should give its space back."""
    try:
        yield
    except CannotUnpack as failure:
        if isinstance(failure.__cause__, OSError):
            error = disk_error(failure.__cause__, tree)
            if isinstance(error, DiskFull):
                raise error from failure
        raise


def delta_sizes(delta: Delta) -> Iterable[int]:
    """Return the sizes of what a difference comes to on disk."""
    yield from (0 for _ in (*delta.directories, *delta.removed))
    yield from (make.node.stored_size for make in delta.others)


def _make_all(builder: TreeBuilder, makes: Sequence[Make], layer: Digest, layers: Layers) -> None:
    """Make what comes from one layer, whose bytes are read once and in order."""
    stored = [make.node for make in makes if _has_bytes(make)]
    start = stored[0].data_offset if stored else 0
    end = stored[-1].data_offset + stored[-1].stored_size if stored else 0
    with layers.slice(layer, start, end - start) as stream:
        for make in makes:
            if _has_bytes(make):
                _skip(stream, make.node.data_offset - start)
                start = make.node.data_offset + make.node.stored_size
            builder.make(make.path, make.node.entry, stream)


def _has_bytes(make: Make) -> bool:
    return make.node.kind is Kind.REG and make.node.stored_size > 0


def _skip(stream: BinaryIO, size: int) -> None:
    while size and (piece := stream.read(min(size, _PIECE))):
        size -= len(piece)
