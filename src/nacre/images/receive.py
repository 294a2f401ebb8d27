"""Taking an image in: every byte is read once, hashed as it lies and, of layers, also unpacked.

``put`` lets a blob's bytes pass into an ingest of the store and, when the blob is a layer, at the
same time into a meter that inflates them and finds the diff_id: in a thread of its own, over a
short queue, so that inflating overlaps with the network. Where the layer is to be unpacked too,
the meter hands the tar on, see `nacre.images.intake`. When the blob is committed its diff_id
is known, and whoever has the config can check it (`check_diff_ids`). Of a layer that goes on from
an earlier attempt the first bytes are not at hand; it is read from the store once it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from queue import Queue
from threading import Thread
from types import TracebackType
from typing import Protocol, Self

from nacre.content.store import BlobReader, BlobWriter, CorruptBlob, Ingest
from nacre.content.target import Content, OnBytes, Placed
from nacre.errors import AlreadyExists, Invalid
from nacre.images.intake import is_raw_tar
from nacre.layers.errors import LayerLimit
from nacre.layers.limits import USUAL, Limits
from nacre.layers.measure import LayerMeter, TarMeter, TarTaker
from nacre.oci import mediatypes
from nacre.oci.config import ImageConfig, check_layer_count
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.value import Value

_PIECE = 1024 * 1024
_QUEUED = 2


class BrokenLayer(Invalid):
    """A layer is what its digest says, yet no tar can be got out of it."""

    def __init__(self, descriptor: Descriptor, reason: object) -> None:
        super().__init__(
            f"layer {descriptor.digest} cannot be unpacked: {reason}",
            remedy=(
                "if you trust the image, raise [limits] in the settings file"
                if isinstance(reason, LayerLimit)
                else "the image was published broken: ask its publisher to push it again"
            ),
        )
        self.descriptor = descriptor


class WrongLayer(Invalid):
    """A layer unpacks to something else than the config of its image promises."""


class Received(Value):
    """A layer that is here: what it is when unpacked.

    ``diff_id`` is the digest of its tar, ``size`` the bytes of that.
    """

    descriptor: Descriptor
    diff_id: Digest
    size: int


OnLayer = Callable[[Received], None]

Intake = Callable[[Descriptor], AbstractContextManager[TarTaker]]
"""Begins to take in the tar of a layer; left before it is finished, nothing of it remains."""


class Blobs(BlobReader, BlobWriter, Protocol):
    """A store to take blobs in, which can also be read from."""


class Receiver:
    """Puts blobs into a store; see the module.

    Args:
        blobs: the store.
        on_layer: told each layer that came in, once it is committed; from the thread of ``put``.
        intake: what the tars of layers go to; by default they are measured and nothing else.
        limits: what a layer may be at most.
    """

    def __init__(
        self,
        blobs: Blobs,
        *,
        on_layer: OnLayer,
        intake: Intake | None = None,
        limits: Limits = USUAL,
    ) -> None:
        self._limits = limits
        self._blobs = blobs
        self._on_layer = on_layer
        self._intake = intake

    def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
        """Take a blob in, going on where an earlier attempt stopped; may be called by threads.

        Bytes that turn out wrong are fetched once more from the start. A few MiB of memory are
        used, whatever the blob's size.

        Raises:
            CorruptBlob: the bytes were wrong twice; nothing is visible then.
            BrokenLayer: the bytes are right but cannot be unpacked. They stay, without a name;
                ``on_layer`` is not told of them.
        """
        try:
            with self._blobs.ingest(descriptor) as ingest:
                moved, received = self._take_in(descriptor, ingest, content, on_bytes)
        except AlreadyExists:
            return Placed(0)
        if received:
            self._on_layer(received)
        return Placed(moved)

    def _take_in(
        self, descriptor: Descriptor, ingest: Ingest, content: Content, on_bytes: OnBytes
    ) -> tuple[int, Received | None]:
        try:
            return self._attempt(descriptor, ingest, content, on_bytes)
        except CorruptBlob:
            ingest.restart()
            return self._attempt(descriptor, ingest, content, on_bytes)

    def _attempt(
        self, descriptor: Descriptor, ingest: Ingest, content: Content, on_bytes: OnBytes
    ) -> tuple[int, Received | None]:
        start = ingest.offset
        with ExitStack() as stack:
            # The meter needs all bytes; of those on disk since an earlier attempt it has none.
            meter = None
            if start == 0 and self._wants_tar(descriptor):
                tar = self._tar_of(descriptor)
                meter = stack.enter_context(_BackgroundMeter(descriptor, tar, self._limits))
            if start < descriptor.size:
                with content(start) as stream:
                    while piece := stream.read(_PIECE):
                        ingest.write(piece)
                        if meter:
                            meter.feed(piece)
                        on_bytes(ingest.offset)
            moved = ingest.offset - start
            ingest.commit(descriptor.media_type)
            if meter:
                return moved, meter.finish()
        if mediatypes.is_layer(descriptor.media_type):
            return moved, measure(self._blobs, descriptor, self._intake, limits=self._limits)
        return moved, None

    def _wants_tar(self, descriptor: Descriptor) -> bool:
        is_known = self._intake is None and is_raw_tar(descriptor)
        return mediatypes.is_layer(descriptor.media_type) and not is_known

    def _tar_of(self, descriptor: Descriptor) -> AbstractContextManager[TarTaker]:
        return self._intake(descriptor) if self._intake else nullcontext(TarMeter())


def measure(
    reader: BlobReader,
    descriptor: Descriptor,
    intake: Intake | None = None,
    *,
    limits: Limits = USUAL,
) -> Received:
    """Return what a layer that is here unpacks to, by reading it (unless it is a plain tar).

    Args:
        reader: where it is.
        descriptor: the layer.
        intake: what its tar goes to besides.
        limits: what it may be at most.

    Raises:
        BlobNotFound: it is not here.
        CorruptBlob: it is not what its digest says.
        BrokenLayer: it cannot be unpacked.
    """
    if intake is None and is_raw_tar(descriptor):
        return Received(descriptor, descriptor.digest, descriptor.size)
    with (
        reader.open(descriptor) as stream,
        intake(descriptor) if intake else nullcontext(TarMeter()) as tar,
    ):
        meter = limits.meter(tar)
        try:
            while piece := stream.read(_PIECE):
                meter.feed(piece)
            return _received(descriptor, meter)
        except CorruptBlob:
            raise
        except Invalid as error:
            raise BrokenLayer(descriptor, error) from None


def check_diff_ids(config: ImageConfig, received: Sequence[Received | None]) -> None:
    """Check that layers unpack to what a config promises; None stands for one that is not here.

    Raises:
        InvalidConfig: there are more or fewer layers than diff_ids.
        WrongLayer: one unpacks to something else.
    """
    check_layer_count(config, received)
    for position, (promised, layer) in enumerate(zip(config.diff_ids, received, strict=True)):
        if layer and layer.diff_id != promised:
            raise WrongLayer(
                f"layer {position} {layer.descriptor.digest} unpacks to {layer.diff_id}, "
                f"not to {promised} as the image config promises",
                remedy="do not use this image: its layers and its config do not belong together",
            )


def _received(descriptor: Descriptor, meter: LayerMeter) -> Received:
    diff_id, size = meter.finish()
    return Received(descriptor, Digest(f"sha256:{diff_id}"), size)


class _BackgroundMeter:
    """Measures a layer in a thread of its own; a context manager that ends it."""

    def __init__(
        self, descriptor: Descriptor, tar: AbstractContextManager[TarTaker], limits: Limits
    ) -> None:
        self._descriptor = descriptor
        self._held = ExitStack()
        self._meter = limits.meter(self._held.enter_context(tar))
        self._queue: Queue[bytes | None] = Queue(maxsize=_QUEUED)
        self._thread = Thread(target=self._work, name="inflate", daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            self._end()
        finally:
            self._held.close()

    def feed(self, piece: bytes) -> None:
        """Take in more compressed bytes; waits while a few MiB are ahead of the inflating."""
        self._queue.put(piece)

    def finish(self) -> Received:
        """Return what all bytes unpack to.

        Raises:
            BrokenLayer: they cannot be unpacked.
        """
        self._end()
        try:
            if self._error:
                raise self._error
            return _received(self._descriptor, self._meter)
        except Invalid as error:
            raise BrokenLayer(self._descriptor, error) from None

    def _end(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (piece := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._meter.feed(piece)
                except BaseException as error:  # noqa: BLE001 - ``finish`` raises it
                    self._error = error
