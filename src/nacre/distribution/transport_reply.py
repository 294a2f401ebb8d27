"""Replies: status, header fields, and a body that is read into the reader's own buffer."""

from __future__ import annotations

import http.client
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nacre.distribution.errors import ConnectionDropped, InvalidReply
from nacre.distribution.fields import number
from nacre.distribution.transport_errors import EXCEPTIONS, translate

if TYPE_CHECKING:
    import urllib3

_WORTH_DRAINING = 64 * 1024


class Reply:
    """One reply. Leaving its context gives the connection back, or drops it when that is cheaper.

    Its body is raw: no content encoding is undone.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, url: str) -> None:
        self._response = response
        # urllib3's own readinto makes a temporary copy; the reply of http.client below it reads
        # from the socket straight into the caller's buffer.
        self._body: http.client.HTTPResponse = response._original_response  # type: ignore[attr-defined]  # noqa: SLF001
        self.url = url
        self.status = response.status

    def header(self, name: str) -> str:
        """Return a header field's value, "" without it; several are joined by commas."""
        return self._response.headers.get(name) or ""

    def headers(self, name: str) -> list[str]:
        """Return the values of a header field that came several times."""
        return self._response.headers.getlist(name)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    @property
    def length(self) -> int | None:
        """The body's length in bytes as promised, or None.

        Raises:
            InvalidReply: the promise is no number.
        """
        value = self.header("Content-Length")
        if not value or self.header("Transfer-Encoding"):
            return None
        length = number(value)
        if length is None:
            raise InvalidReply(f"a reply has the Content-Length {value[:50]!r}")
        return length

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill ``buffer`` with the body's next bytes and return how many; 0 at its end.

        Raises:
            ConnectionFailed: the connection broke; a body that just ends early is for the
                caller to notice.
        """
        try:
            return self._body.readinto(buffer)
        except EXCEPTIONS as error:
            raise translate(error, self.url, replied=True) from error

    def read(self, limit: int) -> bytes:
        """Return the whole body, or its first ``limit`` + 1 bytes when it is longer.

        Raises:
            ConnectionFailed: the connection broke or the body ended early.
        """
        body = bytearray()
        block = memoryview(bytearray(min(limit + 1, 64 * 1024)))
        while len(body) <= limit:
            count = self.readinto(block[: limit + 1 - len(body)])
            if not count:
                break
            body += block[:count]
        promised = self.length
        if promised is not None and len(body) < min(promised, limit + 1):
            raise ConnectionDropped(
                f"the body of {self.url.partition('?')[0]} ended after {len(body)} "
                f"of {promised} bytes",
                remedy="retry",
            )
        return bytes(body)

    def close(self) -> None:
        """Give the connection back to its pool if little is left to read, else close it."""
        try:
            left = self._body.length
            if left is not None and left <= _WORTH_DRAINING:
                self._drain()
            if not self._body.isclosed():
                self._response.close()
        except EXCEPTIONS:
            self._response.close()
        finally:
            self._response.release_conn()

    def _drain(self) -> None:
        block = bytearray(8192)
        while not self._body.isclosed() and self._body.readinto(block):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
