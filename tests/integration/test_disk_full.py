"""A disk that fills up: a clear error, and its space is free again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.content import layout
from nacre.content.diskerrors import DiskFull
from nacre.content.filesystem import FilesystemBlobs
from nacre.engine.state import State
from nacre.oci.descriptor import Descriptor
from nacre.testing.builders import put
from tests.integration.mounts import small_disk

pytestmark = pytest.mark.root
SIZE = 4 * 1024 * 1024
SMALL = os.urandom(SIZE // 4)
LARGE = os.urandom(2 * SIZE)
FITS = Descriptor.of("application/octet-stream", SMALL)
TOO_LARGE = Descriptor.of("application/octet-stream", LARGE)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", SIZE) as folder:
        yield folder


def free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file:
        for piece in (SMALL, b"x" * 4096):
            try:
                while file.write(piece) == len(piece):
                    pass
            except OSError:
                continue


def test_a_blob_that_does_not_fit_leaves_the_disk_as_it_was(disk: Path) -> None:
    blobs = FilesystemBlobs(disk / "store")
    put(blobs, FITS, SMALL)
    (disk / "store" / "ingest").mkdir(exist_ok=True)
    before = free(disk)
    with pytest.raises(DiskFull, match=f"no space left on the file system of {disk}") as caught:
        put(blobs, TOO_LARGE, LARGE)
    assert caught.value.remedy
    assert free(disk) == before
    assert list(blobs) == [FITS.digest]
    with blobs.open(FITS) as stream:
        assert stream.read() == SMALL


def test_content_nobody_foretold_that_does_not_fit_leaves_nothing(disk: Path) -> None:
    blobs = FilesystemBlobs(disk / "store")
    with pytest.raises(DiskFull), blobs.ingest() as ingest:  # noqa: PT012
        while True:
            ingest.write(SMALL)
    assert list((disk / "store" / "ingest").iterdir()) == []


def test_once_there_is_space_the_blob_is_taken(disk: Path) -> None:
    blobs = FilesystemBlobs(disk / "store")
    fill(disk)
    with pytest.raises(DiskFull):
        put(blobs, FITS, SMALL)
    (disk / "filler").unlink()
    put(blobs, FITS, SMALL)
    assert blobs.exists(FITS)


def test_an_index_that_does_not_fit_leaves_the_old_one(disk: Path) -> None:
    layout.update_index(disk, lambda index: layout.tagged(index, "a", FITS))
    fill(disk)
    long = {"x": "y" * 100_000}
    with pytest.raises(DiskFull):
        layout.update_index(
            disk, lambda index: layout.tagged(index, "b", TOO_LARGE.annotated(**long))
        )
    assert [name for name, _ in layout.named(layout.read_index(disk))] == ["a"]


def test_a_name_that_does_not_fit_leaves_the_old_ones(disk: Path) -> None:
    with State(disk) as state:
        state.tag("a", FITS)
        fill(disk)
        with pytest.raises(DiskFull):  # noqa: PT012
            for number in range(1000):
                state.tag(f"{'b' * 1000}{number}", FITS)
        assert state.resolve("a") == FITS
        (disk / "filler").unlink()
        state.tag("c", FITS)
    with State(disk) as state:
        assert {"a", "c"} <= set(state.names())
