"""The contract suites of job leases and of signing keys."""

from __future__ import annotations

from nacre.hub.auth.keys import SigningKey
from nacre.testing.hub_contracts.stage import DAY, HOUR, Stage


class JobLeasesContract:
    """What `Leases` promise."""

    def test_one_holds_a_name_at_a_time(self, hub: Stage) -> None:
        assert _acquire(hub, "gc", "one")
        assert not _acquire(hub, "gc", "two")
        assert _acquire(hub, "retention", "two")

    def test_a_holder_may_renew(self, hub: Stage) -> None:
        assert _acquire(hub, "gc", "one")
        hub.clock.go(HOUR / 2)
        assert _acquire(hub, "gc", "one")
        hub.clock.go(HOUR / 2)
        assert not _acquire(hub, "gc", "two")

    def test_a_lease_of_a_name_runs_out(self, hub: Stage) -> None:
        assert _acquire(hub, "gc", "one")
        hub.clock.go(HOUR)
        assert _acquire(hub, "gc", "two")
        assert not _acquire(hub, "gc", "one")

    def test_only_the_holder_gives_it_back(self, hub: Stage) -> None:
        assert _acquire(hub, "gc", "one")
        hub.do(hub.records.leases.release("gc", "two"))
        hub.do(hub.records.leases.release("absent", "two"))
        assert not _acquire(hub, "gc", "two")
        hub.do(hub.records.leases.release("gc", "one"))
        assert _acquire(hub, "gc", "two")


class SigningKeysContract:
    """What `SigningKeys` promise."""

    def test_the_newest_key_comes_first(self, hub: Stage) -> None:
        old, new, middle = (_key(hub, days) for days in (0, 2, 1))
        for key in (old, new, middle):
            hub.do(hub.records.keys.add(key))
        assert list(hub.do(hub.records.keys.all())) == [new, middle, old]

    def test_only_the_first_process_makes_the_first_key(self, hub: Stage) -> None:
        assert list(hub.do(hub.records.keys.all())) == []
        one, two = _key(hub, 0), _key(hub, 1)
        assert list(hub.do(hub.records.keys.add_first(one))) == [one]
        assert list(hub.do(hub.records.keys.add_first(two))) == [one]
        assert list(hub.do(hub.records.keys.all())) == [one]

    def test_old_keys_are_forgotten(self, hub: Stage) -> None:
        keys = [_key(hub, days) for days in range(4)]
        for key in keys:
            hub.do(hub.records.keys.add(key))
        hub.do(hub.records.keys.forget(keys[2].created_at))
        assert list(hub.do(hub.records.keys.all())) == [keys[3], keys[2]]

    def test_the_newest_key_is_never_forgotten(self, hub: Stage) -> None:
        old, new = _key(hub, 0), _key(hub, 1)
        for key in (old, new):
            hub.do(hub.records.keys.add(key))
        hub.do(hub.records.keys.forget(hub.clock() + 365 * DAY))
        assert list(hub.do(hub.records.keys.all())) == [new]


def _acquire(hub: Stage, name: str, holder: str) -> bool:
    now = hub.clock()
    return hub.do(hub.records.leases.acquire(name, holder, now, now + HOUR))


def _key(hub: Stage, days: int) -> SigningKey:
    return SigningKey(f"key-{days}", f"pem {days}", hub.clock() + days * DAY)
