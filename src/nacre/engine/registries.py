"""Registries as the engine uses them: one client for a run, logins and search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nacre import __version__
from nacre.distribution.client import Client
from nacre.distribution.credential import Credential
from nacre.distribution.credentials import CredentialStore
from nacre.distribution.registry import SearchResult
from nacre.distribution.settings import CredentialLocations, RegistrySettings
from nacre.errors import Invalid
from nacre.oci.reference import HUB, Reference, is_domain
from nacre.transports.events import OnEvent, Retried, Warned, ignore
from nacre.value import Value

if TYPE_CHECKING:
    from nacre.distribution.repository import Repository
    from nacre.engine.settings import Settings

__all__ = ["LoggedIn", "Registries", "SearchResult"]


class LoggedIn(Value):
    """The outcome of a login: where the secret is kept."""

    server: str
    plain_file: Path | None
    """The file the secret lies in readable by its owner, or None when a helper keeps it."""


class Registries:
    """The registries that this user can reach."""

    def __init__(self, settings: Settings) -> None:
        self._settings = RegistrySettings.from_toml(
            settings.registry, settings.network, settings.environment
        )
        self._credentials = CredentialStore(
            CredentialLocations.from_environment(settings.environment)
        )
        self._on_event: OnEvent = ignore
        self._client = Client(
            self._settings,
            self._credentials,
            on_warning=lambda text: self._on_event(Warned(text)),
            on_retry=lambda what, reason, delay: self._on_event(Retried(what, reason, delay)),
            user_agent=f"nacre/{__version__}",
        )

    @contextmanager
    def telling(self, on_event: OnEvent) -> Iterator[Registries]:
        """Tell ``on_event`` of warnings and retries meanwhile."""
        before, self._on_event = self._on_event, on_event
        try:
            yield self
        finally:
            self._on_event = before

    def repository(self, reference: Reference) -> Repository:
        """Return the repository to write to."""
        return self._client.repository(reference)

    def pull_repositories(self, reference: Reference) -> list[Repository]:
        """Return the repositories to read from, in order: mirrors, then the origin."""
        return self._client.pull_repositories(reference)

    def login(self, server: str, username: str, password: str) -> LoggedIn:
        """Check a name and password with a registry and keep them.

        Raises:
            Denied: the registry does not accept them; nothing is kept.
        """
        registry = self._client.registry(login_domain(server))
        kept = registry.login(Credential(username, password))
        saved = self._credentials.save(registry.credential_host, kept)
        return LoggedIn(registry.domain, Path(saved.where) if saved.plain else None)

    def logout(self, server: str) -> bool:
        """Forget the credentials of a registry and say whether there were any."""
        return self._credentials.erase(self._credential_host(server))

    def username(self, server: str) -> str:
        """Return the name kept for a registry, or ""."""
        found = self._credentials.find(self._credential_host(server))
        return found.username if found else ""

    def _credential_host(self, server: str) -> str:
        """Return where credentials are kept: those of a relocated registry under its location."""
        return self._client.registry(login_domain(server)).credential_host

    def search(self, term: str, *, limit: int = 25) -> list[SearchResult]:
        """Return what a registry finds; ``term`` may start with its host, as ``host:5000/word``."""
        first, slash, rest = term.partition("/")
        is_host = slash and ("." in first or ":" in first or first == "localhost")
        domain, words = (first, rest) if is_host else (HUB, term)
        return self._client.registry(domain).search(words, limit=limit)

    def download(self, url: str) -> BinaryIO:
        """Return what lies at an http or https address, by the same ways as registries."""
        return self._client.download(url)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def login_domain(server: str) -> str:
    """Return the registry that a login names: Docker Hub by default, schemes and paths cut off.

    Raises:
        Invalid: it is no host.
    """
    text = server.strip().removeprefix("https://").removeprefix("http://")
    domain = text.partition("/")[0] or HUB
    if domain in ("index.docker.io", "registry-1.docker.io", HUB):
        return HUB
    if not is_domain(domain):
        raise Invalid(f"{server!r} is not a registry", remedy="write HOST or HOST:PORT")
    return domain
