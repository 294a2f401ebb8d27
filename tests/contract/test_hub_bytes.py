"""All places for the bytes of blobs keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.storage.folder import FolderPlace
from nacre.testing.hub_bytes import MemoryPlace
from nacre.testing.hub_contracts import BytePlaceContract


class TestMemoryPlace(BytePlaceContract):
    @pytest.fixture
    def place(self) -> BytePlace:
        return MemoryPlace()


class TestFolderPlace(BytePlaceContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> BytePlace:
        return FolderPlace(tmp_path)
