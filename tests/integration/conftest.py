"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.testing.builders import a_layer
from tests.integration.unharmed import Unharmed
from tests.peers.nacre import NacreCli
from tests.servers.registry_server import RegistryServer, registry_server


@pytest.fixture
def unharmed(nacre_cli: NacreCli) -> Unharmed:
    """A nacre with one sound image, which no refusal may change."""
    return Unharmed(nacre_cli)


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    """A registry in this process, with faults on demand."""
    with registry_server() as running:
        yield running


@pytest.fixture
def a_tar(tmp_path: Path) -> Path:
    """The tar of a root file system with one file."""
    path = tmp_path / "rootfs.tar"
    path.write_bytes(a_layer({"etc/motd": b"hello\n"}))
    return path
