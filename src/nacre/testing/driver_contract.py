"""The contract suite of storage drivers; how suites are used is told in ``contracts``."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from nacre.errors import AlreadyExists, Conflict, Invalid, NotFound, Unsupported
from nacre.layers.diff import write_layer
from nacre.layers.ownership import Ownership
from nacre.layers.rootpath import Root
from nacre.layers.union import BadLayer, union
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.driver import StorageDriver
from nacre.testing.contracts import raises
from nacre.testing.hard_stacks import BAD_STACKS, BASE, STACKS
from nacre.testing.members import file, folder, gone
from nacre.testing.memory_layers import MemoryLayers
from nacre.testing.seen import Listing, expected, found

_PIECE = 10_000
_ABSENT = Digest.of(b"a layer that is nowhere")


@dataclass(frozen=True)
class Stage:
    """What the suite of a driver works with."""

    layers: MemoryLayers
    """What the drivers are given."""
    new: Callable[[], StorageDriver]
    """Returns a driver over the same store, as each process has one; it is empty at first."""
    store: Path
    """Where the drivers keep all that is theirs."""
    folder: Path
    """An empty folder, elsewhere."""
    ownership: Ownership
    """How owners in layers become owners on disk."""
    has_mounts: bool
    """Whether trees are mounted."""

    def take_in(self, driver: StorageDriver, layer: Digest) -> None:
        """Let a layer pass a sink."""
        tar = self.layers.bytes_of(layer)
        with driver.sink() as sink:
            for start in range(0, len(tar), _PIECE):
                sink.write(tar[start : start + _PIECE])
            sink.commit(self.layers.toc(layer))

    def expected(self, chain: Chain) -> Listing:
        """Return what the tree of a chain has to look like."""
        tree = union(self.layers.toc(layer) for layer in chain.layers)
        return expected(tree, self.layers, self.ownership)

    def shown(self, driver: StorageDriver, chain: Chain) -> Listing:
        """Return what the tree of a chain looks like."""
        with driver.mounted(chain) as tree:
            return found(tree, self.ownership)

    def weight(self) -> int:
        """Return how many bytes all files of the store have."""
        files = (path for path in self.store.rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files)

    def packed(self, driver: StorageDriver, name: str) -> Digest:
        """Make a layer of what was written to a writable top; return its diff ID."""
        out = io.BytesIO()
        with driver.changes(name) as (changes, folder), Root.open(folder) as root:
            write_layer(out, root, changes, ownership=self.ownership, overlay=driver.form)
        return self.layers.add_tar(out.getvalue())


class StorageDriverContract:
    """What a `StorageDriver` promises; ``stage`` is a fresh one."""

    # Layers

    def test_a_layer_that_passed_a_sink_is_here(self, stage: Stage) -> None:
        driver, layer = stage.new(), stage.layers.add(*BASE)
        stage.take_in(driver, layer)
        assert driver.has(layer)
        assert stage.new().has(layer)
        assert driver.size(layer) >= 0

    def test_what_is_made_of_a_chain_is_told(self, stage: Stage) -> None:
        driver, chain = stage.new(), stage.layers.chain(BASE, [file("tmp/f", b"f")])
        assert driver.tree_size(chain) == 0
        driver.make_ready(chain)
        assert driver.tree_size(chain) > 0
        driver.prune([])
        assert driver.tree_size(chain) == 0

    def test_an_empty_layer_is_a_layer(self, stage: Stage) -> None:
        driver, layer = stage.new(), stage.layers.add()
        stage.take_in(driver, layer)
        assert driver.has(layer)

    def test_a_layer_from_nowhere_is_not_here(self, stage: Stage) -> None:
        driver = stage.new()
        assert not driver.has(_ABSENT)
        assert driver.size(_ABSENT) == 0

    def test_of_a_sink_left_without_commit_nothing_remains(self, stage: Stage) -> None:
        driver, layer = stage.new(), stage.layers.add(*BASE)
        before = stage.weight()
        with driver.sink() as sink:
            sink.write(stage.layers.bytes_of(layer)[:20_000])
        with raises(_Interruption), driver.sink() as sink:
            sink.write(stage.layers.bytes_of(layer))
            raise _Interruption
        assert stage.weight() == before
        assert driver.size(layer) == 0

    def test_the_same_layer_may_come_in_twice_at_once(self, stage: Stage) -> None:
        driver, layer = stage.new(), stage.layers.add(*BASE)
        tar, toc = stage.layers.bytes_of(layer), stage.layers.toc(layer)
        with driver.sink() as one, stage.new().sink() as other:
            one.write(tar)
            other.write(tar)
            one.commit(toc)
            other.commit(toc)
        stage.take_in(driver, layer)
        chain = Chain.of([layer])
        assert stage.shown(driver, chain) == stage.expected(chain)

    def test_irregular_layers_pass_a_sink_too(self, stage: Stage) -> None:
        driver = stage.new()
        for name, stack in STACKS.items():
            chain = stage.layers.chain(*stack)
            for layer in chain.layers:
                stage.take_in(driver, layer)
                assert driver.has(layer), name
            if len(stack) < 10:
                assert stage.shown(driver, chain) == stage.expected(chain), name

    # Trees

    def test_every_stack_is_shown_as_its_union(self, stage: Stage) -> None:
        driver = stage.new()
        for name, stack in STACKS.items():
            chain = stage.layers.chain(*stack)
            assert stage.shown(driver, chain) == stage.expected(chain), name

    def test_what_was_made_ready_is_there_at_once(self, stage: Stage) -> None:
        chain = stage.layers.chain(BASE, [file("tmp/f", b"f")])
        stage.new().make_ready(chain)
        weight = stage.weight()
        stage.new().make_ready(chain)
        assert stage.shown(stage.new(), chain) == stage.expected(chain)
        assert stage.weight() == weight

    def test_without_its_layers_there_is_no_tree(self, stage: Stage) -> None:
        driver = stage.new()
        chain = Chain.of([stage.layers.add(*BASE), _ABSENT])
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

    # Attached trees

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
            driver.attach(Chain.of([_ABSENT]), stage.folder)
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

    # Writable tops

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
            _scribble(tree)
            written = _rounded(found(tree, stage.ownership))
        with stage.new().writable("top") as tree:
            assert _rounded(found(tree, stage.ownership)) == written
        with driver.writable("other") as tree:
            assert found(tree, stage.ownership) == stage.expected(chain)
        assert stage.shown(driver, chain) == stage.expected(chain)

    def test_changes_say_what_was_written(self, stage: Stage) -> None:
        driver = stage.new()
        driver.prepare("top", stage.layers.chain(BASE))
        with driver.writable("top") as tree:
            _scribble(tree)
        with driver.changes("top") as (changes, _):
            assert [f"{kind.value} {path.decode()}" for kind, path in changes] == [
                "D bin",
                *("C etc", "D etc/shadow", "C etc/motd", "A etc/new"),
                *("C home", "C home/u", "D home/u/notes"),
                *("C tmp", "A tmp/d", "A tmp/d/f"),
            ]

    def test_what_was_written_becomes_a_layer(self, stage: Stage) -> None:
        driver = stage.new()
        chain = stage.layers.chain(BASE, [file("tmp/f", b"f")], [gone("etc/motd")])
        driver.prepare("top", chain)
        with driver.writable("top") as tree:
            (tree / "etc" / "motd").write_bytes(b"back")
            _scribble(tree)
            written = _rounded(found(tree, stage.ownership))
        longer = Chain((*chain.layers, stage.packed(driver, "top")))
        assert _rounded(stage.shown(driver, longer)) == written

    def test_writable_tops_are_listed_until_they_are_removed(self, stage: Stage) -> None:
        driver = stage.new()
        chains = {"one": stage.layers.chain(BASE), "two.2-b_": stage.layers.chain()}
        for name, chain in chains.items():
            driver.prepare(name, chain)
        assert dict(stage.new().scratches()) == chains
        with driver.writable("one") as tree:
            _scribble(tree)
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

    # Tidying up

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


class _Interruption(Exception):
    pass


@contextmanager
def attached(driver: StorageDriver, chain: Chain, folder: Path) -> Iterator[None]:
    """Attach a tree for as long as the block lasts."""
    driver.attach(chain, folder)
    try:
        yield
    finally:
        driver.detach(folder)


def _scribble(tree: Path) -> None:
    """Do to a tree of ``BASE`` some of all that can be done."""
    for name, content in {"new": b"n" * 10_000, "motd": b"changed"}.items():
        (tree / "etc" / name).write_bytes(content)
        # What the kernel has not written yet may get its time later.
        os.utime(tree / "etc" / name, (1000, 1000))
    (tree / "etc" / "shadow").unlink()
    (tree / "bin").unlink()
    (tree / "home" / "u" / "notes").unlink()
    (tree / "tmp" / "d").mkdir()
    (tree / "tmp" / "d" / "f").write_bytes(b"f")


def _rounded(listing: Listing) -> Listing:
    """Return a listing as a layer keeps it: times in seconds, and none of the root."""
    return {
        path: one._replace(mtime_ns=one.mtime_ns // 10**9 if path else 0)
        for path, one in listing.items()
    }
