from __future__ import annotations

import bz2
import gzip
import lzma
import random
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.layers.compression import Compression, Decompressor
from nacre.layers.compression.decompress import MAX_PIECE
from nacre.layers.errors import CorruptStream, LayerLimit

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHECKSUM: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}
ENCODE: dict[Compression, Callable[[bytes], bytes]] = {
    Compression.NONE: bytes,
    Compression.GZIP: gzip.compress,
    Compression.ZSTD: lambda data: zstd.compress(data, options=CHECKSUM),
    Compression.BZIP2: bz2.compress,
    Compression.XZ: lzma.compress,
}
CODECS = [kind for kind in Compression if kind is not Compression.NONE]
TEXT = random.Random(1).randbytes(20_000) + b"nacre " * 20_000
SHORT = b"mother of pearl" * 20


def decompressed(data: bytes, size: int = 1 << 20, **options: int | Compression | None) -> bytes:
    decompressor = Decompressor(**options)  # type: ignore[arg-type]
    pieces: list[bytes] = []
    for start in range(0, len(data), size):
        pieces += decompressor.feed(data[start : start + size])
    return b"".join(pieces) + decompressor.finish()


@pytest.mark.parametrize("kind", Compression)
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_how_a_stream_is_cut_does_not_matter(kind: Compression, size: int) -> None:
    data = ENCODE[kind](TEXT if size > 7 else SHORT)
    assert decompressed(data, size) == (TEXT if size > 7 else SHORT)


@pytest.mark.parametrize("kind", Compression)
def test_pieces_are_bounded(kind: Compression) -> None:
    zeros = bytes(5 * MAX_PIECE + 5)
    lengths = [len(piece) for piece in Decompressor().feed(ENCODE[kind](zeros))]
    assert sum(lengths) == len(zeros)
    assert min(lengths) > 0
    assert max(lengths) <= MAX_PIECE


def test_buffers_of_all_kinds_are_taken() -> None:
    data = gzip.compress(TEXT)
    for chunk in (data, bytearray(data), memoryview(data)):
        assert b"".join(Decompressor().feed(chunk)) == TEXT


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_all_members_are_read(kind: Compression, size: int) -> None:
    data = ENCODE[kind](SHORT) + ENCODE[kind](b"") + ENCODE[kind](b"more")
    assert decompressed(data, size) == SHORT + b"more"


@pytest.mark.parametrize("kind", [Compression.GZIP, Compression.XZ])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_zero_padding_between_and_after_members_is_ignored(kind: Compression, size: int) -> None:
    data = ENCODE[kind](SHORT) + bytes(512) + ENCODE[kind](SHORT) + bytes(2048)
    assert decompressed(data, size) == SHORT * 2


@pytest.mark.parametrize("size", [1, 1 << 20])
def test_skippable_zstd_frames_are_skipped(size: int) -> None:
    skippable = b"\x5a\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    frame = zstd.compress(SHORT)
    assert decompressed(skippable + frame + skippable + frame + skippable, size) == SHORT * 2


GARBAGE = [b"x", b"garbage behind the stream", b"\x1f\x8b"]
IGNORES_GARBAGE = [Compression.GZIP, Compression.BZIP2]


@pytest.mark.parametrize("kind", IGNORES_GARBAGE)
@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_trailing_garbage_is_ignored_in_gzip_and_bzip2(
    kind: Compression, garbage: bytes, size: int
) -> None:
    assert decompressed(ENCODE[kind](SHORT) + garbage, size) == SHORT


@pytest.mark.peers
@pytest.mark.parametrize("kind", IGNORES_GARBAGE)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_the_commands_gzip_and_bzip2_ignore_it_too(kind: Compression, garbage: bytes) -> None:
    command = [kind.value, "-dc"]
    data = ENCODE[kind](SHORT) + garbage
    assert subprocess.run(command, input=data, capture_output=True, check=False).stdout == SHORT


