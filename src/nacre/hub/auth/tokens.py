"""Tokens: what a request proves who it is with, without its password.

JSON Web Tokens (RFC 7519) signed with ES256 and one of the hub's own keys. What a token says
about its algorithm and key is compared, never followed (RFC 8725 sections 3.1 and 3.10): its
header holds exactly ``alg``, ``typ`` and ``kid``, so no token brings its own key. Of two types,
each is good for one thing: an *access* token is sent with requests and lives for minutes; a
*refresh* token is only good for getting access tokens. Both say which user they are of, not only
its name, and stop working when the user's epoch grows.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import secrets
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from nacre.hub.accounts.user import Identity, User
from nacre.hub.auth.scopes import Access
from nacre.hub.auth.signing import KeyRing
from nacre.hub.auth.subject import Subject
from nacre.hub.errors import Unauthorized

ALGORITHM = "ES256"
ACCESS = "JWT"
REFRESH = "refresh+jwt"

LONGEST = 16 * 1024
"""How long a token may be, in characters; checked before anything is decoded."""

_SKEW = timedelta(seconds=5)


class InvalidToken(Unauthorized):
    """The token is not one of this hub's, or not any more."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was issued."""

    text: str
    issued_at: datetime
    life: timedelta


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a refresh token says: the user as it was then."""

    user: str
    identity: Identity

    def is_of(self, user: User | None) -> bool:
        """Say whether the user is still that one, and nothing has ended its tokens since."""
        return user is not None and (user.name, user.identity) == (self.user, self.identity)


class Tokens:
    """Issues tokens and reads them.

    Args:
        ring: the hub's keys.
        service: what the hub calls itself in challenges: the audience and issuer of its tokens.
        now: the time, UTC.
        access_life: how long an access token lives.
        refresh_life: how long a refresh token lives.
        remembered: how many checked access tokens are kept at hand.
    """

    def __init__(
        self,
        ring: KeyRing,
        *,
        service: str,
        now: Callable[[], datetime],
        access_life: timedelta = timedelta(minutes=5),
        refresh_life: timedelta = timedelta(days=90),
        remembered: int = 10_000,
    ) -> None:
        self._ring = ring
        self.service = service
        self._now = now
        self._access_life = access_life
        self.refresh_life = refresh_life
        self._remembered = remembered
        self._read: OrderedDict[bytes, tuple[Subject, float]] = OrderedDict()

    async def issue(self, user: User | None, granted: Sequence[Access]) -> Token:
        """Return an access token; ``user`` None is the anonymous."""
        access = [{"type": one.kind, "name": one.name, "actions": one.in_order} for one in granted]
        whose = {"sub": ""} if user is None else _whose(user)
        return await self._sign(ACCESS, self._access_life, {**whose, "access": access})

    async def issue_refresh(self, user: User) -> Token:
        """Return a refresh token for somebody who has just shown a password."""
        return await self._sign(REFRESH, self.refresh_life, _whose(user))

    async def read(self, text: str) -> Subject:
        """Return who an access token speaks for; whether it still does, the gate finds out.

        Raises:
            InvalidToken: it is not one of this hub's, has expired, or is of another type.
        """
        if len(text) > LONGEST:
            raise InvalidToken("the token is too long")
        key = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        known = self._read.get(key)
        if known is not None and self._now().timestamp() < known[1]:
            return known[0]
        claims = await self._verified(text, ACCESS)
        user: str | None = claims["sub"] or None
        identity = None if user is None else _identity(claims)
        subject = Subject(user, _scopes(claims.get("access")), identity)
        self._read[key] = subject, claims["exp"]
        while len(self._read) > self._remembered:
            self._read.popitem(last=False)
        return subject

    async def read_refresh(self, text: str) -> Renewal:
        """Return what a refresh token says; whether it still holds, the user's record decides.

        Raises:
            InvalidToken: it is not one of this hub's, has expired, or is of another type.
        """
        claims = await self._verified(text, REFRESH)
        return Renewal(claims["sub"], _identity(claims))

    async def _sign(self, kind: str, life: timedelta, claims: Mapping[str, object]) -> Token:
        issued = self._now()
        start = int(issued.timestamp())
        key_id, key = await self._ring.newest()
        header = {"alg": ALGORITHM, "typ": kind, "kid": key_id}
        common = {
            "iss": self.service,
            "aud": self.service,
            "iat": start,
            "nbf": start,
            "exp": start + int(life.total_seconds()),
            "jti": secrets.token_hex(16),
        }
        return Token(jwt.encode(header, {**common, **claims}, key), issued, life)

    async def _verified(self, text: str, kind: str) -> dict[str, Any]:
        key = await self._ring.find(_key_id(text, kind))
        if key is None:
            raise InvalidToken("the token was not signed by this hub")
        try:
            claims = jwt.decode(text, key, algorithms=[ALGORITHM]).claims
            jwt.JWTClaimsRegistry(
                now=lambda: int(self._now().timestamp()),
                leeway=int(_SKEW.total_seconds()),
                iss={"essential": True, "value": self.service},
                aud={"essential": True, "value": self.service},
                sub={"essential": True, "allow_blank": True},
                exp={"essential": True},
                nbf={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError, RecursionError) as error:
            raise InvalidToken("the token is not valid or has expired") from error
        return claims


def _key_id(text: str, kind: str) -> str:
    """Return which key a token claims to be signed with, when its header is as ours are.

    Raises:
        InvalidToken: it is not.
    """
    if len(text) > LONGEST:
        raise InvalidToken("the token is too long")
    first, _, _ = text.partition(".")
    try:
        header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidToken("the token is malformed") from None
    if not isinstance(header, dict) or header.keys() != {"alg", "typ", "kid"}:
        raise InvalidToken("the token's header is not one that this hub writes")
    if (header["alg"], header["typ"]) != (ALGORITHM, kind) or not isinstance(header["kid"], str):
        raise InvalidToken("the token is of another type")
    return header["kid"]


def _whose(user: User) -> dict[str, object]:
    """Return the claims that say whose a token is."""
    return {"sub": user.name, "uid": user.id, "epoch": user.epoch}


def _identity(claims: Mapping[str, object]) -> Identity:
    """Return which user a checked token is of.

    Raises:
        InvalidToken: it does not say so.
    """
    number, epoch = claims.get("uid"), claims.get("epoch")
    if not isinstance(number, int) or not isinstance(epoch, int):
        raise InvalidToken("the token does not say whose it is")
    return Identity(number, epoch)


def _scopes(listed: object) -> dict[str, frozenset[str]]:
    """Return what a checked token allows: by repository as recorded, and ``registry:catalog``."""
    scopes: dict[str, frozenset[str]] = {}
    for one in listed if isinstance(listed, list) else []:
        access = Access(one["type"], one["name"], frozenset(one["actions"]))
        scopes[access.key] = scopes.get(access.key, frozenset()) | access.actions
    return scopes
