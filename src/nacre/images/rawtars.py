"""Raw tars as blobs of a store, for storage drivers that use them where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nacre.content.store import BlobNotFound, BlobStore, CorruptBlob, Ingest
from nacre.oci.digest import Digest
from nacre.oci.mediatypes import OCI_LAYER_TAR

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from nacre.layers.toc import Toc


class BlobTars:
    """The raw tars of a store; see `nacre.storage.erofs.driver.RawTars`.

    Args:
        blobs: the store.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def size(self, layer: Digest) -> int:
        """Return how many bytes the raw tar of a layer has; 0 when it is not here."""
        try:
            return self._blobs.size(layer)
        except BlobNotFound:
            return 0

    @contextmanager
    def sink(self) -> Iterator[TarSink]:
        """Enter the intake of a raw tar; left without commit, nothing of it remains."""
        with self._blobs.ingest() as ingest:
            yield TarSink(ingest)


class TarSink:
    """Takes in one raw tar."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def write(self, data: Buffer) -> None:
        """Take the next bytes."""
        self._ingest.write(data if isinstance(data, bytes) else memoryview(data))

    def commit(self, toc: Toc) -> None:
        """Make the tar a blob, durably.

        Raises:
            CorruptBlob: it is not the layer of that table.
        """
        if self._ingest.digest != toc.layer:
            raise CorruptBlob(f"the layer {toc.layer} has digest {self._ingest.digest}")
        self._ingest.commit(OCI_LAYER_TAR)
