"""Blobs of a repository, read as streams that mend their connection (distribution-spec "Pull")."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from nacre.distribution.errors import ConnectionDropped, ConnectionFailed, InvalidReply
from nacre.distribution.fields import content_range
from nacre.distribution.place import Place
from nacre.distribution.transport_reply import Reply
from nacre.oci import wire
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest

_SKIP_BLOCK = 256 * 1024
_PROGRESS = 1024 * 1024
"""So many bytes between two failures count as progress: patience starts anew."""


def has(place: Place, digest: Digest) -> bool:
    """Say whether the repository has a blob."""
    call = place.call(
        "pull",
        "HEAD",
        wire.blob(place.path, digest),
        kind="blob",
        reference=digest,
        expect=(200, 404),
    )
    with place.session.request(call) as reply:
        return reply.status == 200


def delete(place: Place, digest: Digest) -> None:
    """Delete a blob from the repository.

    Raises:
        NotFound: there is none.
        Unsupported: the registry does not allow it.
    """
    call = place.call(
        "delete",
        "DELETE",
        wire.blob(place.path, digest),
        kind="blob",
        reference=digest,
        expect=(200, 202, 204),
    )
    place.session.request(call).close()


def open_stream(place: Place, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
    """Return a blob's bytes from ``offset`` on, unverified.

    The stream has exactly the descriptor's size. When the connection breaks it is made anew and
    the rest asked for (RFC 9110 "Range Requests").

    Raises:
        NotFound: there is no such blob.
        InvalidReply: the registry's blob is shorter or longer than the descriptor says.
    """
    # RawIOBase has all of BinaryIO but its declaration.
    return cast("BinaryIO", BlobStream(place, descriptor, offset))


class BlobStream(io.RawIOBase):
    """A blob on its way; ``readinto`` with a large buffer is the fast way to read it."""

    def __init__(self, place: Place, descriptor: Descriptor, offset: int = 0) -> None:
        super().__init__()
        self._place = place
        self._descriptor = descriptor
        self._position = offset
        self._failures = 0
        self._progress_from = offset
        self._failing_since = 0.0
        self._reply = self._request()

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` with the next bytes and return how many; 0 at the end.

        Raises:
            ConnectionFailed: the connection broke too often.
            InvalidReply: the body is longer than the descriptor says.
        """
        left = self._descriptor.size - self._position
        if left <= 0:
            self._check_end()
            return 0
        view = memoryview(buffer).cast("B")[:left]
        while view:
            try:
                count = self._reply.readinto(view)
                if not count:
                    raise self._ended_early()
            except ConnectionFailed as failure:
                self._reconnect(failure)
                continue
            self._position += count
            return count
        return 0

    def close(self) -> None:
        """Give the connection back, or drop it when much is left to read."""
        if not self.closed and hasattr(self, "_reply"):
            self._reply.close()
        super().close()

    def _request(self) -> Reply:
        """Ask for the blob from the position on, and place the reply's body there."""
        offset, size = self._position, self._descriptor.size
        ranged = 0 < offset < size
        digest = self._descriptor.digest
        call = self._place.call(
            "pull",
            "GET",
            wire.blob(self._place.path, digest),
            kind="blob",
            reference=digest,
            expect=(200, 206) if ranged else (200,),
            headers={"Range": f"bytes={offset}-"} if ranged else {},
        )
        reply = self._place.session.request(call)
        try:
            if reply.status == 206:
                self._check_range(reply)
            else:
                self._check_whole(reply)
                self._skip(reply, offset)
        except BaseException:
            reply.close()
            raise
        return reply

    def _check_whole(self, reply: Reply) -> None:
        length, size = reply.length, self._descriptor.size
        if length is not None and length != size:
            raise self._wrong(f"is served with {length} bytes, but should have {size}")

    def _check_range(self, reply: Reply) -> None:
        stated = content_range(reply.header("Content-Range"))
        if stated is None or stated.first != self._position:
            raise self._wrong(
                f"was asked for from byte {self._position} on, but the reply says "
                f"{reply.header('Content-Range')[:100]!r}"
            )
        size = self._descriptor.size
        past_end = stated.last >= size or stated.size not in (None, size)
        if past_end or reply.length not in (None, stated.length):
            raise self._wrong(f"is served with another size than {size} bytes")

    def _skip(self, reply: Reply, count: int) -> None:
        """Read past what is already there: the server does not know ranges."""
        block = memoryview(bytearray(min(_SKIP_BLOCK, max(count, 1))))
        while count:
            skipped = reply.readinto(block[:count])
            if not skipped:
                raise self._ended_early()
            count -= skipped

    def _check_end(self) -> None:
        """Notice a body without a length that goes on past the blob's end."""
        try:
            longer = self._reply.readinto(bytearray(1))
        except ConnectionFailed:
            longer = 0
        if longer:
            self._reply.close()
            raise self._wrong(f"is longer than its {self._descriptor.size} bytes")

    def _reconnect(self, failure: ConnectionFailed) -> None:
        """Wait as the policy says and go on from the position, or give up.

        Raises:
            ConnectionFailed: ``failure``, or the last one, when it is enough.
        """
        retrier = self._place.session.retrier
        self._reply.close()
        while True:
            if not self._failures or self._position - self._progress_from >= _PROGRESS:
                self._failures, self._failing_since = 0, retrier.monotonic()
                self._progress_from = self._position
            self._failures += 1
            delay = retrier.delay(failure, self._failures, self._failing_since)
            if delay is None:
                raise failure
            retrier.wait(f"blob {self._descriptor.digest.short}", str(failure), delay)
            try:
                self._reply = self._request()
            except ConnectionFailed as again:
                failure = again
            else:
                return

    def _ended_early(self) -> ConnectionDropped:
        return ConnectionDropped(
            f"blob {self._descriptor.digest} from {self._place.name} ended after "
            f"{self._position} of {self._descriptor.size} bytes",
            remedy="retry",
        )

    def _wrong(self, how: str) -> InvalidReply:
        return InvalidReply(
            f"blob {self._descriptor.digest} of {self._place.name} {how}",
            remedy="have the image pushed again",
        )
