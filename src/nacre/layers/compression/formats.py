"""How each format is decoded, and what may follow its last member; loads the codecs on demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from nacre.layers.compression.kind import Compression

# xz -9 needs 65 MiB.
_XZ_MEMORY = 256 << 20


class Decoder(Protocol):
    """Decodes one gzip member, zstd frame, xz or bzip2 stream, as ``bz2.BZ2Decompressor`` does."""

    @property
    def eof(self) -> bool:
        """True when the member is complete."""

    @property
    def needs_input(self) -> bool:
        """True when no more output can come without more input."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end of the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take more input, return at most ``max_length`` bytes of output."""


class Format(NamedTuple):
    """The decoder of a format and its rules between members."""

    decoder: Callable[[], Decoder]
    errors: tuple[type[Exception], ...]
    """What a decoder raises when its input is damaged."""
    zero_padding: bool
    """Zeros after a member are padding, such as tapes leave."""
    ignores_garbage: bool
    """What follows the last member is ignored, as the command of that name does."""


def load_format(compression: Compression) -> Format:
    """Return how a format is decoded; there must be something to decode."""
    match compression:
        case Compression.GZIP:
            from nacre.layers.compression import gzip_member  # noqa: PLC0415

            return Format(
                gzip_member.GzipMember,
                (gzip_member.ERROR, ValueError),
                zero_padding=True,
                ignores_garbage=True,
            )
        case Compression.ZSTD:
            from nacre.layers.compression import zstd_stream  # noqa: PLC0415

            return Format(
                zstd_stream.zstd_frame,
                (zstd_stream.ERROR,),
                zero_padding=False,
                ignores_garbage=False,
            )
        case Compression.BZIP2:
            import bz2  # noqa: PLC0415

            return Format(bz2.BZ2Decompressor, (OSError,), zero_padding=False, ignores_garbage=True)
        case Compression.XZ:
            import lzma  # noqa: PLC0415

            return Format(
                lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
                (lzma.LZMAError,),
                zero_padding=True,
                ignores_garbage=False,
            )
    raise ValueError(f"{compression} is not a format to decode")
