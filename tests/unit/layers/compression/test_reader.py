from __future__ import annotations

import gzip
import io
import random
import tarfile

import pytest

from nacre.layers.compression import Compression, compressor, open_decompressed
from nacre.layers.errors import CorruptStream, LayerLimit

TEXT = random.Random(4).randbytes(3_000_000)


@pytest.mark.parametrize("kind", [Compression.NONE, Compression.GZIP, Compression.ZSTD])
def test_a_stream_is_read_as_a_file(kind: Compression) -> None:
    with compressor(kind) as stream:
        data = stream.feed(TEXT) + stream.finish()
    with open_decompressed(io.BytesIO(data)) as file:
        assert file.read(5) == TEXT[:5]
        assert file.read() == TEXT[5:]
        assert file.read() == b""


def test_an_empty_stream_is_an_empty_file() -> None:
    with open_decompressed(io.BytesIO()) as file:
        assert file.read() == b""


def test_a_tar_is_read_through_it() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:xz") as archive:
        archive.addfile(tarfile.TarInfo("member"))
    target.seek(0)
    with (
        open_decompressed(target) as file,
        tarfile.open(fileobj=file, mode="r|") as archive,
    ):
        assert archive.getnames() == ["member"]


def test_closing_it_leaves_the_stream_open() -> None:
    stream = io.BytesIO(gzip.compress(TEXT))
    open_decompressed(stream).close()
    assert not stream.closed


def test_the_end_of_a_truncated_stream_is_an_error() -> None:
    with open_decompressed(io.BytesIO(gzip.compress(TEXT)[:-1])) as file:
        assert file.read(1000) == TEXT[:1000]
        with pytest.raises(CorruptStream):
            file.read()


def test_a_limit_holds() -> None:
    with (
        open_decompressed(io.BytesIO(gzip.compress(TEXT)), max_output=1000) as file,
        pytest.raises(LayerLimit),
    ):
        file.read()
