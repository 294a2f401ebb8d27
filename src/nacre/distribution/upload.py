"""Uploading a blob (distribution-spec "Pushing blobs").

In one piece when the registry lets us. After a broken connection the registry is asked how much
it has, and only the rest is sent. A registry that refuses large requests is sent chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from nacre.distribution import blobs
from nacre.distribution.body import ContentBody
from nacre.distribution.errors import (
    ERROR_BODY_LIMIT,
    ConnectionFailed,
    ErrorReply,
    InvalidReply,
)
from nacre.distribution.exchange import resolved, with_query
from nacre.distribution.fields import number, received
from nacre.distribution.place import Place
from nacre.distribution.retry import TRANSIENT
from nacre.distribution.session import Call
from nacre.distribution.transport_reply import Reply
from nacre.errors import NacreError, NotFound
from nacre.oci import wire
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.value import Value

_FIRST_CHUNK = 32 * 1024 * 1024
_LEAST_CHUNK = 256 * 1024
_TOO_LARGE = frozenset({411, 413})
_GONE = frozenset({404, 416})
_OCTETS = {"Content-Type": "application/octet-stream"}


class Started(Value):
    """An upload that the registry waits for: where to, and the least length of its chunks."""

    location: str
    least_chunk: int = 0


def start(place: Place, *, mount: Digest | None = None, origin: str = "") -> Started | None:
    """Begin an upload, or with ``mount`` try to take a blob over from the repository ``origin``.

    ``origin`` is its path at the endpoint. Returns None when the blob is now here.
    """
    address = wire.uploads(place.path)
    if mount:
        address = with_query(address, f"mount={mount}&from={origin}")
    call = place.call(
        "push",
        "POST",
        address,
        kind="blob",
        reference=mount or "",
        expect=(201, 202) if mount else (202,),
        body=b"",
        also_pull=origin,
    )
    with place.session.request(call) as reply:
        if reply.status == 201:
            return None
        return Started(_location(reply, place), _least_chunk(reply))


def cancel(place: Place, started: Started) -> None:
    """Tell the registry that an upload is given up; it may not care."""
    call = place.call(
        "push", "DELETE", started.location, kind="upload", expect=(200, 202, 204, 404, 405)
    )
    try:
        place.session.request_once(call).close()
    except NacreError:
        # The upload failed for another reason already, and registries drop old ones anyway.
        return


class Upload:
    """The upload of one blob, from its start to the registry's confirmation."""

    def __init__(
        self,
        place: Place,
        descriptor: Descriptor,
        content: Callable[[int], BinaryIO],
        on_bytes: Callable[[int], None],
    ) -> None:
        self._place = place
        self._descriptor = descriptor
        self._content = content
        self._on_bytes = on_bytes
        self._started: Started | None = None
        self._offset = 0
        self._chunk = 0
        self._refusal = ErrorReply(0)

    def run(self, started: Started | None = None) -> None:
        """Move the content; goes on with an upload that was started before.

        Raises:
            NacreError: the registry refuses, the connection breaks too often, or what
                ``content`` raises. The upload is cancelled then.
        """
        try:
            self._started = started or start(self._place)
            if self._started:
                self._until_done()
        except Exception:
            if self._started:
                cancel(self._place, self._started)
            raise

    def _until_done(self) -> None:
        retrier = self._place.session.retrier
        attempt, since, reached = 0, retrier.monotonic(), 0
        while True:
            if self._offset > reached:
                attempt, since, reached = 0, retrier.monotonic(), self._offset
            attempt += 1
            try:
                reply = self._send()
            except ConnectionFailed as failure:
                delay = retrier.delay(failure, attempt, since)
                if delay is None:
                    raise
                reason = str(failure)
            else:
                if self._settled(reply):
                    return
                if reply.status in _TOO_LARGE or reply.status in _GONE:
                    delay = self._adapt(reply, attempt)
                else:
                    delay = retrier.delay_after(reply, attempt, since)
                if delay is None:
                    raise self._refusal.to_error(self._call("PUT", "", expect=()).purpose)
                reason = f"status {reply.status}"
            if delay:
                retrier.wait(f"blob {self._descriptor.digest.short}", reason, delay)
            self._recover()

    def _send(self) -> Reply:
        """Send what the registry lacks, and return the last reply, closed."""
        if not self._chunk and not self._offset:
            return self._put(0, self._descriptor.size)
        while self._offset < self._descriptor.size:
            reply = self._patch()
            if reply.status not in (200, 201, 202, 204):
                return reply
            self._advance(reply)
        return self._put(self._offset, 0)

    def _put(self, offset: int, length: int) -> Reply:
        address = with_query(self._at.location, f"digest={self._descriptor.digest}")
        return self._stream("PUT", address, offset, length, {})

    def _patch(self) -> Reply:
        length = self._next_length()
        span = {"Content-Range": f"{self._offset}-{self._offset + length - 1}"}
        return self._stream("PATCH", self._at.location, self._offset, length, span)

    def _next_length(self) -> int:
        left = self._descriptor.size - self._offset
        return min(left, self._chunk) if self._chunk else left

    def _advance(self, reply: Reply) -> None:
        """Go past a chunk that was accepted, as far as the registry says it was."""
        before = self._offset
        self._offset += self._next_length()
        self._follow(reply)
        if self._offset <= before:
            raise InvalidReply(
                f"{self._place.reference.domain} accepts chunks of blob "
                f"{self._descriptor.digest} without keeping them"
            )

    def _stream(
        self, method: str, address: str, offset: int, length: int, headers: dict[str, str]
    ) -> Reply:
        with ContentBody(self._content, offset, length, self._on_bytes) as body:
            call = self._call(
                method,
                address,
                expect=(200, 201, 202, 204, *TRANSIENT, *_TOO_LARGE, *_GONE),
                headers={**_OCTETS, **headers},
                body=body if length else b"",
            )
            try:
                reply = self._place.session.request_once(call)
            except ConnectionFailed:
                if body.failure:
                    raise body.failure from None
                raise
            with reply:
                if reply.status >= 400:
                    self._refusal = ErrorReply.parse(reply.status, reply.read(ERROR_BODY_LIMIT))
            return reply

    def _settled(self, reply: Reply) -> bool:
        """Say whether the blob is there; a status other than 201 leaves room for doubt."""
        if reply.status in (200, 202, 204):
            return blobs.has(self._place, self._descriptor.digest)
        return reply.status == 201

    def _adapt(self, reply: Reply, attempt: int) -> float | None:
        """Choose smaller requests after a refusal; returns no wait, or None to give up."""
        if reply.status in _GONE:
            return 0.0 if attempt <= 2 else None
        smallest = max(self._at.least_chunk, _LEAST_CHUNK)
        if self._chunk and self._chunk <= smallest:
            return None
        self._chunk = max(self._chunk // 4 if self._chunk else _FIRST_CHUNK, smallest)
        return 0.0

    def _recover(self) -> None:
        """Ask how much the registry has, and go on from there; or begin again."""
        call = self._call("GET", self._at.location, expect=(200, 202, 204, 400, 404, 405, 416))
        with self._place.session.request(call) as reply:
            # "0-0" is one byte or none: nobody can tell, so that upload is of no use.
            if reply.status in (200, 202, 204) and (received(reply.header("Range")) or 0) > 1:
                self._follow(reply)
                return
        cancel(self._place, self._at)
        self._offset = 0
        self._started = start(self._place)

    def _follow(self, reply: Reply) -> None:
        """Take in where the upload goes on, and how much of it has arrived."""
        arrived = received(reply.header("Range"))
        if arrived is not None:
            self._offset = arrived
        if self._offset > self._descriptor.size:
            raise InvalidReply(
                f"{self._place.reference.domain} claims to have {self._offset} bytes of blob "
                f"{self._descriptor.digest}, which has {self._descriptor.size}"
            )
        location = _location(reply, self._place, self._at.location)
        self._started = Started(location, self._at.least_chunk)

    @property
    def _at(self) -> Started:
        if self._started is None:
            raise NotFound(f"no upload of blob {self._descriptor.digest} is under way")
        return self._started

    def _call(
        self,
        method: str,
        address: str,
        *,
        expect: tuple[int, ...],
        headers: dict[str, str] | None = None,
        body: bytes | ContentBody | None = None,
    ) -> Call:
        return self._place.call(
            "push",
            method,
            address,
            kind="blob",
            reference=self._descriptor.digest,
            expect=expect,
            headers=headers,
            body=body,
        )


def _location(reply: Reply, place: Place, default: str = "") -> str:
    location = reply.header("Location")
    if not location and not default:
        raise InvalidReply(f"{place.reference.domain} began an upload without saying where")
    return resolved(reply.url, location) if location else default


def _least_chunk(reply: Reply) -> int:
    return number(reply.header(wire.CHUNK_MIN_LENGTH)) or 0
