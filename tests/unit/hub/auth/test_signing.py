"""Keys: made once, shared by all processes, changed without anybody noticing."""

from __future__ import annotations

from datetime import timedelta

from nacre.hub.auth.keys import SigningKey
from nacre.hub.auth.signing import KeyRing, new_key
from nacre.hub.auth.tokens import Tokens
from tests.unit.hub.doors import SERVICE, Clock, Doors, run_with, user_of

ROTATION = {"every": timedelta(days=30), "longest_life": timedelta(days=90)}


def test_the_first_key_is_made_when_it_is_needed() -> None:
    async def main(doors: Doors) -> None:
        key_id, _ = await doors.ring.newest()
        assert [key.id for key in await doors.records.keys.all()] == [key_id]

    run_with(main)


def test_processes_that_start_together_share_the_first_key() -> None:
    async def main(doors: Doors) -> None:
        other = KeyRing(doors.records.keys, doors.clock)
        assert (await doors.ring.newest())[0] == (await other.newest())[0]

    run_with(main)


def test_a_key_is_not_shown() -> None:
    key = new_key(Clock()())
    assert "PRIVATE" in key.private_pem
    assert "PRIVATE" not in repr(key)


def test_a_token_of_a_newer_key_of_another_process_is_read() -> None:
    async def main(doors: Doors) -> None:
        await doors.ring.newest()
        doors.clock.advance(days=31)
        other = KeyRing(doors.records.keys, doors.clock)
        await doors.ring.newest()
        assert await other.rotate(**ROTATION)
        doors.clock.advance(seconds=2)
        token = await Tokens(other, service=SERVICE, now=doors.clock).issue(user_of("alice"), [])
        assert (await doors.tokens.read(token.text)).user == "alice"

    run_with(main)


def test_rotation_adds_a_key_when_the_newest_is_old() -> None:
    async def main(doors: Doors) -> None:
        first, _ = await doors.ring.newest()
        assert not await doors.ring.rotate(**ROTATION)
        before = await doors.tokens.issue(user_of("alice"), [])
        doors.clock.advance(days=30)
        refreshing = await doors.tokens.issue(user_of("bob"), [])
        assert await doors.ring.rotate(**ROTATION)
        second, _ = await doors.ring.newest()
        assert second != first
        assert len(await doors.records.keys.all()) == 2
        assert (await doors.tokens.read(refreshing.text)).user == "bob"
        assert before.text != refreshing.text

    run_with(main)


def test_a_key_is_forgotten_only_when_its_last_token_has_expired() -> None:
    async def main(doors: Doors) -> None:
        first, _ = await doors.ring.newest()
        doors.clock.advance(days=30)
        await doors.ring.rotate(**ROTATION)
        doors.clock.advance(days=90)
        # Until a minute ago another process may have signed with the first one.
        await doors.ring.rotate(every=timedelta(days=999), longest_life=timedelta(days=90))
        assert first in {key.id for key in await doors.records.keys.all()}
        doors.clock.advance(minutes=2)
        await doors.ring.rotate(every=timedelta(days=999), longest_life=timedelta(days=90))
        assert first not in {key.id for key in await doors.records.keys.all()}
        assert len(await doors.records.keys.all()) == 1

    run_with(main)


class CountingKeys:
    """Records of keys that count how often they are asked."""

    def __init__(self, keys: list[SigningKey]) -> None:
        self._keys = keys
        self.looked = 0

    async def all(self) -> list[SigningKey]:
        self.looked += 1
        return self._keys

    async def add_first(self, key: SigningKey) -> list[SigningKey]:
        return self._keys

    async def add(self, key: SigningKey) -> None:
        self._keys.insert(0, key)

    async def forget(self, before: object) -> None:
        return None


def test_made_up_names_of_keys_do_not_make_the_records_busy() -> None:
    async def main(doors: Doors) -> None:
        keys = CountingKeys([new_key(doors.clock())])
        ring = KeyRing(keys, doors.clock)
        for number in range(100):
            assert await ring.find(f"made-up-{number}") is None
        assert keys.looked == 1
        doors.clock.advance(seconds=2)
        for number in range(100):
            assert await ring.find(f"made-up-{number}") is None
        assert keys.looked == 2

    run_with(main)
