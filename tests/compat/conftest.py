"""Fixtures for the tests against other people's tools; a tool that is missing fails its tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.docker import DockerEngine, running_docker
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool, container_tool, isolated_environment, require_tool

_HERE = Path(__file__).parent
_DEBIAN_CHANGES = (
    "ENV GREETING=hello",
    "EXPOSE 80/tcp",
    "LABEL org.example.made=here",
    "WORKDIR /srv",
    'ENTRYPOINT ["/bin/sh", "-c"]',
    'CMD ["cat /etc/os-release"]',
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder: it needs peers, and Docker's engine needs root."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.peers)
            if "docker_engine" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.root)


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


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """A Docker engine; see ``docker`` for one without images."""
    with running_docker() as engine:
        yield engine


@pytest.fixture
def docker(docker_engine: DockerEngine, tmp_path: Path) -> Iterator[Tool]:
    """Docker's command line, with a home of its own and an engine without images."""
    tool = docker_engine.client(tmp_path / "docker")
    yield tool
    tool("container", "prune", "--force")
    tool("image", "prune", "--all", "--force")


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory, debian_rootfs_tar: Path) -> NacreCli:
    """A nacre whose store has a real Debian as ``debian:base``; only to be read from."""
    nacre = NacreCli(tmp_path_factory.mktemp("debian"))
    changes = [f"--change={change}" for change in _DEBIAN_CHANGES]
    nacre("import", *changes, "--message", "made by mmdebstrap", debian_rootfs_tar, "debian:base")
    return nacre
