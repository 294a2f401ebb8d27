"""Reading one gzip member (RFC 1952): its header here, the rest by ISA-L."""

from __future__ import annotations

from typing import cast
from zlib import crc32

from isal import igzip_lib

# The stub declares an instance where the class is.
ERROR = cast("type[Exception]", igzip_lib.IsalError)

_MAX_HEADER = 1 << 17
_HCRC, _EXTRA, _NAME, _COMMENT, _RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0


class GzipMember:
    """Inflates one member and verifies its checksum and length; has the shape of a BZ2Decompressor.

    ISA-L's own header parser goes wrong when optional fields arrive in pieces, so it is given
    the deflate stream and the trailer only.
    """

    def __init__(self) -> None:
        self._header: bytes | None = b""
        self._inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP_NO_HDR_VER)

    @property
    def eof(self) -> bool:
        """True when the member is complete."""
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        """True when no more output can come without more input."""
        return self._header is not None or self._inflate.needs_input

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end of the member."""
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take more input, return at most ``max_length`` bytes of output.

        Raises:
            ValueError: the header is malformed.
            ERROR: the rest is.
        """
        if self._header is not None:
            header = self._header + data
            length = header_length(header)
            if length is None:
                self._header = header
                return b""
            data = header[length:]
            self._header = None
        return self._inflate.decompress(data, max_length)


def header_length(text: bytes) -> int | None:
    """Return how long the header is that ``text`` begins with; None when more is needed.

    Raises:
        ValueError: it is not a gzip header, or it is longer than 128 KiB.
    """
    if not text.startswith(b"\x1f\x8b\x08"[: len(text)]):
        raise ValueError("it does not begin as gzip does")
    length = _fields_length(text) if len(text) >= 10 else None
    if len(text if length is None else text[:length]) > _MAX_HEADER:
        raise ValueError("its header is too long")
    return length


def _fields_length(text: bytes) -> int | None:
    flags = text[3]
    if flags & _RESERVED:
        raise ValueError("its header has reserved flags")
    length = 10
    if flags & _EXTRA:
        length += 2 + int.from_bytes(text[10:12], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            length = text.find(b"\0", length) + 1
            if not length:
                return None
    if flags & _HCRC:
        stored = int.from_bytes(text[length : length + 2], "little")
        if len(text) >= length + 2 and crc32(text[:length]) & 0xFFFF != stored:
            raise ValueError("the checksum of its header does not match")
        length += 2
    return length if length <= len(text) else None
