from __future__ import annotations

import gzip
import random
import subprocess
import sys
import threading

import pytest

from nacre.errors import Unsupported
from nacre.layers.compression import Compression, Decompressor, Level, compressor

TEXT = random.Random(2).randbytes(30_000) + b"nacre is mother of pearl, " * 100_000
WRITTEN = [Compression.GZIP, Compression.ZSTD]


def compressed(
    data: bytes,
    kind: Compression,
    level: Level = Level.FAST,
    *,
    size: int = 1 << 20,
    threads: int = 1,
) -> bytes:
    with compressor(kind, level, threads=threads) as stream:
        pieces = [stream.feed(data[start : start + size]) for start in range(0, len(data), size)]
        return b"".join(pieces) + stream.finish()


@pytest.mark.parametrize("kind", [Compression.NONE, *WRITTEN])
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("text", [b"", b"x", TEXT])
def test_what_is_compressed_can_be_decompressed(
    kind: Compression, level: Level, text: bytes
) -> None:
    decompressor = Decompressor(kind)
    pieces = [*decompressor.feed(compressed(text, kind, level))]
    assert b"".join(pieces) + decompressor.finish() == text


@pytest.mark.parametrize("level", Level)
def test_the_gzip_command_reads_it(level: Level) -> None:
    data = compressed(TEXT, Compression.GZIP, level, threads=2)
    done = subprocess.run(["gzip", "-dc"], input=data, capture_output=True, check=True)
    assert done.stdout == TEXT
    assert gzip.decompress(data) == TEXT


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("level", Level)
def test_neither_threads_nor_cuts_change_the_bytes(kind: Compression, level: Level) -> None:
    first = compressed(TEXT, kind, level)
    assert compressed(TEXT, kind, level) == first
    assert compressed(TEXT, kind, level, threads=3) == first
    assert compressed(TEXT, kind, level, size=70_001) == first
    assert compressed(TEXT, kind, level, size=len(TEXT), threads=2) == first


@pytest.mark.parametrize("kind", WRITTEN)
def test_one_byte_at_a_time_gives_the_same_bytes(kind: Compression) -> None:
    text = TEXT[:40_000]
    assert compressed(text, kind, size=1) == compressed(text, kind)


def test_a_gzip_header_has_no_name_no_time_and_no_system() -> None:
    assert compressed(b"x", Compression.GZIP)[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def test_one_gzip_member_is_written() -> None:
    data = compressed(TEXT, Compression.GZIP)
    assert data.count(b"\x1f\x8b\x08\0\0\0\0\0\0\xff") == 1


@pytest.mark.parametrize("kind", WRITTEN)
def test_levels_get_smaller(kind: Compression) -> None:
    words = random.Random(3).choices([b"nacre", b"pearl", b"layer", b"shell", b"sea"], k=200_000)
    text = b" ".join(words)
    sizes = [len(compressed(text, kind, level)) for level in Level]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


@pytest.mark.parametrize("kind", [Compression.BZIP2, Compression.XZ])
def test_formats_that_are_only_read_are_not_written(kind: Compression) -> None:
    with pytest.raises(Unsupported, match=kind.value), compressor(kind):
        pass


def test_an_abandoned_compressor_leaves_no_threads() -> None:
    before = threading.active_count()
    with compressor(Compression.GZIP, threads=2) as stream:
        stream.feed(TEXT)
        assert threading.active_count() > before
    assert threading.active_count() == before


def test_codecs_are_imported_when_used() -> None:
    program = (
        "import sys, nacre.layers.compression, nacre.layers.measure;"
        "print(sorted(sys.modules.keys() & {'isal', 'zlib_ng', 'backports.zstd', 'bz2', 'lzma',"
        "'compression.zstd', 'concurrent.futures', 'logging', 'threading'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"
