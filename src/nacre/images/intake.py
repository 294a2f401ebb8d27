"""Unpacking layers while they come in: the table of contents is made, the storage driver fed.

A layer's tar passes once. On its way it is hashed, its headers are read into the table, and the
driver takes from it what it needs. Some drivers read raw tars in place; then the tar itself
becomes a blob of the store, whose digest is the diff ID.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from nacre.layers.limits import USUAL, Limits
from nacre.layers.measure import Measured, TarMeter, TarTaker
from nacre.layers.toc import Toc, TocBuilder
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.storage.driver import LayerSink, TakesLayers


class Tables(Protocol):
    """Where tables of contents are kept."""

    def put(self, toc: Toc) -> None:
        """Keep one."""


class TarBlob(Protocol):
    """The raw tar on its way to become a blob; see `nacre.content.store.Ingest`."""

    def write(self, data: bytes, /) -> int:
        """Append bytes."""

    def commit(self, media_type: str) -> Descriptor:
        """Make durable, and show the blob."""


class Unpacker:
    """Begins the intake of layers.

    Args:
        driver: what the layers are unpacked for.
        tables: keeps their tables.
        tar_blob: begins a blob for a raw tar.
        limits: what a layer may be at most.
    """

    def __init__(
        self,
        driver: TakesLayers,
        tables: Tables,
        tar_blob: Callable[[], AbstractContextManager[TarBlob]],
        limits: Limits = USUAL,
    ) -> None:
        self._limits = limits
        self._driver = driver
        self._tables = tables
        self._tar_blob = tar_blob

    @contextmanager
    def unpacking(self, layer: Descriptor) -> Iterator[Unpacking]:
        """Enter the intake of one layer; left before it is finished, nothing remains of it."""
        with ExitStack() as stack:
            tar: TarTaker = TarMeter()
            sink = None
            if not self._driver.in_place:
                sink = stack.enter_context(self._driver.sink())
            elif not is_raw_tar(layer):
                tar = _BlobTar(stack.enter_context(self._tar_blob()))
            yield Unpacking(tar, sink, self._tables, self._limits.toc_builder())


class Unpacking:
    """The intake of one layer: a `TarTaker` that makes all it needs of the tar."""

    def __init__(
        self, tar: TarTaker, sink: LayerSink | None, tables: Tables, builder: TocBuilder
    ) -> None:
        self._tar = tar
        self._sink = sink
        self._tables = tables
        self._builder = builder

    def write(self, piece: bytes, /) -> None:
        """Take the next bytes of the tar.

        Raises:
            BadArchive, BadMember, LayerLimit: no driver could keep the layer.
            Unavailable: the disk is full or failed.
        """
        # The tar first of all: it may be hashed in a thread of its own meanwhile.
        self._tar.write(piece)
        self._builder.feed(piece)
        if self._sink:
            self._sink.write(piece)

    def finish(self) -> Measured:
        """Say that the whole tar was fed; make the layer durable and return what it is.

        Raises:
            Truncated: the tar ends too early.
            Unavailable: the disk is full or failed.
        """
        measured = self._tar.finish()
        toc = self._builder.finish(Digest(f"sha256:{measured.diff_id}"))
        self._tables.put(toc)
        if self._sink:
            self._sink.commit(toc)
        return measured


class _BlobTar:
    """Keeps the tar as a blob, which hashes it too."""

    def __init__(self, blob: TarBlob) -> None:
        self._blob = blob

    def write(self, piece: bytes, /) -> None:
        self._blob.write(piece)

    def finish(self) -> Measured:
        blob = self._blob.commit(mediatypes.OCI_LAYER_TAR)
        return Measured(blob.digest.encoded, blob.size)


def is_raw_tar(layer: Descriptor) -> bool:
    """Say whether a layer's blob is its raw tar, by the name of its diff ID."""
    # A diff ID has to be a SHA-256.
    return layer.media_type in mediatypes.PLAIN_LAYERS and layer.digest.algorithm == "sha256"
