"""All leases keep the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.content.leases import Leases
from nacre.content.memory import MemoryLeases
from nacre.engine.state import State
from nacre.testing import LeasesContract


class TestMemoryLeases(LeasesContract):
    @pytest.fixture
    def leases(self) -> Leases:
        return MemoryLeases()


class TestState(LeasesContract):
    @pytest.fixture
    def leases(self, tmp_path: Path) -> Iterator[Leases]:
        with State(tmp_path / "store") as state:
            yield state
