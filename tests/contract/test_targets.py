"""Every place that images are copied to keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from nacre.content.memory import MemoryBlobs, MemoryRefs
from nacre.content.target import Source, Target
from nacre.distribution.client import Client
from nacre.distribution.credentials import CredentialStore
from nacre.distribution.settings import CredentialLocations, RegistrySettings
from nacre.oci.reference import Reference
from nacre.testing.targets import Place, TargetContract
from nacre.transports.archive import reading_archive
from nacre.transports.archive_target import writing_archive
from nacre.transports.layout import LayoutStore
from nacre.transports.registry import RegistrySource, RegistryTarget
from nacre.transports.stored import StoredImages
from tests.servers.registry_server import registry_server


class Memory:
    def __init__(self) -> None:
        self._images = StoredImages(MemoryBlobs(), MemoryRefs())

    @contextmanager
    def target(self) -> Iterator[Target]:
        yield self._images

    @contextmanager
    def source(self) -> Iterator[Source]:
        yield self._images


class Layout:
    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def target(self) -> Iterator[Target]:
        yield LayoutStore(self._path)

    @contextmanager
    def source(self) -> Iterator[Source]:
        yield LayoutStore(self._path)


class Archive:
    def __init__(self, folder: Path, *, docker: bool) -> None:
        self._folder = folder
        self._file = folder / "archive.tar"
        self._docker = docker

    @contextmanager
    def target(self) -> Iterator[Target]:
        with writing_archive(self._file, docker=self._docker) as target:
            yield target

    @contextmanager
    def source(self) -> Iterator[Source]:
        with reading_archive(self._file, spool=self._folder) as source:
            yield source


class Registry:
    def __init__(self, running: ExitStack) -> None:
        server = running.enter_context(registry_server())
        client = running.enter_context(
            Client(
                RegistrySettings(),
                CredentialStore(CredentialLocations()),
                on_warning=lambda _text: None,
                on_retry=lambda _what, _reason, _delay: None,
                user_agent="nacre/test",
            )
        )
        self._repository = client.repository(Reference(server.host, "team/app"))

    @contextmanager
    def target(self) -> Iterator[Target]:
        yield RegistryTarget(self._repository)

    @contextmanager
    def source(self) -> Iterator[Source]:
        yield RegistrySource(self._repository)


class TestMemory(TargetContract):
    @pytest.fixture
    def place(self) -> Place:
        return Memory()


class TestLayout(TargetContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Layout(tmp_path / "layout")


class TestOciArchive(TargetContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Archive(tmp_path, docker=False)


class TestDockerArchive(TargetContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return Archive(tmp_path, docker=True)


class TestRegistry(TargetContract):
    @pytest.fixture
    def place(self) -> Iterator[Place]:
        with ExitStack() as running:
            yield Registry(running)
