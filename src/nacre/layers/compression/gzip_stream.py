"""Writing gzip (RFC 1952), the same bytes for the same input, on as many threads as wanted.

The input is cut every 1 MiB, and each segment is compressed for itself, ending on a byte: one
deflate stream of independent parts. That costs a few bytes in a thousand, and makes the result
depend neither on the number of threads nor on how the input came in. It does depend on the
version of the compressing library, and may on the kind of processor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from isal import isal_zlib

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

SEGMENT = 1 << 20

# No name, no time, no flags, "unknown" system.
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_FINAL_EMPTY_BLOCK = b"\x03\0"

Buffer = bytes | bytearray | memoryview


class GzipStream:
    """Compresses to one gzip member, ``threads`` segments at a time.

    Args:
        compress: compresses a segment, see `nacre.layers.compression.gzip_segments`.
        threads: at least 1; with 1, everything is done by the caller's.
    """

    def __init__(self, compress: Callable[[bytes], bytes], *, threads: int) -> None:
        self._compress = compress
        self._threads = threads
        self._pool = _thread_pool(threads) if threads > 1 else None
        self._jobs: deque[Future[bytes]] = deque()
        self._pending: list[Buffer] = []
        self._room = SEGMENT
        self._ready = [_HEADER]
        self._crc = 0
        self._size = 0

    def feed(self, chunk: Buffer) -> bytes:
        """Take the next bytes; return what is compressed by now."""
        self._crc = isal_zlib.crc32(chunk, self._crc)
        self._size += len(chunk)
        # Whoever feeds whole segments spares their being copied.
        rest = chunk
        while len(rest) >= self._room:
            self._pending.append(rest if len(rest) == self._room else rest[: self._room])
            rest = rest[self._room :]
            self._begin_pending()
        if rest:
            self._pending.append(bytes(rest))
            self._room -= len(rest)
        return self._collect()

    def finish(self) -> bytes:
        """Return the rest of the member."""
        if self._pending:
            self._begin_pending()
        self._ready.extend(job.result() for job in self._jobs)
        self._jobs.clear()
        self._ready += [
            _FINAL_EMPTY_BLOCK,
            self._crc.to_bytes(4, "little"),
            (self._size & 0xFFFFFFFF).to_bytes(4, "little"),
        ]
        return self._collect()

    def close(self) -> None:
        """Stop the threads."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def _begin_pending(self) -> None:
        self._begin(b"".join(self._pending))
        self._pending.clear()
        self._room = SEGMENT

    def _begin(self, segment: bytes) -> None:
        if self._pool is None:
            self._ready.append(self._compress(segment))
            return
        self._jobs.append(self._pool.submit(self._compress, segment))
        # One more than the threads, so that none is idle while the caller is busy.
        while len(self._jobs) > self._threads + 1:
            self._ready.append(self._jobs.popleft().result())

    def _collect(self) -> bytes:
        ready, self._ready = self._ready, []
        return b"".join(ready)


def _thread_pool(threads: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    return ThreadPoolExecutor(threads, thread_name_prefix="gzip")
