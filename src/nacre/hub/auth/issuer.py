"""Who gets which token: what the token endpoint decides.

Docker's token authentication, "Requesting a Token" and "OAuth2": somebody shows a password, a
refresh token, or nothing, and gets an access token for what of the wanted is allowed now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nacre.hub.accounts.logins import Logins
from nacre.hub.accounts.user import User, Users
from nacre.hub.auth.gate import Gate
from nacre.hub.auth.scopes import Access
from nacre.hub.auth.subject import ANONYMOUS, Subject
from nacre.hub.auth.tokens import InvalidToken, Token, Tokens
from nacre.hub.errors import Unauthorized


@dataclass(frozen=True, slots=True)
class Issued:
    """What somebody got: an access token, what it allows, and, when asked, a refresh token."""

    user: str
    access: Token
    granted: Sequence[Access]
    refresh: Token | None


class Issuer:
    """Issues tokens to those who may have them.

    Args:
        gate: says what is allowed.
        logins: checks passwords.
        users: the records, for what refresh tokens were issued to.
        tokens: makes them.
    """

    def __init__(self, gate: Gate, logins: Logins, users: Users, tokens: Tokens) -> None:
        self._gate = gate
        self._logins = logins
        self._users = users
        self._tokens = tokens

    @property
    def service(self) -> str:
        """What the hub calls itself in challenges and tokens."""
        return self._tokens.service

    async def to_anybody(self, asked: Iterable[Access]) -> Issued:
        """Issue a token for what the anonymous may do."""
        return await self._issue(None, asked, offline=False)

    async def for_password(
        self, name: str, password: str, asked: Iterable[Access], *, address: str, offline: bool
    ) -> Issued:
        """Issue a token to who shows a password; with ``offline`` a refresh token, too.

        Raises:
            Unauthorized: the name or the password is wrong.
            TooManyRequests: too many logins have failed.
            Busy: too many logins are being checked.
        """
        user = await self._logins.check(name, password, address=address)
        if user is None:
            raise Unauthorized("incorrect username or password")
        return await self._issue(user, asked, offline=offline)

    async def for_refresh(self, refresh: str, asked: Iterable[Access]) -> Issued:
        """Issue a token to who shows a refresh token.

        Raises:
            Unauthorized: it is not one of this hub's, has expired, or was ended.
        """
        renewal = await self._tokens.read_refresh(refresh)
        user = await self._users.find(renewal.user)
        if user is None or not renewal.is_of(user):
            raise InvalidToken("the refresh token does not work any more", remedy="log in again")
        return await self._issue(user, asked, offline=False)

    async def _issue(self, user: User | None, asked: Iterable[Access], *, offline: bool) -> Issued:
        subject = ANONYMOUS if user is None else Subject(user.name, identity=user.identity)
        granted = await self._gate.grant(subject, asked)
        return Issued(
            user=subject.name,
            access=await self._tokens.issue(user, granted),
            granted=granted,
            refresh=await self._tokens.issue_refresh(user) if user and offline else None,
        )
