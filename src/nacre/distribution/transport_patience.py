"""Connections whose replies must get on: no server can keep us waiting or reading for ever.

The time limit of a socket starts anew with every byte, and http.client reads interim replies and
what surrounds a body for as long as they come. Here both are bounded, whatever the server sends.
"""

from __future__ import annotations

import io
import time
from http.client import SWITCHING_PROTOCOLS, HTTPException, HTTPResponse
from typing import TYPE_CHECKING, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from socket import SocketIO, socket

_LEAST_PACE = 1024
"""Bytes a second, on average, from which on a server counts as gone. Our own slowness is free."""

_SURROUNDINGS = 256 * 1024
"""How much may come around the content that is waited for: header fields, trailers, interim
replies. The header alone may have 6 MiB as far as http.client is concerned."""

_OVERHEAD = 8
"""Chunks of a single byte, the smallest there are, take six bytes each."""


class _Watched(io.RawIOBase):
    """A socket's bytes, as long as they come fast enough and are no more than allowed."""

    def __init__(self, source: SocketIO, patience: float) -> None:
        super().__init__()
        self._source = source
        self._patience = patience
        self._waited = 0.0
        self._came = 0
        self._allowed = _SURROUNDINGS

    def allow(self, content: int) -> None:
        """From now on let pass what so many bytes of content may take on their way."""
        self._allowed = self._came + _OVERHEAD * content + _SURROUNDINGS

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._source.fileno()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read once.

        Raises:
            TimeoutError: the whole waiting was too long for what came.
            HTTPException: more came than allowed.
        """
        started = time.monotonic()
        count = self._source.readinto(buffer) or 0
        self._waited += time.monotonic() - started
        self._came += count
        if self._waited > self._patience + self._came / _LEAST_PACE:
            raise TimeoutError
        if self._came > self._allowed:
            raise HTTPException("its answer has no end")
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class PatientResponse(HTTPResponse):
    """A reply of a server that is waited for, but not without end."""

    def __init__(
        self,
        sock: socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        patience = sock.gettimeout()
        source = cast("SocketIO", self.fp.detach())
        self._watched = _Watched(source, float("inf") if patience is None else patience)
        self.fp = io.BufferedReader(self._watched)

    def begin(self) -> None:
        """Read up to the body, interim replies (RFC 9110 section 15.2) skipped."""
        super().begin()
        while self.status < 200 and self.status != SWITCHING_PROTOCOLS:
            # Without header fields the reply counts as not yet begun.
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` with the next bytes of the body; see `HTTPResponse`."""
        self._watched.allow(len(buffer))
        return super().readinto(buffer)


class _PlainConnection(HTTPConnection):
    response_class = PatientResponse


class _SecureConnection(HTTPSConnection):
    response_class = PatientResponse


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _PlainPool, "https": _SecurePool}
"""Pools of such connections by scheme, as `urllib3.PoolManager` takes them."""
