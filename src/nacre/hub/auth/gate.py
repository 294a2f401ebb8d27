"""The gate: who asks, and what they may do. Every request passes here, whatever it proves with.

A password, a token or nothing: each becomes a `Subject`. What that may do is read from the records
at every request, so that a right that was taken away is gone at once; a token only narrows.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nacre.hub.accounts.logins import Logins
from nacre.hub.auth.scopes import (
    CATALOG,
    CATALOG_SCOPE,
    EVERYTHING,
    REGISTRY,
    REPOSITORY,
    Access,
    repository_scope,
)
from nacre.hub.auth.subject import ANONYMOUS, Subject
from nacre.hub.auth.tokens import LONGEST, Tokens
from nacre.hub.errors import Forbidden, NameUnknown, Unauthorized
from nacre.hub.repositories.access import OWN, Verdict, allowed, canonical, decide
from nacre.hub.repositories.repository import Namespace, Repositories, Repository, Standing
from nacre.oci import wire
from nacre.oci.digest import Digest

_CATALOG_KEY = f"{REGISTRY}:{CATALOG}"


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that was let in.

    Attributes:
        name: the repository as it is recorded (`canonical`).
        repository: None when there is none yet; only those who may make or see it learn that.
        namespace: the one of the name, or None when there is none of this name either.
        allowed: all actions that the subject may do there with what it has shown.
    """

    name: str
    repository: Repository | None
    namespace: Namespace | None
    subject: Subject
    allowed: frozenset[str]


