"""Layers as folders for overlayfs to stack: which ones a chain needs, made once and kept.

::

    <folder>/layers/<diff ID>/tree     a regular layer; none if the layer is irregular
    <folder>/deltas/<chain ID>/tree    what an irregular layer comes to, on top of its chain
    <folder>/merged/<chain ID>/tree    the lowest layers as one, where a chain has too many
    <folder>/chains/<chain ID>/lowers  what to stack, the topmost first, a line each
    <folder>/chains/<chain ID>/root    an empty folder with the attributes of the root

Every one of them has a file ``size``: about how much disk it takes. A chain's own folder comes
last: while it is there, so is all that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nacre.content.diskerrors import disk_errors
from nacre.layers.ownership import Ownership
from nacre.layers.stack import EMPTY, Delta, Make, delta, is_regular
from nacre.layers.toc import Toc
from nacre.layers.union import Tree, union
from nacre.layers.whiteout import Overlay
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.layers import Layers
from nacre.storage.parts import DELTAS, LAYERS, MERGED, Part, Trees, parts_of
from nacre.storage.staging import Staging, disk_usage
from nacre.storage.unpacking import Unpacker, delta_sizes, unpack_delta

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_FOLDERS = 499
"""Most folders of layers in a stack: overlayfs takes 500 (Linux 6.18), and one is the root's."""

CHAINS = "chains"
_TREE, _SIZE, _ROOT, _PADDING, _LOWERS = "tree", "size", "root", "padding", "lowers"
_PIECE = 1 << 20


