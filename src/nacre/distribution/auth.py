"""Authentication to one registry: what its challenge asks for, remembered and kept fresh."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from nacre.distribution import tokens
from nacre.distribution.challenge import Challenge
from nacre.distribution.credential import Credential
from nacre.distribution.errors import InvalidReply, Purpose, UnsafeAddress, denied
from nacre.distribution.exchange import origin
from nacre.value import Value

_MARGIN = 5.0

FindCredential = Callable[[str], Credential | None]
"""Returns the credential for a repository's path, or for the registry itself when that is ""."""


class Need(Value):
    """What a request must be allowed: token scopes, on behalf of ``repository`` ("" for none)."""

    purpose: Purpose
    scopes: frozenset[str] = frozenset()
    repository: str = ""


class _Granted(Value):
    scopes: frozenset[str]
    repository: str
    header: str
    expires: float


class Authorizer:
    """Gives the ``Authorization`` value for each request to one registry.

    Nothing is sent before the registry asks. From its first challenge on, the value for each need
    is made ahead, so later requests take one round trip. Credentials go only to the registry's
    own origin and to the service that this origin names.
    """

    def __init__(
        self,
        send: tokens.Send,
        find_credential: FindCredential,
        monotonic: Callable[[], float],
        *,
        offline: bool = False,
    ) -> None:
        self._send = send
        self._find_credential = find_credential
        self._monotonic = monotonic
        self._offline = offline
        self._lock = threading.RLock()
        self._credentials: dict[str, Credential | None] = {}
        self._granted: list[_Granted] = []
        self._service: tokens.Service | None = None
        self._basic = False
        self.identity_token = ""

    def header(self, need: Need) -> str:
        """Return the value to send ahead, "" when the registry has not asked for any.

        Raises:
            NacreError: a token is needed but not given; see `tokens.fetch`.
        """
        with self._lock:
            if self._basic:
                return self._basic_header(need.repository)
            if self._service is None:
                return ""
            return self._known(need) or self._bearer(need, need.scopes)

    def knows(self, repository: str) -> bool:
        """Say whether requests for a repository told who asks."""
        with self._lock:
            return self._credentials.get(repository) is not None

    def answer(self, challenges: Iterable[Challenge], need: Need, refused: str, url: str) -> str:
        """Return the value to send after a 401 reply from ``url``, other than the ``refused`` one.

        Raises:
            AccessDenied: there is nothing better to send.
            UnsafeAddress: the registry is asked securely, but the service it names is not.
            NacreError: a token is needed but not given; see `tokens.fetch`.
        """
        by_scheme = {challenge.scheme: challenge for challenge in reversed(list(challenges))}
        with self._lock:
            if bearer := by_scheme.get("bearer"):
                return self._answer_bearer(bearer, need, refused, url)
            self._basic = "basic" in by_scheme
            header = self._basic_header(need.repository) if self._basic else ""
        if not header or header == refused:
            raise denied(need.purpose)
        return header

    def _answer_bearer(self, challenge: Challenge, need: Need, refused: str, url: str) -> str:
        service = _service(challenge, url)
        if service != self._service:
            self._service, self._granted = service, []
        self._granted = [item for item in self._granted if item.header != refused]
        asked = frozenset(challenge.parameters.get("scope", "").split())
        missing = asked if challenge.parameters.get("error") == "insufficient_scope" else None
        known = None if missing else self._known(need)
        header = known or self._bearer(need, need.scopes | asked)
        if header == refused:
            raise denied(need.purpose)
        return header

    def _known(self, need: Need) -> str:
        """Return a token at hand that covers the need and still lives a while, or ""."""
        now = self._monotonic()
        self._granted = [item for item in self._granted if item.expires > now]
        for item in self._granted:
            if item.repository == need.repository and _covers(item.scopes, need.scopes):
                return item.header
        return ""

    def _bearer(self, need: Need, scopes: frozenset[str]) -> str:
        if self._service is None:
            raise AssertionError("a token is only asked for after a challenge")
        credential = self._credential(need.repository)
        if credential and credential.registry_token:
            return f"Bearer {credential.registry_token}"
        asked = self._monotonic()
        token = tokens.fetch(
            self._send,
            self._service,
            sorted(scopes),
            credential,
            purpose=need.purpose,
            offline=self._offline,
        )
        self.identity_token = token.identity or self.identity_token
        header = f"Bearer {token.text}"
        self._granted.append(
            _Granted(scopes, need.repository, header, asked + token.life - _MARGIN)
        )
        return header

    def _basic_header(self, repository: str) -> str:
        credential = self._credential(repository)
        if not credential or not credential.username:
            return ""
        return tokens.basic(credential.username, credential.password)

    def _credential(self, repository: str) -> Credential | None:
        if repository not in self._credentials:
            self._credentials[repository] = self._find_credential(repository)
        return self._credentials[repository]


def _service(challenge: Challenge, url: str) -> tokens.Service:
    realm = challenge.parameters.get("realm", "")
    if not realm:
        raise InvalidReply(f"the challenge of {origin(url).address} names no authorization service")
    if origin(realm).scheme == "http" and origin(url).scheme == "https":
        raise UnsafeAddress(
            f"{origin(url).address} names the authorization service {realm[:200]!r}, "
            "which is not asked over https"
        )
    return tokens.Service(realm, challenge.parameters.get("service", ""))


def _covers(granted: Iterable[str], wanted: Iterable[str]) -> bool:
    """Say whether each wanted scope is part of a granted one."""
    actions: dict[str, set[str]] = {}
    for scope in granted:
        resource, _, allowed = scope.rpartition(":")
        actions.setdefault(resource, set()).update(allowed.split(","))
    for scope in wanted:
        resource, _, asked = scope.rpartition(":")
        if not set(asked.split(",")) <= actions.get(resource, set()):
            return False
    return True
