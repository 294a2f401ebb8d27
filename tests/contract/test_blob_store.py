"""Every blob store keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.memory import MemoryBlobs
from nacre.content.store import BlobStore
from nacre.testing import BlobStoreContract


class TestMemoryBlobs(BlobStoreContract):
    @pytest.fixture
    def store(self) -> BlobStore:
        return MemoryBlobs()


class TestFilesystemBlobs(BlobStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        return FilesystemBlobs(tmp_path / "store")
