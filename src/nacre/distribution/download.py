"""A file from any web server, as a stream: what ``nacre import URL`` reads."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from nacre.distribution.errors import ConnectionDropped, ErrorReply, Purpose, UnsafeAddress
from nacre.distribution.exchange import Request, origin
from nacre.distribution.redirects import followed
from nacre.distribution.retry import Retrier
from nacre.distribution.transport import Transport
from nacre.distribution.transport_reply import Reply
from nacre.errors import Denied

_OTHERWISE = "fetch it with a tool of your choice and pipe it to 'nacre import -'"


def open_url(transport: Transport, retrier: Retrier, url: str) -> BinaryIO:
    """Return the bytes at an http or https address; its redirects are followed.

    Proxies, certificates and patience are those for registries. The stream raises
    `ConnectionDropped` when it ends before the length that was promised.

    Raises:
        UnsafeAddress: the address, or one that it leads to, is not to be followed.
        NotFound: there is no such file.
        Denied: the server asks for a login or refuses.
        Unavailable: the server cannot be reached, or fails.
    """
    try:
        host = origin(url).address
    except UnsafeAddress as error:
        raise UnsafeAddress(str(error), remedy=_OTHERWISE) from None
    shown = url.partition("?")[0]

    def send(address: str) -> Reply:
        return transport.send(Request("GET", address))

    reply = retrier.call(f"download of {shown}", lambda: followed(send, "GET", url))
    if reply.status == 200:
        # RawIOBase has all of BinaryIO but its declaration.
        return cast("BinaryIO", _Download(reply, shown))
    with reply:
        if reply.status in (401, 403):
            raise Denied(f"cannot download {shown}: {host} refuses access", remedy=_OTHERWISE)
        raise ErrorReply(reply.status).to_error(Purpose("download", host, shown))


class _Download(io.RawIOBase):
    """The body of a reply; ``name`` is its address without a query, which may hold a secret."""

    def __init__(self, reply: Reply, name: str) -> None:
        super().__init__()
        self.name = name
        self._reply = reply
        self._length = reply.length
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        count = self._reply.readinto(buffer)
        self._position += count
        if not count and len(buffer) and self._length not in (None, self._position):
            raise ConnectionDropped(
                f"{self.name} ended after {self._position} of {self._length} bytes",
                remedy="retry",
            )
        return count

    def close(self) -> None:
        self._reply.close()
        super().close()
