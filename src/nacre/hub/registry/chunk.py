"""A chunk: the part of a blob that one request brings, and how it may end too early."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from nacre.hub.errors import BlobUploadInvalid, OutOfOrder, SizeInvalid
from nacre.hub.registry.byteplace import Buffer


class Interrupted(BlobUploadInvalid):
    """The client went away in the middle; what came stays, so that it can go on from there."""


class TooSlow(Interrupted):
    """The client has sent nothing for too long: answered with 408."""


async def _nothing() -> AsyncIterator[Buffer]:
    nothing: tuple[Buffer, ...] = ()
    for buffer in nothing:
        yield buffer


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes for the end of an upload.

    Attributes:
        body: the bytes, in buffers that are worth a write each; `Interrupted` ends it too early.
        start: where the client says that they begin; None when it does not say.
        length: how many it says they are; None when it does not say.
    """

    body: AsyncIterator[Buffer]
    start: int | None = None
    length: int | None = None

    @classmethod
    def empty(cls) -> Chunk:
        """Return a chunk of no bytes, for an upload that has them all."""
        return cls(_nothing())

    def check_start(self, offset: int) -> None:
        """Check that this is the next chunk.

        Raises:
            OutOfOrder: it is not (distribution-spec 1.1, "Pushing a blob in chunks").
        """
        if self.start is not None and self.start != offset:
            raise OutOfOrder("the chunk does not begin where the upload stands", offset=offset)

    def check_end(self, received: int) -> None:
        """Check that as much came as was announced.

        Raises:
            SizeInvalid: less or more did.
        """
        if self.length is not None and received != self.length:
            raise SizeInvalid(
                f"the chunk has {received} bytes, not {self.length} as announced",
                detail={"announced": self.length, "received": received},
            )
