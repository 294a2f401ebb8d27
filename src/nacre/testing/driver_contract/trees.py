"""The contract suite of storage drivers, of trees: what a chain of layers is shown as."""

from __future__ import annotations

from threading import Thread

from nacre.errors import NotFound
from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import header_blocks
from nacre.layers.union import BadLayer
from nacre.storage.chain import Chain
from nacre.testing.contracts import raises
from nacre.testing.driver_contract.stage import ABSENT, Stage
from nacre.testing.hard_stacks import BAD_STACKS, BASE, STACKS
from nacre.testing.members import file, gone, special, symlink
from nacre.testing.seen import Listing, found


class TreesContract:
    """See `StorageDriverContract`."""

    def test_every_stack_is_shown_as_its_union(self, stage: Stage) -> None:
        driver = stage.new()
        for name, stack in STACKS.items():
            chain = stage.layers.chain(*stack)
            assert stage.shown(driver, chain) == stage.expected(chain), name

    def test_attributes_that_linux_refuses_are_passed_over(self, stage: Stage) -> None:
        plain = ((b"user.z", b"1"),)
        refused = ((b"security.capability", b"bad"), (b"user.", b""), (b"user." + b"n" * 251, b""))
        members = [
            file("f", xattrs=refused + plain),
            symlink("l", "f", xattrs=plain),
            special("p", Kind.FIFO, xattrs=plain),
        ]
        shown = stage.shown(stage.new(), stage.layers.chain(members))
        assert [shown[name].xattrs for name in (b"f", b"l", b"p")] == [plain, (), ()]

    def test_the_last_file_of_a_tar_without_padding_is_whole(self, stage: Stage) -> None:
        tar = header_blocks(Entry(b"f", Kind.REG, size=600)) + b"x" * 600
        chain = Chain.of([stage.layers.add_tar(tar)])
        assert stage.shown(stage.new(), chain)[b"f"].content == b"x" * 600

    def test_what_was_made_ready_is_there_at_once(self, stage: Stage) -> None:
        chain = stage.layers.chain(BASE, [file("tmp/f", b"f")])
        stage.new().make_ready(chain)
        weight = stage.weight()
        stage.new().make_ready(chain)
        assert stage.shown(stage.new(), chain) == stage.expected(chain)
        assert stage.weight() == weight

    def test_without_its_layers_there_is_no_tree(self, stage: Stage) -> None:
        driver = stage.new()
        chain = Chain.of([stage.layers.add(*BASE), ABSENT])
        with raises(NotFound):
            driver.make_ready(chain)
        with raises(NotFound), driver.mounted(chain):
            pass

    def test_layers_that_do_not_fit_make_no_tree(self, stage: Stage) -> None:
        driver = stage.new()
        for stack in BAD_STACKS.values():
            chain = stage.layers.chain(*stack)
            with raises(BadLayer):
                driver.make_ready(chain)
            with raises(BadLayer), driver.mounted(chain):
                pass

    def test_many_may_make_the_same_tree_at_once(self, stage: Stage) -> None:
        chain = stage.layers.chain(*STACKS["many layers"][:20])
        results: list[Listing] = []
        threads = [
            Thread(target=lambda: results.append(stage.shown(stage.new(), chain))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [stage.expected(chain)] * 4

    def test_all_who_use_a_tree_share_it(self, stage: Stage) -> None:
        chain = stage.layers.chain(BASE)
        with stage.new().mounted(chain) as one:
            with stage.new().mounted(chain) as other:
                assert one == other
            assert found(one, stage.ownership) == stage.expected(chain)

    def test_a_tree_is_read_only(self, stage: Stage) -> None:
        chain = stage.layers.chain(BASE)
        with stage.new().mounted(chain) as tree:
            if stage.has_mounts:
                for attempt in (tree / "new").mkdir, (tree / "etc" / "motd").unlink:
                    with raises(OSError):
                        attempt()

    def test_trees_do_not_mix(self, stage: Stage) -> None:
        driver = stage.new()
        chains = [stage.layers.chain(BASE), stage.layers.chain(BASE, [gone("etc")])]
        with driver.mounted(chains[0]) as one, driver.mounted(chains[1]) as other:
            assert found(one, stage.ownership) == stage.expected(chains[0])
            assert found(other, stage.ownership) == stage.expected(chains[1])
