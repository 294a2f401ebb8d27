"""Hashes of passwords, off the event loop and a few at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nacre.errors import Invalid
from nacre.hub.accounts.first import first_admin, random_password
from nacre.hub.accounts.passwords import LONGEST, Passwords, checked_password
from nacre.hub.errors import Busy
from tests.unit.hub.doors import CountingHasher, Doors, run_with


class Gated(CountingHasher):
    """Hashes that wait until a test lets them go on, and notes how many run at once."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.running = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self._lock:
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        self.may_go_on.wait(60)
        with self._lock:
            self.running -= 1
        return super().hash(password, salt=salt)


def test_a_hash_matches_its_password_only() -> None:
    async def main() -> None:
        with Passwords(CountingHasher()) as passwords:
            recorded = await passwords.hash("correct horse")
            assert recorded.startswith("$argon2id$")
            assert await passwords.matches(recorded, "correct horse")
            assert not await passwords.matches(recorded, "correct horsf")
            assert not await passwords.matches("not a hash", "correct horse")

    asyncio.run(main())


def test_at_most_so_many_are_computed_at_once_and_too_many_are_sent_away() -> None:
    async def main() -> None:
        hasher = Gated()
        with Passwords(hasher, at_once=2, waiting=3) as passwords:
            under_way = [asyncio.ensure_future(passwords.hash("x")) for _ in range(5)]
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await passwords.hash("one more")
            hasher.may_go_on.set()
            await asyncio.gather(*under_way)
            assert hasher.most_at_once <= 2
            # The turn comes again.
            await passwords.hash("one more")

    asyncio.run(main())


def test_a_huge_password_is_not_even_hashed() -> None:
    async def main() -> None:
        hasher = CountingHasher()
        with Passwords(hasher) as passwords:
            recorded = await passwords.hash("correct horse")
            assert not await passwords.matches(recorded, "x" * (LONGEST + 1))
            assert not await passwords.matches(None, "x" * (LONGEST + 1))
            assert hasher.derivations == 1

    asyncio.run(main())


@pytest.mark.parametrize("password", ["", "short", "x" * (LONGEST + 1), "line\nfeed and more"])
def test_passwords_that_cannot_be_set(password: str) -> None:
    with pytest.raises(Invalid):
        checked_password(password)


def test_passwords_that_can_be_set() -> None:
    for password in ("12345678", "größer als", random_password()):
        assert checked_password(password) == password


def test_the_first_admin_is_made_once_with_a_random_password() -> None:
    async def main(doors: Doors) -> None:
        password = await first_admin(doors.records.users, hasher=doors.hasher)
        assert password is not None
        user = await doors.logins.check("admin", password)
        assert user is not None
        assert user.is_admin
        assert await first_admin(doors.records.users, hasher=doors.hasher) is None

    run_with(main)


def test_no_first_admin_beside_other_users() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        assert await first_admin(doors.records.users, hasher=doors.hasher) is None
        assert await doors.records.users.find("admin") is None

    run_with(main)


def test_first_passwords_differ() -> None:
    # Harbor CVE-2026-4404: no default password.
    assert len({random_password() for _ in range(50)}) == 50
    assert all(len(random_password()) >= 24 for _ in range(5))
