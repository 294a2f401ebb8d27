"""Logins: from a name and a password to a user.

Clients that send their password with every request would cost a tenth of a second each time, so a
success is remembered for a moment: not the password, but a hash of it, the user and the recorded
hash, keyed with a secret of this process. When the password changes, so does the recorded hash,
and what was remembered is never found again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from nacre.hub.accounts.attempts import Attempts
from nacre.hub.accounts.names import is_user_name
from nacre.hub.accounts.passwords import Passwords
from nacre.hub.accounts.user import Identity, User, Users


class Logins:
    """Checks who somebody says to be.

    Args:
        users: the records.
        passwords: makes and checks hashes.
        attempts: the failed ones.
        now: the time, UTC.
        remembered: how long a success is, for the same name and password.
        most: how many are at once.
    """

    def __init__(
        self,
        users: Users,
        passwords: Passwords,
        attempts: Attempts,
        now: Callable[[], datetime],
        *,
        remembered: timedelta = timedelta(seconds=60),
        most: int = 10_000,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._attempts = attempts
        self._now = now
        self._remembered = remembered
        self._most = most
        self._secret = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, datetime] = OrderedDict()

    async def check(self, name: str, password: str, *, address: str = "") -> User | None:
        """Return the user that has this name and password, or None.

        Neither the answer nor its time tells whether there is a user of the name.

        Raises:
            TooManyRequests: too many logins with this name or from this address have failed.
            Busy: too many logins are being checked.
        """
        user = await self._users.find(name) if is_user_name(name) else None
        if user is not None and self._is_remembered(user, password):
            return user
        self._attempts.check(address, name)
        recorded = user.password_hash if user is not None else None
        if not await self._passwords.matches(recorded, password) or user is None:
            self._attempts.failed(address, name)
            return None
        self._attempts.succeeded(name)
        self._remember(user, password)
        if self._passwords.is_outdated(user.password_hash):
            stronger = await self._passwords.hash(password)
            await self._users.rehash(name, user.password_hash, stronger)
        return user

    async def holds(self, name: str, identity: Identity | None) -> bool:
        """Say whether the user of a name is still the one that was known by it."""
        user = await self._users.find(name)
        return user is not None and user.identity == identity

    def _is_remembered(self, user: User, password: str) -> bool:
        until = self._known.get(self._key(user, password))
        return until is not None and self._now() < until

    def _remember(self, user: User, password: str) -> None:
        key = self._key(user, password)
        self._known[key] = self._now() + self._remembered
        self._known.move_to_end(key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def _key(self, user: User, password: str) -> bytes:
        keyed = hmac.new(self._secret, digestmod=hashlib.sha256)
        for part in (str(user.id), user.name, user.password_hash, password):
            raw = part.encode("utf-8", "surrogatepass")
            # Lengths first: no two triples make the same bytes.
            keyed.update(len(raw).to_bytes(8, "big") + raw)
        return keyed.digest()
