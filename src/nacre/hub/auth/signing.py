"""The ring of keys that this process signs and checks tokens with.

The records hold the keys (see ``keys``); the ring keeps them at hand, looks again once a minute
and when a token names a key that it does not know, though not more often than once a second:
anybody can make up names of keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from joserfc.jwk import ECKey

from nacre.hub.auth.keys import SigningKey, SigningKeys

_CURVE = "P-256"
_FRESH = timedelta(minutes=1)
_AGAIN = timedelta(seconds=1)


def new_key(now: datetime) -> SigningKey:
    """Make a key pair for ES256 (RFC 7518 section 3.4)."""
    pem = ECKey.generate_key(_CURVE, private=True).as_pem(private=True)
    return SigningKey(secrets.token_hex(8), pem.decode("ascii"), now)


class KeyRing:
    """The keys at hand; makes the first one when there is none.

    Args:
        keys: the records.
        now: the time, UTC.
    """

    def __init__(self, keys: SigningKeys, now: Callable[[], datetime]) -> None:
        self._keys = keys
        self._now = now
        self._ring: dict[str, ECKey] = {}
        self._newest = ""
        self._looked: datetime | None = None

    async def newest(self) -> tuple[str, ECKey]:
        """Return the key to sign with, and its id."""
        if self._is_older_than(_FRESH):
            await self._look()
        return self._newest, self._ring[self._newest]

    async def find(self, key_id: str) -> ECKey | None:
        """Return one of the hub's own keys; None when it has no such key."""
        if self._is_older_than(_FRESH) or (
            key_id not in self._ring and self._is_older_than(_AGAIN)
        ):
            await self._look()
        return self._ring.get(key_id)

    async def rotate(self, *, every: timedelta, longest_life: timedelta) -> bool:
        """Add a key when the newest is older than ``every``; say whether one was added.

        Keys whose last token, which lives at most ``longest_life``, has expired are forgotten.
        """
        now = self._now()
        keys = await self._keys.all() or await self._keys.add_first(new_key(now))
        is_due = keys[0].created_at + every <= now
        if is_due:
            await self._keys.add(new_key(now))
        # A key signs until every process has seen its successor.
        for key in keys:
            if key.created_at + _FRESH + longest_life <= now:
                await self._keys.forget(before=key.created_at)
                break
        if is_due:
            await self._look()
        return is_due

    def _is_older_than(self, age: timedelta) -> bool:
        return self._looked is None or self._looked + age <= self._now()

    async def _look(self) -> None:
        now = self._now()
        keys: Sequence[SigningKey] = await self._keys.all()
        if not keys:
            keys = await self._keys.add_first(new_key(now))
        self._ring = {
            key.id: self._ring.get(key.id) or ECKey.import_key(key.private_pem) for key in keys
        }
        self._newest = keys[0].id
        self._looked = now