class Folders:
    """The folders of a store.

    Args:
        folder: where they lie; made when first written to.
        layers: the layers that are here.
        form: the form of whiteouts and the like.
        ownership: how owners in layers become owners on disk.
        check: raises for a layer that could be stacked, but would not be shown as it is.
        most: most folders of layers in a stack.
    """

    def __init__(
        self,
        folder: Path,
        layers: Layers,
        *,
        form: Overlay,
        ownership: Ownership,
        check: Callable[[Toc], None] | None = None,
        most: int = MAX_FOLDERS,
    ) -> None:
        self._check = check
        self._staging = Staging(folder)
        self._layers = layers
        self._form = form
        self._ownership = ownership
        self._most = most

    @contextmanager
    def sink(self) -> Iterator[FolderSink]:
        """Enter the intake of a layer."""
        with self._staging.new() as new:
            tree = new / _TREE
            with disk_errors(new):
                tree.mkdir(0o700)
            with Unpacker(tree, form=self._form, ownership=self._ownership) as unpacker:
                yield FolderSink(self._staging, new, unpacker)

    def has(self, layer: Digest) -> bool:
        """Say whether a layer passed a sink."""
        return self._staging.place(LAYERS, layer.file_name).is_dir()

    def size(self, layer: Digest) -> int:
        """Return about how many bytes of disk the folder of a layer takes."""
        return self._size(LAYERS, layer.file_name)

    def tree_size(self, chain: Chain) -> int:
        """Return about how many bytes of disk a chain takes beyond the folders of its layers."""
        key = chain.id.file_name
        names = [name for name in self._names(key) if not name.startswith(f"{LAYERS}/")]
        parts = (name.split("/") for name in names)
        return self._size(CHAINS, key) + sum(self._size(kind, part) for kind, part in parts)

    def make(self, chain: Chain) -> None:
        """Make all that the tree of a chain needs.

        Raises:
            NotFound: a layer is not here.
            BadLayer: the layers make no tree.
            Unavailable: the disk is full or failed.
            Unsupported: what is mounted of a layer would not be what it says.
        """
        if self._check is not None:
            # Each time: another driver, which shows more, may have made the folders.
            for layer in dict.fromkeys(chain.layers):
                self._check(self._layers.toc(layer))
        key = chain.id.file_name
        while not self._has_chain(key):
            with self._staging.making(CHAINS, key):
                if not self._has_chain(key):
                    self._make_chain(chain, key)

    @contextmanager
    def using(self, chain: Chain) -> Iterator[list[Path]]:
        """Give what to stack, the topmost first, and keep it there while its use begins.

        Raises:
            NotFound, BadLayer, Unavailable: as ``make``.
        """
        key = chain.id.file_name
        while True:
            self.make(chain)
            with self._staging.using():
                if self._has_chain(key):
                    yield self._lowers(key)
                    return

    def tree(self, chain: Chain) -> Tree:
        """Return the union of a chain.

        Raises:
            NotFound, BadLayer: as ``make``.
        """
        return union(self._layers.toc(layer) for layer in chain.layers)

    def prune(
        self, needed: Callable[[], Collection[Chain]], used: Callable[[], Collection[str]]
    ) -> int:
        """Remove what no chain needs; return about how many bytes became free.

        Both are asked when nobody begins to use anything.

        Args:
            needed: returns the chains whose layers stay.
            used: returns the keys of chains that are mounted.
        """
        freed = 0

        def doomed() -> Iterator[tuple[str, str]]:
            nonlocal freed
            chains = needed()
            kept = {chain.id.file_name for chain in chains} | set(used())
            named = {line for key in kept for line in self._names(key)}
            named |= {f"{LAYERS}/{layer.file_name}" for chain in chains for layer in chain.layers}
            named |= {f"{CHAINS}/{key}" for key in kept}
            for kind in (CHAINS, LAYERS, DELTAS, MERGED):
                for key in self._staging.keys(kind):
                    if f"{kind}/{key}" not in named:
                        freed += self._size(kind, key)
                        yield kind, key

        self._staging.take_away(doomed())
        return freed

    def recover(self) -> None:
        """Remove what dead processes left."""
        self._staging.recover()

    # What is there

    def _has_chain(self, key: str) -> bool:
        return self._staging.place(CHAINS, key).is_dir()

    def _names(self, key: str) -> list[str]:
        with suppress(FileNotFoundError):
            return (self._staging.place(CHAINS, key) / _LOWERS).read_text("ascii").split()
        return []

    def _lowers(self, key: str) -> list[Path]:
        own = self._staging.place(CHAINS, key)
        lowers = [self._staging.folder / name / _TREE for name in self._names(key)]
        # A single folder is no stack.
        return [own / _ROOT, *(lowers or [own / _PADDING])]

    def _size(self, kind: str, key: str) -> int:
        with suppress(FileNotFoundError):
            return int((self._staging.place(kind, key) / _SIZE).read_text("ascii"))
        return 0

    # Making it

    def _make_chain(self, chain: Chain, key: str) -> None:
        tocs = [self._layers.toc(layer) for layer in chain.layers]
        trees = Trees(tocs)
        root = trees.upto(len(tocs)).root
        parts = parts_of(chain, tocs, self._most)
        for part in parts:
            if not self._staging.place(part.kind, part.key(chain)).is_dir():
                self._make_part(part, chain, trees)
        own = Delta((Make(b"", root),), (), (), (), ())
        with self._staging.new() as new:
            self._unpack(own, chain, new / _ROOT)
            with disk_errors(new):
                (new / _PADDING).mkdir(0o755)
                names = [f"{part.kind}/{part.key(chain)}\n" for part in reversed(parts)]
                (new / _LOWERS).write_text("".join(names), "ascii")
                (new / _SIZE).write_text(str(disk_usage([0] * 5)), "ascii")
            with self._staging.using():
                # Others may have pruned a part since it was made; then all is looked at again.
                if all(self._staging.place(part.kind, part.key(chain)).is_dir() for part in parts):
                    self._staging.put(new, CHAINS, key)

    def _make_part(self, part: Part, chain: Chain, trees: Trees) -> None:
        key = part.key(chain)
        with self._staging.making(part.kind, key):
            if self._staging.place(part.kind, key).is_dir():
                return
            if part.kind == LAYERS:
                self._take_in(chain.layers[part.number])
                return
            below = EMPTY if part.kind == MERGED else trees.upto(part.number)
            above = trees.upto(part.number + 1)
            found = delta(below, above)
            with self._staging.new() as new:
                self._unpack(found, chain, new / _TREE)
                with disk_errors(new):
                    (new / _SIZE).write_text(str(disk_usage(delta_sizes(found))), "ascii")
                self._staging.put(new, part.kind, key)

    def _take_in(self, layer: Digest) -> None:
        with self._layers.read(layer) as tar, self.sink() as sink:
            while piece := tar.read(_PIECE):
                sink.write(piece)
            sink.commit(self._layers.toc(layer))

    def _unpack(self, found: Delta, chain: Chain, tree: Path) -> None:
        with disk_errors(tree):
            tree.mkdir(0o700)
        unpack_delta(
            found, chain.layers, tree, self._layers, form=self._form, ownership=self._ownership
        )


class FolderSink:
    """Unpacks one layer on its way in; see `nacre.storage.driver.LayerSink`."""

    def __init__(self, staging: Staging, new: Path, unpacker: Unpacker) -> None:
        self._staging = staging
        self._new = new
        self._unpacker = unpacker

    def write(self, data: Buffer) -> None:
        """Take the next bytes of the raw tar; see `LayerSink`."""
        self._unpacker.feed(data)

    def commit(self, toc: Toc) -> None:
        """Keep the folder if the layer is regular; else just that it was here."""
        with ExitStack() as stack:
            new, sizes = self._new, [0]
            if is_regular(toc):
                self._unpacker.finish()
                sizes += map(toc.stored_size, range(len(toc)))
            else:
                new = stack.enter_context(self._staging.new())
            with disk_errors(new):
                (new / _SIZE).write_text(str(disk_usage(sizes)), "ascii")
                self._staging.put(new, LAYERS, toc.layer.file_name)
