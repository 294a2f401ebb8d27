"""The contract suite of storage drivers, of writable tops."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from nacre.errors import AlreadyExists, Conflict, Invalid, NotFound
from nacre.storage.chain import Chain
from nacre.testing.contracts import raises
from nacre.testing.driver_contract.stage import Stage, rounded, scribble
from nacre.testing.hard_stacks import BASE, STACKS
from nacre.testing.members import file, gone
from nacre.testing.seen import found


class TopsContract:
    """See `StorageDriverContract`."""

    def test_a_writable_top_begins_as_the_tree(self, stage: Stage) -> None:
        driver = stage.new()
        for number, (name, stack) in enumerate(STACKS.items()):
            chain = stage.layers.chain(*stack)
            driver.prepare(f"top{number}", chain)
            with driver.writable(f"top{number}") as tree:
                assert found(tree, stage.ownership) == stage.expected(chain), name
            with driver.changes(f"top{number}") as (changes, _):
                assert changes == [], name

    def test_what_is_written_stays_and_touches_nothing_else(self, stage: Stage) -> None:
        chain, driver = stage.layers.chain(BASE), stage.new()
        driver.prepare("top", chain)
        driver.prepare("other", chain)
        with driver.writable("top") as tree:
            scribble(tree)
            written = rounded(found(tree, stage.ownership))
        with stage.new().writable("top") as tree:
            assert rounded(found(tree, stage.ownership)) == written
        with driver.writable("other") as tree:
            assert found(tree, stage.ownership) == stage.expected(chain)
        assert stage.shown(driver, chain) == stage.expected(chain)

    def test_changes_say_what_was_written(self, stage: Stage) -> None:
        driver = stage.new()
        driver.prepare("top", stage.layers.chain(BASE))
        with driver.writable("top") as tree:
            scribble(tree)
        with driver.changes("top") as (changes, _):
            assert [f"{kind.value} {path.decode()}" for kind, path in changes] == [
                "D bin",
                *("C etc", "D etc/shadow", "C etc/motd", "A etc/new"),
                *("C home", "C home/u", "D home/u/notes"),
                *("C tmp", "A tmp/d", "A tmp/d/f"),
            ]

    def test_what_happens_to_the_root_is_no_change(self, stage: Stage) -> None:
        driver = stage.new()
        driver.prepare("top", stage.layers.chain(BASE))
        with driver.writable("top") as tree, suppress(PermissionError):  # not everybody may
            tree.chmod(0o711)
        with driver.changes("top") as (changes, _):
            assert changes == []

    def test_what_was_written_becomes_a_layer(self, stage: Stage) -> None:
        driver = stage.new()
        chain = stage.layers.chain(BASE, [file("tmp/f", b"f")], [gone("etc/motd")])
        driver.prepare("top", chain)
        with driver.writable("top") as tree:
            (tree / "etc" / "motd").write_bytes(b"back")
            scribble(tree)
            written = rounded(found(tree, stage.ownership))
        longer = Chain((*chain.layers, stage.packed(driver, "top")))
        assert rounded(stage.shown(driver, longer)) == written

    def test_writable_tops_are_listed_until_they_are_removed(self, stage: Stage) -> None:
        driver = stage.new()
        chains = {"one": stage.layers.chain(BASE), "two.2-b_": stage.layers.chain()}
        for name, chain in chains.items():
            driver.prepare(name, chain)
        assert dict(stage.new().scratches()) == chains
        with driver.writable("one") as tree:
            scribble(tree)
        driver.remove("one")
        driver.remove("one")
        assert [name for name, _ in driver.scratches()] == ["two.2-b_"]

    def test_names_are_unique_and_plain(self, stage: Stage) -> None:
        driver, chain = stage.new(), stage.layers.chain(BASE)
        driver.prepare("top", chain)
        with raises(AlreadyExists):
            driver.prepare("top", chain)
        for name in ("", "..", "a/b", "\n", "a b"):
            with raises(Invalid):
                driver.prepare(name, chain)

    def test_a_top_that_was_never_made_is_not_found(self, stage: Stage) -> None:
        driver = stage.new()
        with raises(NotFound), driver.writable("top"):
            pass
        with raises(NotFound), driver.changes("top"):
            pass
        driver.remove("top")

    def test_a_top_is_for_one_at_a_time(self, stage: Stage) -> None:
        driver, other = stage.new(), stage.new()
        driver.prepare("top", stage.layers.chain(BASE))
        uses: list[Callable[[], AbstractContextManager[object]]] = [
            lambda: driver.writable("top"),
            lambda: driver.changes("top"),
        ]
        for use in uses:
            with use():
                with raises(Conflict), other.writable("top"):
                    pass
                with raises(Conflict), other.changes("top"):
                    pass
                with raises(Conflict):
                    other.remove("top")
        with other.writable("top"):
            pass
