"""A registry in this process, and clients for it that do not really wait."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import pytest

from nacre.distribution.client import Client
from nacre.distribution.credential import Credential
from nacre.distribution.credentials import CredentialStore
from nacre.distribution.repository import Repository
from nacre.distribution.retry import Clock
from nacre.distribution.settings import CredentialLocations, RegistrySettings
from nacre.oci.reference import parse
from tests.servers.registry_server import RegistryServer, registry_server
from tests.servers.registry_values import Options

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class StoppedClock:
    """Time that passes only by sleeping, and chance that is always one half."""

    slept: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def sleep(self, delay: float) -> None:
        self.slept.append(delay)
        self.seconds += delay

    @property
    def clock(self) -> Clock:
        return Clock(
            self.sleep,
            lambda: self.seconds,
            lambda: START + timedelta(seconds=self.seconds),
            lambda: 0.5,
        )


class OneCredential(CredentialStore):
    """Credentials by host, kept in memory; remembers which hosts were asked for."""

    def __init__(self, by_host: Mapping[str, Credential]) -> None:
        super().__init__(CredentialLocations())
        self.by_host = by_host
        self.asked: list[tuple[str, str]] = []

    def find(self, host: str, path: str = "") -> Credential | None:
        self.asked.append((host, path))
        return self.by_host.get(host)


@dataclass
class Kit:
    """Starts servers and clients that end with the test, and collects what clients tell."""

    stack: ExitStack
    time: StoppedClock = field(default_factory=StoppedClock)
    warnings: list[str] = field(default_factory=list)
    retries: list[tuple[str, str, float]] = field(default_factory=list)

    def server(self, options: Options | None = None, **more: Any) -> RegistryServer:
        return self.stack.enter_context(registry_server(options, **more))

    def client(
        self,
        settings: RegistrySettings | Mapping[str, Any] | None = None,
        credentials: Mapping[str, Credential] | None = None,
    ) -> Client:
        if not isinstance(settings, RegistrySettings):
            settings = RegistrySettings.from_toml(settings or {})
        return self.stack.enter_context(
            Client(
                settings,
                OneCredential(credentials or {}),
                on_warning=self.warnings.append,
                on_retry=lambda what, why, delay: self.retries.append((what, why, delay)),
                user_agent="nacre/test",
                clock=self.time.clock,
            )
        )

    def repository(
        self,
        server: RegistryServer,
        path: str = "team/app",
        credential: Credential | None = None,
    ) -> Repository:
        credentials = {server.host: credential} if credential else {}
        return self.client(credentials=credentials).repository(parse(f"{server.host}/{path}"))


@pytest.fixture
def kit() -> Iterator[Kit]:
    with ExitStack() as stack:
        yield Kit(stack)


@pytest.fixture
def server(kit: Kit) -> RegistryServer:
    return kit.server()


@pytest.fixture
def repository(kit: Kit, server: RegistryServer) -> Repository:
    return kit.repository(server)


def content_of(data: bytes) -> Callable[[int], BinaryIO]:
    """Return bytes as the content of an upload."""
    return lambda offset: io.BytesIO(data[offset:])


def read_all(stream: BinaryIO) -> bytes:
    """Return the rest of a stream, and close it."""
    with stream:
        return stream.read()
