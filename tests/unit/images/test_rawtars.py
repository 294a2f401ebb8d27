"""Raw tars become blobs of the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.store import CorruptBlob
from nacre.images.rawtars import BlobTars
from nacre.oci.digest import Digest
from nacre.testing.members import file, table, tar_of

TAR = tar_of([file("a", b"1")])
LAYER = Digest.of(TAR)


@pytest.fixture
def blobs(tmp_path: Path) -> FilesystemBlobs:
    return FilesystemBlobs(tmp_path)


def test_a_tar_becomes_a_blob(blobs: FilesystemBlobs) -> None:
    tars = BlobTars(blobs)
    assert tars.size(LAYER) == 0
    for _ in range(2):
        with tars.sink() as sink:
            sink.write(TAR[:100])
            sink.write(memoryview(TAR)[100:])
            sink.commit(table(TAR))
    assert (list(blobs), tars.size(LAYER)) == ([LAYER], len(TAR))


def test_without_commit_nothing_remains(blobs: FilesystemBlobs) -> None:
    with BlobTars(blobs).sink() as sink:
        sink.write(TAR)
    assert list(blobs) == []


def test_another_tar_than_the_table_is_of_is_refused(blobs: FilesystemBlobs) -> None:
    with BlobTars(blobs).sink() as sink:
        sink.write(TAR + TAR)
        with pytest.raises(CorruptBlob, match="has digest"):
            sink.commit(table(TAR))
    assert list(blobs) == []
