"""Zstandard (RFC 8878), from the standard library or its backport."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import (
        CompressionParameter,
        DecompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdError,
    )
else:
    from backports.zstd import (
        CompressionParameter,
        DecompressionParameter,
        ZstdCompressor,
        ZstdDecompressor,
        ZstdError,
    )

ERROR = ZstdError

# 128 MiB, the most that the zstd command takes without being told to.
_WINDOW_LOG_MAX = 27


def zstd_frame() -> ZstdDecompressor:
    """Return a decompressor of one frame; frames meant to be skipped yield nothing."""
    return ZstdDecompressor(options={DecompressionParameter.window_log_max: _WINDOW_LOG_MAX})


class ZstdStream:
    """Compresses to one frame with a checksum, in ``threads`` worker threads."""

    def __init__(self, level: int, *, threads: int) -> None:
        # The bytes are the same for every number of workers from one on, but not for none: so
        # at least one, unless the library was built without.
        most = CompressionParameter.nb_workers.bounds()[1]
        self._compressor = ZstdCompressor(
            options={
                CompressionParameter.compression_level: level,
                CompressionParameter.checksum_flag: 1,
                CompressionParameter.nb_workers: min(threads, most),
            }
        )

    def feed(self, chunk: bytes | bytearray | memoryview) -> bytes:
        """Take the next bytes; return what is compressed by now."""
        return self._compressor.compress(chunk)

    def finish(self) -> bytes:
        """Return the rest of the frame."""
        return self._compressor.flush()

    def close(self) -> None:
        """Do nothing: the workers end with the compressor."""
