"""A registry: what can be asked of one host as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from nacre.distribution import listing
from nacre.distribution.auth import FindCredential, Need
from nacre.distribution.credential import Credential, is_text
from nacre.distribution.errors import InvalidReply, Purpose, printable
from nacre.distribution.repository import Repository
from nacre.distribution.session import Call, Session
from nacre.errors import Invalid
from nacre.oci import wire
from nacre.oci.reference import Reference
from nacre.value import Value

_LIMIT = 4 * 1024 * 1024
_MANY = 10**12
_CATALOG_SCOPE = "registry:catalog:*"

NewSession = Callable[[FindCredential], Session]
"""Opens a session of its own, with credentials of its own."""


class SearchResult(Value):
    """One repository that a search found."""

    name: str
    description: str
    stars: int
    official: bool


class Registry:
    """One registry, as `client.Client` gives it."""

    def __init__(
        self, session: Session, *, new_session: NewSession, search_session: Session
    ) -> None:
        self.domain = session.endpoint.domain
        self._session = session
        self._new_session = new_session
        self._search_session = search_session

    @property
    def credential_host(self) -> str:
        """The host under which credentials for this registry are kept."""
        endpoint = self._session.endpoint
        return endpoint.credential_host

    def repository(self, path: str) -> Repository:
        """Return one of its repositories."""
        return Repository(self._session, Reference(self.domain, path))

    def ping(self) -> None:
        """Ask whether the registry is there and lets us in.

        Raises:
            Denied: it does not let us in.
            Unavailable: it is not there.
        """
        self._session.request(self._call("use", wire.API_BASE)).close()

    def login(self, credential: Credential) -> Credential:
        """Check a credential with the registry, and return what is to be kept of it.

        That is the identity token, where the registry's authorization service grants one in
        place of a password; else the credential as it is.

        Raises:
            Denied: the registry does not accept it.
            Invalid: it is no text.
            Unavailable: the registry cannot be reached.
        """
        if not is_text(credential.username + credential.password):
            raise Invalid("user name or password is no Unicode", remedy="write them in UTF-8")
        session = self._new_session(lambda _path: credential)
        session.request(self._call("log in to", wire.API_BASE)).close()
        identity = session.authorizer.identity_token
        return Credential(credential.username, identity_token=identity) if identity else credential

    def catalog(self) -> Iterator[str]:
        """Go through the paths of all repositories that the registry shows us.

        Raises:
            Unsupported: it has no catalog.
        """
        call = self._call("list", wire.CATALOG, _CATALOG_SCOPE, kind="repositories at")
        return listing.names(self._session, call, "repositories")

    def search(self, term: str, limit: int = 25) -> list[SearchResult]:
        """Return at most ``limit`` repositories that fit a term (Docker's ``/v1/search``).

        Raises:
            NotFound: the registry has no search.
            InvalidReply: its answer cannot be read.
        """
        query = urlencode({"q": term, "n": limit}, errors="surrogateescape")
        call = self._call("search", f"{wire.SEARCH}?{query}", kind="repositories at")
        with self._search_session.request(call) as reply:
            body = reply.read(_LIMIT)
        try:
            found = [_result(entry) for entry in json.loads(body)["results"]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InvalidReply(f"{self.domain} sent search results that cannot be read") from None
        return found[:limit]

    def _call(self, action: str, address: str, *scopes: str, kind: str = "") -> Call:
        purpose = Purpose(action, self.domain, self.domain, kind)
        return Call("GET", address, Need(purpose, frozenset(scopes)))


def _result(entry: dict[str, object]) -> SearchResult:
    stars = entry.get("star_count")
    return SearchResult(
        name=printable(str(entry["name"])),
        description=printable(str(entry.get("description") or "")),
        stars=stars if type(stars) is int and 0 <= stars < _MANY else 0,
        official=entry.get("is_official") is True,
    )
