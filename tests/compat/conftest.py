"""Fixtures for the tests against other people's tools; a tool that is missing fails its tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.tools import Tool, container_tool, isolated_environment, require_tool

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder: it needs peers."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.peers)


@pytest.fixture
def skopeo(tmp_path: Path) -> Tool:
    """Skopeo, with a home of its own."""
    return Tool((require_tool("skopeo"),), isolated_environment(tmp_path / "skopeo"))


@pytest.fixture
def umoci(tmp_path: Path) -> Tool:
    """Umoci, with a home of its own."""
    return Tool((require_tool("umoci"),), isolated_environment(tmp_path / "umoci"))


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Tool]:
    """Podman, with image storage of its own."""
    with container_tool("podman", tmp_path / "podman") as tool:
        yield tool


@pytest.fixture
def buildah(tmp_path: Path) -> Iterator[Tool]:
    """Buildah, with image storage of its own."""
    with container_tool("buildah", tmp_path / "buildah") as tool:
        yield tool