@pytest.mark.parametrize("kind", [Compression.ZSTD, Compression.XZ])
@pytest.mark.parametrize("garbage", [b"x", b"garbage behind the stream"])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_trailing_garbage_is_an_error_in_zstd_and_xz(
    kind: Compression, garbage: bytes, size: int
) -> None:
    with pytest.raises(CorruptStream, match="followed by something else"):
        decompressed(ENCODE[kind](SHORT) + garbage, size)


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("members", [1, 2])
def test_a_truncated_stream_is_an_error(kind: Compression, members: int) -> None:
    first = ENCODE[kind](b"first") * (members - 1)
    last = ENCODE[kind](SHORT)
    for cut in range(12, len(last)):
        with pytest.raises(CorruptStream, match="too early"):
            decompressed(first + last[:cut])


@pytest.mark.parametrize("kind", CODECS)
def test_a_stream_said_to_be_compressed_is_not_empty(kind: Compression) -> None:
    with pytest.raises(CorruptStream, match="too early"):
        decompressed(b"", compression=kind)


@pytest.mark.parametrize("kind", CODECS)
def test_a_stream_that_is_not_what_it_is_said_to_be_is_corrupt(kind: Compression) -> None:
    with pytest.raises(CorruptStream, match=kind.value):
        decompressed(b"something else altogether" * 9, compression=kind)


@pytest.mark.parametrize("data", [b"", b"B", b"\x1f\x8b", b"BZh9", b"123456789"])
def test_a_stream_too_short_to_tell_is_given_as_it_is(data: bytes) -> None:
    assert decompressed(data) == data
    assert decompressed(data, 1) == data


@pytest.mark.parametrize("kind", CODECS)
def test_damage_is_an_error(kind: Compression) -> None:
    data = ENCODE[kind](TEXT)
    for position in range(20, len(data), 997):
        damaged = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        with pytest.raises(CorruptStream):
            decompressed(damaged)


@pytest.mark.parametrize("position", [-1, -5])
def test_the_checksum_and_length_of_gzip_are_verified(position: int) -> None:
    data = bytearray(gzip.compress(SHORT))
    data[position] ^= 1
    with pytest.raises(CorruptStream, match="corrupt"):
        decompressed(bytes(data))


@pytest.mark.parametrize("kind", Compression)
def test_a_bomb_is_stopped_by_its_size(kind: Compression) -> None:
    bomb = ENCODE[kind](bytes(3 * MAX_PIECE))
    assert len(decompressed(bomb, max_output=3 * MAX_PIECE)) == 3 * MAX_PIECE
    decompressor = Decompressor(max_output=MAX_PIECE + 1)
    given = 0
    with pytest.raises(LayerLimit) as caught:  # noqa: PT012 - what came before it counts
        for piece in decompressor.feed(bomb):
            given += len(piece)
    assert given <= MAX_PIECE
    assert (caught.value.limit, caught.value.maximum) == ("max_output", MAX_PIECE + 1)


def test_a_zstd_window_beyond_128_mib_is_refused() -> None:
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 28,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    encoder = zstd.ZstdCompressor(options=options)
    frame = encoder.compress(b"x" * 100_000) + encoder.flush()
    with pytest.raises(CorruptStream, match="corrupt"):
        decompressed(frame)


def test_an_xz_dictionary_beyond_256_mib_is_refused() -> None:
    header = lzma.compress(
        b"x" * 1000, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 300 << 20}]
    )
    with pytest.raises(CorruptStream, match="Memory"):
        decompressed(header)


@given(st.binary(max_size=500), st.sampled_from(CODECS), st.integers(1, 40))
@settings(deadline=None)
def test_noise_is_refused_without_a_traceback(noise: bytes, kind: Compression, size: int) -> None:
    for data in (noise, ENCODE[kind](SHORT)[:30] + noise):
        outcomes: list[bytes | None] = []
        for step in (size, 1 << 20):
            try:
                outcomes.append(decompressed(data, step, compression=kind))
            except CorruptStream:
                outcomes.append(None)
        assert outcomes[0] == outcomes[1]


def test_a_random_stream_of_members_agrees_with_the_standard_library() -> None:
    source = random.Random(5)
    members = [source.randbytes(source.randrange(3000)) * source.randrange(9) for _ in range(40)]
    data = b"".join(gzip.compress(member, source.randrange(10)) for member in members)
    assert decompressed(data, 777) == b"".join(members) == gzip.decompress(data)
