"""Decompressing a stream in bounded pieces, whatever its format and however it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nacre.layers.compression.formats import Decoder, Format, load_format
from nacre.layers.compression.growth import Growth
from nacre.layers.compression.kind import SNIFF_LENGTH, Compression, sniff
from nacre.layers.errors import CorruptStream, LayerLimit

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_PIECE = 1 << 20
"""Longest piece of output, in bytes."""

# Input goes to a codec in stretches that seldom fill a piece of output, because codecs copy
# what is left over.
_STRETCH = 1 << 18


class Decompressor:
    """Takes a compressed stream in pieces of any size, and gives what it decompresses to.

    Streams of several members or frames are read to their end. After the last one, gzip and
    bzip2 ignore whatever follows; zstd and xz do not.

    Args:
        compression: the format; None to tell it from the first bytes.
        max_output: most bytes of output to give.
        growth: counts how much more that is than the input.
    """

    def __init__(
        self,
        compression: Compression | None = None,
        *,
        max_output: int | None = None,
        growth: Growth | None = None,
    ) -> None:
        self.compression = compression
        """The format; None until enough was fed to tell."""
        self._max_output = max_output
        self._growth = growth
        self._taken = 0
        self._excess = 0.0  # the most so far: the order of what compresses well is all one
        self._given = 0
        self._held = b""  # input between members, not yet known to begin one
        self._format: Format | None = None
        self._decoder: Decoder | None = None
        self._members = 0
        self._in_garbage = False

    def feed(self, chunk: Buffer) -> Iterator[bytes]:
        """Take the next bytes of the stream; yield what they decompress to, at most 1 MiB a piece.

        The iterator must be exhausted before the next call.

        Raises:
            CorruptStream: the stream is damaged.
            LayerLimit: it gives more than was agreed to.
        """
        with memoryview(chunk) as view, view.cast("B") as data:
            self._taken += len(data)
            for start in range(0, len(data), _STRETCH):
                yield from self._take(bytes(data[start : start + _STRETCH]))

    def finish(self) -> bytes:
        """Say that the whole stream was fed; return the last of its output.

        Raises:
            CorruptStream: the stream ends before its format does.
        """
        output = b""
        if self.compression is None:
            self.compression = sniff(self._held)
            held, self._held = self._held, b""
            output = b"".join(self._take(held))
        if self.compression is Compression.NONE:
            return output
        if self._decoder or not self._members:
            raise CorruptStream(f"the {self._name} stream ends too early")
        if self._held and not self._rules().ignores_garbage:
            raise CorruptStream(f"the {self._name} stream is followed by something else")
        return output

    def _take(self, data: bytes) -> Iterator[bytes]:
        if self.compression is None:
            data = self._held + data
            if len(data) < SNIFF_LENGTH:
                self._held = data
                return
            self._held = b""
            self.compression = sniff(data)
        if self.compression is not Compression.NONE:
            yield from self._decode(data)
        elif data:
            self._count(data)
            yield data

    def _decode(self, data: bytes) -> Iterator[bytes]:
        errors = self._rules().errors
        while True:
            if self._decoder is None:
                data = self._begin_member(data)
            if self._decoder is None:
                return
            try:
                piece = self._decoder.decompress(data, MAX_PIECE)
            except errors as problem:
                raise CorruptStream(f"the {self._name} stream is corrupt: {problem}") from problem
            data = b""
            if piece:
                self._count(piece)
                yield piece
            if self._decoder.eof:
                data = self._decoder.unused_data
                self._decoder = None
            elif self._decoder.needs_input:
                return

    def _begin_member(self, data: bytes) -> bytes:
        # Sets up a decoder if the input, returned, begins a member.
        if self._in_garbage:
            return b""
        rules = self._rules()
        data = self._held + data
        self._held = b""
        if self._members and rules.zero_padding:
            data = data.lstrip(b"\0")
        if self._members and sniff(data) is not self.compression:
            if len(data) < SNIFF_LENGTH:
                self._held = data
            elif rules.ignores_garbage:
                self._in_garbage = True
            else:
                raise CorruptStream(f"the {self._name} stream is followed by something else")
        elif data:
            self._members += 1
            self._decoder = rules.decoder()
        return data

    def _count(self, piece: bytes) -> None:
        self._given += len(piece)
        if self._max_output is not None and self._given > self._max_output:
            raise LayerLimit(
                f"the {self._name} stream decompresses to more than {self._max_output} bytes",
                limit="max_output",
                maximum=self._max_output,
            )
        if self._growth is not None:
            excess = self._given - self._growth.ratio * self._taken
            if excess > self._excess:
                self._growth.add(excess - self._excess)
                self._excess = excess

    def _rules(self) -> Format:
        if self._format is None:
            self._format = load_format(self.compression or Compression.NONE)
        return self._format

    @property
    def _name(self) -> str:
        return self.compression.value if self.compression else "unknown"
