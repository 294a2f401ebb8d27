"""Layers by diff ID, out of a store of blobs: the implementation of `nacre.storage.layers.Layers`.

A layer's raw tar, when it is here, is the blob that the diff ID names. Else the layer is inflated
from a blob that is known to unpack to it, as often as somebody reads it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from nacre.content.store import BlobNotFound, BlobStore, CorruptBlob
from nacre.errors import Denied, NotFound, Unavailable
from nacre.layers.compression.reader import open_decompressed
from nacre.layers.errors import CorruptStream
from nacre.layers.limits import USUAL, Limits
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest, finished
from nacre.oci.mediatypes import OCI_LAYER_TAR

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from nacre.layers.toc.table import Toc
    from nacre.storage.tocs import Tocs

_PIECE = 1 << 20

Forms = Callable[[Digest], Iterable[Descriptor]]
"""Returns the blobs that are known to unpack to a layer; they need not be here."""


class LayerNotHere(NotFound):
    """No form of the layer ``diff_id`` is on this machine."""

    usual_remedy = "pull or load the image again"

    def __init__(self, diff_id: Digest) -> None:
        super().__init__(f"layer {diff_id} is not here")
        self.diff_id = diff_id


class Blobs(BlobStore, Protocol):
    """A store whose blobs are files."""

    def path(self, digest: Digest) -> Path:
        """Return the file that a blob is; `BlobNotFound` when it is not here."""


class ImageLayers:
    """Layers that are here, compressed, as raw tars, or both; see `nacre.storage.layers`.

    Args:
        blobs: the store.
        tocs: where tables of contents are kept.
        forms: tells which blobs unpack to a layer.
        limits: what a layer may be at most.
    """

    def __init__(
        self,
        blobs: Blobs,
        tocs: Tocs,
        forms: Forms,
        *,
        limits: Limits = USUAL,
    ) -> None:
        self._blobs = blobs
        self._tocs = tocs
        self._forms = forms
        self._limits = limits

    def toc(self, layer: Digest) -> Toc:
        """Return the table of contents; made, and kept where that can be, if there is none.

        Raises:
            LayerNotHere: the layer is not here.
            CorruptBlob: it is not what the diff ID says.
            BadArchive, LayerLimit: it is no tar, or one that exceeds a limit.
        """
        toc = self._tocs.get(layer)
        if toc is not None:
            return toc
        with ExitStack() as stack:
            try:
                stack.enter_context(self._tocs.making(layer))
            except (Denied, Unavailable):  # read-only, or full: made for this once
                return self._made_toc(layer)
            toc = self._tocs.get(layer)
            return self._keep(self._made_toc(layer)) if toc is None else toc

    @contextmanager
    def read(self, layer: Digest) -> Iterator[BinaryIO]:
        """Open the raw tar at its beginning, checked at its end; see `Layers`.

        Raises:
            LayerNotHere: the layer is not here.
        """
        with ExitStack() as stack:
            raw = self._raw(layer)
            if raw is not None:
                yield stack.enter_context(self._blobs.open(raw))
                return
            form = self._form(layer)
            blob = stack.enter_context(self._blobs.stream(form))
            tar = open_decompressed(blob, max_output=self._limits.size)
            yield cast("BinaryIO", stack.enter_context(_Inflated(tar, layer, form)))

    @contextmanager
    def slice(self, layer: Digest, offset: int, size: int) -> Iterator[BinaryIO]:
        """Open some bytes of the raw tar, which are not held against any digest; see `Layers`.

        Raises:
            LayerNotHere: the layer is not here.
        """
        raw = self._raw(layer)
        if raw is not None:
            with self._blobs.stream(raw, offset) as stream:
                yield cast("BinaryIO", _Window(stream, size, layer))
            return
        with self.read(layer) as stream:
            _skip(stream, offset)
            yield cast("BinaryIO", _Window(stream, size, layer))

    def tar(self, layer: Digest) -> Path:
        """Return the raw tar as a file, made a blob of the store where it is not; see `Layers`.

        Raises:
            LayerNotHere: the layer is not here in any form.
            CorruptBlob: it is not what the diff ID says.
            BadArchive, LayerLimit: it is no tar, or one that exceeds a limit.
            Denied, Unavailable: the store cannot be written to.
        """
        if self._raw(layer) is None:
            with self._tocs.making(layer):
                if self._raw(layer) is None:
                    self._unpack(layer)
        return self._blobs.path(layer)

    def _unpack(self, layer: Digest) -> None:
        builder = self._limits.toc_builder() if self._tocs.get(layer) is None else None
        with self.read(layer) as tar, self._blobs.ingest() as ingest:
            while piece := tar.read(_PIECE):
                if builder:
                    builder.feed(piece)
                ingest.write(piece)
            toc = builder.finish(layer) if builder else None
            ingest.commit(OCI_LAYER_TAR)
        if toc is not None:
            self._keep(toc)

    def _made_toc(self, layer: Digest) -> Toc:
        builder = self._limits.toc_builder()
        with self.read(layer) as tar:
            while piece := tar.read(_PIECE):
                builder.feed(piece)
        return builder.finish(layer)

    def _keep(self, toc: Toc) -> Toc:
        # It is only there to be quick the next time.
        with suppress(Denied, Unavailable):
            self._tocs.put(toc)
        return toc

    def _raw(self, layer: Digest) -> Descriptor | None:
        try:
            return Descriptor(OCI_LAYER_TAR, layer, self._blobs.size(layer))
        except BlobNotFound:
            return None

    def _form(self, layer: Digest) -> Descriptor:
        for form in self._forms(layer):
            if self._blobs.exists(form):
                return form
        raise LayerNotHere(layer)


class _Inflated(io.RawIOBase):
    """A tar as it is inflated from ``form``, held against its diff ID at its end."""

    def __init__(self, tar: io.BufferedReader, layer: Digest, form: Descriptor) -> None:
        super().__init__()
        self._tar = tar
        self._layer = layer
        self._form = form
        self._hasher = layer.hasher()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        with memoryview(buffer) as view, view.cast("B") as target:
            try:
                count = self._tar.readinto1(target)
            except CorruptStream as problem:
                raise CorruptBlob(f"blob {self._form.digest} is damaged: {problem}") from problem
            if count:
                self._hasher.update(target[:count])
            elif target and finished(self._hasher, self._layer.algorithm) != self._layer:
                raise CorruptBlob(f"blob {self._form.digest} does not unpack to {self._layer}")
            return count

    def close(self) -> None:
        if not self.closed:
            self._tar.close()
        super().close()


class _Window(io.RawIOBase):
    """The next bytes of a stream, as many as there have to be; closing it leaves that open."""

    def __init__(self, stream: BinaryIO, size: int, layer: Digest) -> None:
        super().__init__()
        self._stream = stream
        self._left = size
        self._layer = layer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        with memoryview(buffer) as view, view.cast("B") as target:
            data = self._stream.read(min(len(target), self._left))
            if target and self._left and not data:
                raise CorruptBlob(f"the tar of layer {self._layer} ends too early")
            target[: len(data)] = data
            self._left -= len(data)
            return len(data)

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence != os.SEEK_CUR or not 0 <= offset <= self._left:
            raise io.UnsupportedOperation("only forward, from where it is")
        self._left -= offset
        return self._stream.seek(offset, whence)


def _skip(stream: BinaryIO, count: int) -> None:
    while count and (piece := stream.read(min(count, _PIECE))):
        count -= len(piece)
