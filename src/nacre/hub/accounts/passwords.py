"""Passwords as Argon2id hashes, made and checked off the event loop, a few at a time.

One check takes 64 MiB and about a tenth of a second by design (RFC 9106, "Parameter Choice"), so
a flood of logins must neither take all memory nor stop the hub: a few threads work, a few
requests wait, and more are sent away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from nacre.errors import Invalid
from nacre.hub.errors import Busy

T = TypeVar("T")

SHORTEST = 8
LONGEST = 1024
"""The bounds of a password, in bytes of UTF-8."""


class Passwords:
    """Makes and checks hashes of passwords; a context manager, for it owns threads.

    Args:
        hasher: states the cost of new hashes.
        at_once: how many are computed at a time: each takes the hasher's memory.
        waiting: how many more may wait for their turn.
    """

    def __init__(
        self, hasher: PasswordHasher | None = None, *, at_once: int = 2, waiting: int = 64
    ) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")
        self._most = at_once + waiting
        self._under_way = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._threads.shutdown()

    async def hash(self, password: str) -> str:
        """Return the hash of a new password, as an Argon2 text with its parameters and salt.

        Raises:
            Busy: too many wait already.
        """
        return await self._off_the_loop(lambda: self._hasher.hash(password))

    async def matches(self, recorded: str | None, password: str) -> bool:
        """Say whether a password is the one of a recorded hash.

        ``recorded`` None is a user that does not exist: the answer is False and takes as long.

        Raises:
            Busy: too many wait already.
        """
        if len(password.encode("utf-8", "replace")) > LONGEST:
            return False
        return await self._off_the_loop(lambda: self._check(recorded, password))

    def is_outdated(self, recorded: str) -> bool:
        """Say whether a hash was made at another cost than new ones are."""
        try:
            return self._hasher.check_needs_rehash(recorded)
        except InvalidHashError:
            return True

    def _check(self, recorded: str | None, password: str) -> bool:
        if recorded is None:
            self._hasher.hash(password)
            return False
        try:
            return self._hasher.verify(recorded, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _off_the_loop(self, work: Callable[[], T]) -> T:
        if self._under_way >= self._most:
            raise Busy("too many logins at once", remedy="try again in a moment")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1


def checked_password(password: str) -> str:
    """Return a password that is to be set.

    Raises:
        Invalid: it is too short, too long, or holds what cannot be typed.
    """
    if not password.isprintable():
        raise Invalid("a password may not hold control characters")
    size = len(password.encode("utf-8", "replace"))
    if not SHORTEST <= size <= LONGEST:
        raise Invalid(
            f"a password of {size} bytes is too {'short' if size < SHORTEST else 'long'}",
            remedy=f"take {SHORTEST} to {LONGEST}",
        )
    return password
