"""The registry client put together."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import BinaryIO, Self

from nacre.distribution.auth import FindCredential
from nacre.distribution.credentials import CredentialStore
from nacre.distribution.download import open_url
from nacre.distribution.endpoint import Endpoint
from nacre.distribution.notices import Warnings
from nacre.distribution.registry import Registry
from nacre.distribution.repository import Repository
from nacre.distribution.retry import Clock, OnRetry, Retrier, RetryPolicy
from nacre.distribution.session import Session, Surroundings
from nacre.distribution.settings import RegistrySettings
from nacre.distribution.transport import Transport
from nacre.oci.reference import HUB, Reference

_HUB_INDEX = "index.docker.io"

SYSTEM_CLOCK = Clock(time.sleep, time.monotonic, lambda: datetime.now(UTC), random.random)
"""Time and chance as they are."""


class Client:
    """Opens repositories and registries; keeps their connections and tokens until closed."""

    def __init__(
        self,
        settings: RegistrySettings,
        credentials: CredentialStore,
        *,
        on_warning: Callable[[str], None],
        on_retry: OnRetry,
        user_agent: str,
        policy: RetryPolicy | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._transport = Transport(settings, user_agent=user_agent)
        self._surroundings = Surroundings(
            self._transport,
            Retrier(policy or RetryPolicy(), clock, on_retry),
            Warnings(on_warning),
        )
        self._sessions: dict[Endpoint, Session] = {}
        self._lock = threading.Lock()

    def repository(self, reference: Reference) -> Repository:
        """Return the repository that a reference names, for reading and writing."""
        return Repository(self._session(self._settings.endpoint(reference.domain)), reference)

    def pull_repositories(self, reference: Reference) -> list[Repository]:
        """Return where a repository may be pulled from, in order: mirrors, then the origin."""
        endpoints = (
            *self._settings.mirrors(reference.domain),
            self._settings.endpoint(reference.domain),
        )
        return [Repository(self._session(endpoint), reference) for endpoint in endpoints]

    def registry(self, domain: str) -> Registry:
        """Return the registry that serves a domain."""
        endpoint = self._settings.endpoint(domain)
        session = self._session(endpoint)
        search = endpoint
        if domain == HUB and endpoint.credential_host == HUB:
            search = Endpoint(domain, _HUB_INDEX)
        return Registry(
            session,
            new_session=lambda find: Session(endpoint, self._surroundings, find, offline=True),
            search_session=self._session(search),
        )

    def download(self, url: str) -> BinaryIO:
        """Return what lies at an http or https address of any server; see `open_url`."""
        return open_url(self._transport, self._surroundings.retrier, url)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _session(self, endpoint: Endpoint) -> Session:
        with self._lock:
            if endpoint not in self._sessions:
                self._sessions[endpoint] = Session(
                    endpoint, self._surroundings, self._find(endpoint)
                )
            return self._sessions[endpoint]

    def _find(self, endpoint: Endpoint) -> FindCredential:
        return lambda path: self._credentials.find(endpoint.credential_host, path)
