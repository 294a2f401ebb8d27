"""Every store of names keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.content.memory import MemoryRefs
from nacre.content.refs import RefStore
from nacre.engine.state import State
from nacre.testing import RefStoreContract


class TestMemoryRefs(RefStoreContract):
    @pytest.fixture
    def refs(self) -> RefStore:
        return MemoryRefs()


class TestState(RefStoreContract):
    @pytest.fixture
    def refs(self, tmp_path: Path) -> Iterator[RefStore]:
        with State(tmp_path / "store") as state:
            yield state
