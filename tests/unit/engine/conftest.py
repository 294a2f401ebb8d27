from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.registry_server import RegistryServer, registry_server
from tests.unit.engine.stock import Stock


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Stock]:
    made = Stock(tmp_path / "store")
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with registry_server() as running:
        yield running