class Gate:
    """Decides about requests.

    Args:
        repositories: the records of repositories and roles.
        logins: checks passwords.
        tokens: reads tokens.
        anonymous_push: everybody may do everything with every repository: for trying out.
    """

    def __init__(
        self,
        repositories: Repositories,
        logins: Logins,
        tokens: Tokens,
        *,
        anonymous_push: bool = False,
    ) -> None:
        self._repositories = repositories
        self._logins = logins
        self._tokens = tokens
        self._anonymous_push = anonymous_push

    async def subject(self, authorization: str | None, *, address: str = "") -> Subject:
        """Return who sends this ``Authorization`` header with what is about no repository.

        ``address`` is where the request comes from; failed logins are counted by it.

        Raises:
            Unauthorized: the password or token is wrong.
            TooManyRequests: too many logins have failed.
            Busy: too many logins are being checked.
        """
        subject = await self._claimed(authorization, address)
        if subject.user is not None and not await self._logins.holds(
            subject.user, subject.identity
        ):
            raise Unauthorized("the token does not work any more")
        return subject

    async def _claimed(self, authorization: str | None, address: str) -> Subject:
        """Return who sends this header (RFC 9110 section 11.6.2).

        The user of a token may be gone, or another, since it was issued: that is found out with
        what else the records say, in one look.
        """
        if not authorization:
            return ANONYMOUS
        scheme, _, given = authorization.partition(" ")
        match scheme.lower():
            case "bearer":
                return await self._tokens.read(given.strip())
            case "basic":
                name, password = basic_credentials(given)
                user = await self._logins.check(name, password, address=address)
                if user is None:
                    raise Unauthorized("incorrect username or password")
                return Subject(user.name, identity=user.identity)
            case _:
                raise Unauthorized("send a Basic or Bearer Authorization")

    async def admit(self, subject: Subject, name: str, actions: frozenset[str]) -> Admission:
        """Let a request on a repository in; ``name`` is as the client wrote it.

        Raises:
            Unauthorized: a password or a wider token may help; ``scope`` is what to ask for.
            NameUnknown: a known user asks to read what it may not see, or what is not there.
            Forbidden: a known user may not do this.
        """
        recorded = canonical(name)
        standing = await self._repositories.standing(recorded, subject.user)
        rights = self._rights(standing)
        left = OWN if subject.scopes is None else subject.scopes.get(recorded)
        verdict = decide(actions, rights, left=left, is_anonymous=subject.user is None)
        if standing.identity != subject.identity:
            verdict = Verdict.CHALLENGE  # the user is gone, or another, since the token was issued
        match verdict:
            case Verdict.ALLOWED:
                usable = subject.narrowed(recorded, rights)
                return Admission(recorded, standing.repository, standing.namespace, subject, usable)
            case Verdict.CHALLENGE:
                scope = repository_scope(name, actions)
                raise Unauthorized("authentication required", scope=scope, detail=_detail(scope))
            case Verdict.UNKNOWN:
                raise unknown(name)
            case Verdict.FORBIDDEN:
                raise Forbidden("requested access to the resource is denied")

    async def asking(
        self, authorization: str | None, name: str, actions: frozenset[str], *, address: str = ""
    ) -> Subject:
        """Return who sends this header with a request on a repository, which `admit` lets in.

        Raises:
            Unauthorized: see `subject`; ``scope`` is what to ask for.
            TooManyRequests, Busy: see `subject`.
        """
        try:
            return await self._claimed(authorization, address)
        except Unauthorized as error:
            error.scope = repository_scope(name, actions)
            raise

    def admit_base(self, subject: Subject) -> None:
        """Let a request for ``/v2/`` in: everybody who shows a password or any token of this hub.

        Docker learns here how to log in, and never sends what it has where this lets it pass
        with nothing; so the anonymous, too, need a token, which they get for the asking.

        Raises:
            Unauthorized: nothing was shown.
        """
        if subject == ANONYMOUS:
            raise Unauthorized("authentication required")

    def admit_catalog(self, subject: Subject) -> None:
        """Let a request for the catalog in; it shows what ``subject`` may pull from, no more.

        Raises:
            Unauthorized: nothing was shown, or a token that is not for the catalog.
        """
        shows_nothing = subject == ANONYMOUS and not self._anonymous_push
        is_narrow = subject.scopes is not None and _CATALOG_KEY not in subject.scopes
        if shows_nothing or is_narrow:
            raise Unauthorized(
                "authentication required", scope=CATALOG_SCOPE, detail=_detail(CATALOG_SCOPE)
            )

    async def sources(
        self, subject: Subject, name: str | None, digest: Digest
    ) -> frozenset[int] | None:
        """Return repositories that ``subject`` may mount a blob from.

        ``name`` is the one that the client names, as it wrote it, or None for any. A token for a
        push is not about the source, so that the user's own right decides, not the token. The
        answer None means every repository there is; an empty one tells nothing about why.
        """
        if name is None:
            if self._anonymous_push:
                return None
            return await self._repositories.holders(digest, subject.user)
        standing = await self._repositories.standing(canonical(name), subject.user)
        repository = standing.repository
        if repository is None or wire.PULL not in self._rights(standing):
            return frozenset()
        return frozenset({repository.id})

    async def grant(self, subject: Subject, asked: Iterable[Access]) -> Sequence[Access]:
        """Return what a token may say: of what was asked, what is allowed now.

        What is not allowed at all stays without actions: then requests with that token are told
        that the repository is unknown, and not to get another token.
        """
        return [replace(one, actions=await self._granted(subject, one)) for one in asked]

    async def _granted(self, subject: Subject, asked: Access) -> frozenset[str]:
        if asked.kind != REPOSITORY:
            return asked.actions & EVERYTHING
        standing = await self._repositories.standing(canonical(asked.name), subject.user)
        return asked.actions & self._rights(standing)

    def _rights(self, standing: Standing) -> frozenset[str]:
        return allowed(standing, anonymous_push=self._anonymous_push)


def unknown(name: str) -> NameUnknown:
    """Return what is said of a repository that is absent, and of one that may not be seen."""
    return NameUnknown("repository name not known to registry", detail={"name": name})


def basic_credentials(encoded: str) -> tuple[str, str]:
    """Return the name and password of Basic credentials (RFC 7617), in UTF-8.

    Raises:
        Unauthorized: they are malformed.
    """
    try:
        # An empty text has no colon, as one that is too long shall have none.
        text = b64decode(encoded.strip() if len(encoded) <= LONGEST else "", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    name, colon, password = text.partition(":")
    if not colon:
        raise Unauthorized("the Basic credentials are malformed")
    return name, password


def claimed_name(authorization: str | None) -> str:
    """Return the name that a header's Basic credentials hold, true or not; "" without one."""
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return basic_credentials(given)[0]
    except Unauthorized:
        return ""


def _detail(scope: str) -> list[dict[str, object]]:
    """Return the ``detail`` of a challenge: what would be needed."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return [{"Type": kind, "Name": name, "Action": action} for action in actions.split(",")]
