"""Logins: who has the password, at what cost, and how often somebody may guess."""

from __future__ import annotations

import pytest

from nacre.hub.accounts.attempts import Attempts
from nacre.hub.accounts.logins import Logins
from nacre.hub.accounts.passwords import Passwords
from nacre.hub.errors import TooManyRequests
from tests.unit.hub.doors import PASSWORD, Clock, CountingHasher, Doors, run_with


def test_the_right_password_gives_the_user() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        user = await doors.logins.check("alice", PASSWORD)
        assert user is not None
        assert user.name == "alice"
        assert await doors.logins.check("alice", "wrong") is None
        assert await doors.logins.check("bob", PASSWORD) is None

    run_with(main)


@pytest.mark.parametrize("name", ["alice", "nobody", "library", "NOT a name", "", "x" * 5000])
def test_an_unknown_user_costs_as_much_as_a_known_one(name: str) -> None:
    # CVE-2023-20902, user enumeration by time: the hashes are counted, which are all the time.
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        before = doors.hasher.derivations
        assert await doors.logins.check(name, "wrong password") is None
        assert doors.hasher.derivations - before == 1

    run_with(main)


def test_a_success_is_remembered_for_a_moment() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        await doors.logins.check("alice", PASSWORD)
        before = doors.hasher.derivations
        for _ in range(5):
            assert await doors.logins.check("alice", PASSWORD)
        assert doors.hasher.derivations == before
        doors.clock.advance(seconds=61)
        assert await doors.logins.check("alice", PASSWORD)
        assert doors.hasher.derivations == before + 1

    run_with(main)


def test_a_failure_is_never_remembered() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        before = doors.hasher.derivations
        for _ in range(3):
            assert await doors.logins.check("alice", "wrong") is None
        assert doors.hasher.derivations == before + 3

    run_with(main)


def test_what_was_remembered_ends_with_the_password() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        assert await doors.logins.check("alice", PASSWORD)
        await doors.records.users.set_password("alice", await doors.passwords.hash("another one"))
        assert await doors.logins.check("alice", PASSWORD) is None
        assert await doors.logins.check("alice", "another one")

    run_with(main)


def test_what_was_remembered_ends_with_the_user() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        assert await doors.logins.check("alice", PASSWORD)
        await doors.records.users.remove("alice")
        assert await doors.logins.check("alice", PASSWORD) is None

    run_with(main)


def test_what_is_remembered_is_no_password() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        await doors.logins.check("alice", PASSWORD)
        assert len(doors.logins._known) == 1
        assert PASSWORD not in repr(doors.logins._known)
        assert all(len(key) == 32 for key in doors.logins._known)

    run_with(main)


def test_only_so_many_successes_are_remembered() -> None:
    async def main(doors: Doors) -> None:
        logins = Logins(doors.records.users, doors.passwords, doors.attempts, doors.clock, most=2)
        for name in ("alice", "bob", "carol"):
            await doors.add_user(name)
            await logins.check(name, PASSWORD)
        assert len(logins._known) == 2

    run_with(main)


def test_a_hash_of_another_cost_is_renewed_at_login() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        stronger = CountingHasher(time_cost=2)
        with Passwords(stronger) as passwords:
            logins = Logins(doors.records.users, passwords, doors.attempts, doors.clock)
            assert await logins.check("alice", "wrong") is None
            weak = await doors.records.users.find("alice")
            assert weak is not None
            assert stronger.check_needs_rehash(weak.password_hash)
            assert await logins.check("alice", PASSWORD)
            strong = await doors.records.users.find("alice")
            assert strong is not None
            assert not stronger.check_needs_rehash(strong.password_hash)
            assert strong.epoch == weak.epoch
            assert await logins.check("alice", PASSWORD)

    run_with(main)


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_guessing_is_stopped_by_name_whether_there_is_such_a_user_or_not(name: str) -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        for number in range(3):
            assert await doors.logins.check(name, "guess", address=f"192.0.2.{number}") is None
        before = doors.hasher.derivations
        with pytest.raises(TooManyRequests) as caught:
            await doors.logins.check(name, PASSWORD, address="192.0.2.99")
        assert doors.hasher.derivations == before
        assert 0 < caught.value.retry_after <= 60
        doors.clock.advance(seconds=61)
        found = await doors.logins.check(name, PASSWORD, address="192.0.2.99")
        assert (found is not None) == (name == "alice")

    run_with(main, most_failures=3)


def test_guessing_many_names_is_stopped_by_address() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        for number in range(3):
            await doors.logins.check(f"user{number}", "guess", address="192.0.2.1")
        with pytest.raises(TooManyRequests):
            await doors.logins.check("alice", PASSWORD, address="192.0.2.1")
        assert await doors.logins.check("alice", PASSWORD, address="192.0.2.2")

    run_with(main, most_failures=3)


def test_who_is_logged_in_is_not_locked_out_by_others_guesses() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        assert await doors.logins.check("alice", PASSWORD, address="192.0.2.2")
        for _ in range(3):
            await doors.logins.check("alice", "guess", address="192.0.2.1")
        assert await doors.logins.check("alice", PASSWORD, address="192.0.2.2")

    run_with(main, most_failures=3)


def test_a_success_forgets_the_failures_of_the_name_and_not_of_the_address() -> None:
    attempts = Attempts(Clock(), most=2)
    attempts.failed("192.0.2.1", "alice")
    attempts.succeeded("alice")
    attempts.failed("192.0.2.1", "alice")
    attempts.check("", "alice")
    with pytest.raises(TooManyRequests):
        attempts.check("192.0.2.1", "alice")


def test_no_limit() -> None:
    attempts = Attempts(Clock(), most=0)
    for _ in range(1000):
        attempts.failed("192.0.2.1", "alice")
    attempts.check("192.0.2.1", "alice")
    assert not attempts._failures


def test_failures_do_not_fill_memory() -> None:
    attempts = Attempts(Clock(), remembered=10)
    for number in range(1000):
        attempts.failed(f"address{number}", "x" * 100_000 + str(number))
    assert len(attempts._failures) == 10
    assert max(len(key[1]) for key in attempts._failures) < 100
