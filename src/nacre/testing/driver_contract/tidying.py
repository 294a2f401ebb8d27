"""The contract suite of storage drivers, of tidying up: what goes, and what stays."""

from __future__ import annotations

from nacre.testing.driver_contract.stage import Stage
from nacre.testing.hard_stacks import BASE, STACKS
from nacre.testing.members import file, folder
from nacre.testing.seen import found


class TidyingContract:
    """See `StorageDriverContract`."""

    def test_what_nobody_needs_is_pruned(self, stage: Stage) -> None:
        driver = stage.new()
        kept = stage.layers.chain(BASE, [file("tmp/f", b"f")])
        doomed = stage.layers.chain(BASE, [file("home/f", b"f" * 5000)], [folder("x")])
        for chain in (kept, doomed):
            driver.make_ready(chain)
        before = stage.weight()
        assert driver.prune([kept]) > 0
        assert stage.weight() < before
        assert driver.prune([kept]) == 0
        for chain in (kept, doomed):
            assert stage.shown(driver, chain) == stage.expected(chain)

    def test_what_is_used_is_not_pruned(self, stage: Stage) -> None:
        driver = stage.new()
        mounted = stage.layers.chain(BASE, [file("tmp/f", b"f")])
        below = stage.layers.chain(BASE, [file("home/f", b"f")])
        driver.prepare("top", below)
        with driver.mounted(mounted) as tree:
            stage.new().prune([])
            assert found(tree, stage.ownership) == stage.expected(mounted)
        with driver.writable("top") as tree:
            stage.new().prune([])
            assert found(tree, stage.ownership) == stage.expected(below)

    def test_after_all_is_pruned_nothing_is_left(self, stage: Stage) -> None:
        driver = stage.new()
        for stack in STACKS.values():
            driver.make_ready(stage.layers.chain(*stack))
        driver.prepare("top", stage.layers.chain(BASE))
        driver.remove("top")
        driver.prune([])
        assert stage.weight() == 0

    def test_where_nobody_died_there_is_nothing_to_recover(self, stage: Stage) -> None:
        driver, chain = stage.new(), stage.layers.chain(BASE, [file("tmp/f", b"f")])
        driver.recover()
        driver.prepare("top", chain)
        with driver.mounted(chain) as tree, driver.writable("top") as top:
            stage.new().recover()
            assert found(tree, stage.ownership) == stage.expected(chain)
            assert found(top, stage.ownership) == stage.expected(chain)
        with driver.sink() as sink:
            sink.write(stage.layers.bytes_of(chain.layers[0]))
            stage.new().recover()
            sink.commit(stage.layers.toc(chain.layers[0]))
        assert stage.shown(driver, chain) == stage.expected(chain)
