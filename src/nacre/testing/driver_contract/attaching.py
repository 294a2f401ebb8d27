"""The contract suite of storage drivers, of attached trees: they stay in a folder."""

from __future__ import annotations

from nacre.errors import Conflict, NotFound, Unsupported
from nacre.layers.union import BadLayer
from nacre.storage.chain import Chain
from nacre.testing.contracts import raises
from nacre.testing.driver_contract.stage import ABSENT, Stage, attached
from nacre.testing.hard_stacks import BAD_STACKS, BASE
from nacre.testing.seen import found


class AttachingContract:
    """See `StorageDriverContract`."""

    def test_an_attached_tree_stays_until_it_is_detached(self, stage: Stage) -> None:
        if not stage.has_mounts:
            return
        chain, driver = stage.layers.chain(BASE), stage.new()
        with driver.mounted(chain), attached(driver, chain, stage.folder):
            assert list(stage.new().attached()) == [(stage.folder, chain.id)]
        assert list(stage.folder.iterdir()) == []
        with attached(driver, chain, stage.folder):
            stage.new().recover()
            driver.prune([])
            assert found(stage.folder, stage.ownership) == stage.expected(chain)
        assert list(driver.attached()) == []

    def test_a_tree_may_be_attached_in_several_places(self, stage: Stage) -> None:
        if not stage.has_mounts:
            return
        chain, driver = stage.layers.chain(BASE), stage.new()
        one, other = stage.folder / "one", stage.folder / "other"
        one.mkdir()
        other.mkdir()
        with attached(driver, chain, one):
            with attached(stage.new(), chain, other):
                assert sorted(driver.attached()) == [(one, chain.id), (other, chain.id)]
            assert found(one, stage.ownership) == stage.expected(chain)

    def test_one_folder_takes_one_tree(self, stage: Stage) -> None:
        if not stage.has_mounts:
            return
        chain, driver = stage.layers.chain(BASE), stage.new()
        with attached(driver, chain, stage.folder), raises(Conflict):
            driver.attach(chain, stage.folder)

    def test_a_tree_in_use_is_not_detached(self, stage: Stage) -> None:
        if not stage.has_mounts:
            return
        chain, driver = stage.layers.chain(BASE), stage.new()
        with attached(driver, chain, stage.folder):
            with (stage.folder / "etc" / "motd").open(), raises(Conflict):
                driver.detach(stage.folder)
            assert list(driver.attached()) == [(stage.folder, chain.id)]

    def test_what_is_not_attached_is_not_detached(self, stage: Stage) -> None:
        if not stage.has_mounts:
            return
        with raises(NotFound):
            stage.new().detach(stage.folder)

    def test_nothing_is_attached_that_makes_no_tree(self, stage: Stage) -> None:
        if not stage.has_mounts:
            return
        driver = stage.new()
        with raises(NotFound):
            driver.attach(Chain.of([ABSENT]), stage.folder)
        with raises(BadLayer):
            driver.attach(stage.layers.chain(*BAD_STACKS["a hard link to nothing"]), stage.folder)
        with raises(NotFound):
            driver.attach(stage.layers.chain(BASE), stage.folder / "missing")
        assert list(driver.attached()) == []

    def test_without_mounts_nothing_is_attached(self, stage: Stage) -> None:
        if stage.has_mounts:
            return
        driver = stage.new()
        with raises(Unsupported):
            driver.attach(stage.layers.chain(BASE), stage.folder)
        with raises(NotFound):
            driver.detach(stage.folder)
        assert list(driver.attached()) == []
