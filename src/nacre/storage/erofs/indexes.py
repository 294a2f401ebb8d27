"""The images of chains on disk: made once, used until no chain needs them.

An index is the last file of its chain to appear, so where it is, the others are. It can always be
made anew from the layers: one that is damaged counts as not there. ::

    <folder>/<chain>.erofs        the index of a chain
    <folder>/<chain>.below        the same for use below an overlay, where that makes a difference
    <folder>/<chain>.data         the companion, where files had to be written out
    <folder>/<chain>.lock         locked by whoever makes or removes them
    <folder>/<chain>.new          one being written, or that was when a process died

What only making one needs is imported by that: to mount what is there should take no time.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from nacre.content.diskerrors import disk_errors
from nacre.content.durable import make_folder, sync_folder
from nacre.content.locking import locked_file
from nacre.erofs.errors import InvalidImage, InvalidTree
from nacre.erofs.reader import Image
from nacre.errors import Conflict
from nacre.storage.chain import Chain
from nacre.storage.erofs.devices import COMPANION, tag

if TYPE_CHECKING:
    from nacre.layers.union import Tree
    from nacre.storage.erofs.tree import Plan
    from nacre.storage.layers import Layers

_PRIVATE = 0o700
_INDEX, _BELOW, _COMPANION, _LOCK, _NEW = ".erofs", ".below", ".data", ".lock", ".new"
_DEBRIS = (_NEW,)
_ALL = (_INDEX, _BELOW, _COMPANION, _NEW)  # the index first: without the others it is of no use
_OWN = re.compile(r"((?:sha256|sha512)-[0-9a-f]+)\.(?:erofs|below|data|lock|new)")


class Index(NamedTuple):
    """What the kernel needs to mount a chain."""

    key: str
    """A name for it; differs where the image does."""
    image: Path
    devices: tuple[Path, ...]


def key_of(chain: Chain) -> str:
    """Return the name under which the files of a chain go."""
    return chain.id.file_name


class Indexes:
    """The indexes in a folder, safe for many processes and threads at once.

    Args:
        folder: where they lie, for nobody else; made when first written to.
        layers: what they are made from.
    """

    def __init__(self, folder: Path, layers: Layers) -> None:
        self._folder = folder
        self._layers = layers

    def get(self, chain: Chain, *, below_overlay: bool = False) -> Index:
        """Return the index of a chain, made if it is not there, and see that its layers are.

        Raises:
            NotFound: a layer is not here.
            BadLayer: the layers make no tree, or one that the format cannot say.
            Denied, Unavailable: the disk cannot be written to.
        """
        found = self._read(chain, below_overlay=below_overlay)
        if found is None:
            with self._locked(key_of(chain)):
                found = self._read(chain, below_overlay=below_overlay)
                if found is None:
                    self._make(chain)
                    found = self._read(chain, below_overlay=below_overlay)
        if found is None:
            raise InvalidImage(f"the index of chain {chain.id} cannot be read back")
        return found

    def tree(self, chain: Chain) -> Tree:
        """Return the union of a chain; raises as ``get``."""
        from nacre.layers.union import union

        return union(self._layers.toc(layer) for layer in chain.layers)

    def size(self, chain: Chain) -> int:
        """Return how many bytes of disk the index of a chain takes; 0 when there is none."""
        found = 0
        for suffix in (_INDEX, _BELOW, _COMPANION):
            with suppress(FileNotFoundError):
                found += self._file(chain, suffix).stat().st_size
        return found

    def keep_only(self, keys: Collection[str]) -> int:
        """Remove all other indexes and what dead processes left; return the bytes freed."""
        found = self._keys()
        return sum(self._remove(key, _DEBRIS if key in keys else _ALL) for key in found)

    def recover(self) -> None:
        """Remove what dead processes left; where they left nothing, nothing is written."""
        for key in self._keys():
            if any((self._folder / f"{key}{suffix}").exists() for suffix in (_NEW, _LOCK)):
                self._remove(key, _DEBRIS)

    def _remove(self, key: str, suffixes: Collection[str]) -> int:
        """Remove files of a chain, unless they are being made; return the bytes freed."""
        with suppress(Conflict), self._locked(key, waiting=_busy), disk_errors(self._folder):
            return sum(_unlink(self._folder / f"{key}{suffix}") for suffix in suffixes)
        return 0

    def _read(self, chain: Chain, *, below_overlay: bool) -> Index | None:
        path = self._file(chain, _INDEX)
        key = key_of(chain)
        if below_overlay and self._file(chain, _BELOW).exists():
            path, key = self._file(chain, _BELOW), f"{key}-below"
        try:
            tags = _device_tags(path)
        except (FileNotFoundError, ValueError, InvalidImage):
            return None
        with disk_errors(self._folder):
            return self._found(chain, key, path, tags)

    def _found(self, chain: Chain, key: str, path: Path, tags: list[bytes]) -> Index | None:
        layers = {tag(layer): layer for layer in chain.layers}
        devices: list[Path] = []
        for each in tags:
            if each in layers:
                devices.append(self._layers.tar(layers[each]))
            elif each == COMPANION and self._file(chain, _COMPANION).exists():
                devices.append(self._file(chain, _COMPANION))
            else:
                return None
        return Index(key, path, tuple(devices))

    def _make(self, chain: Chain) -> None:
        from nacre.storage.erofs.tree import plan

        for layer in dict.fromkeys(chain.layers):
            # Before the table is asked for: a layer that is only compressed is then read once.
            self._layers.tar(layer)
        tree = self.tree(chain)
        planned = plan(tree)
        with disk_errors(self._folder):
            if planned.written_out:
                from nacre.storage.erofs.companion import write_companion

                self._write(
                    chain, _COMPANION, lambda out: write_companion(out, planned, self._layers)
                )
            if planned.overlaid:
                self._write_image(chain, _BELOW, plan(tree, below_overlay=True), tree)
            self._write_image(chain, _INDEX, planned, tree)

    def _write_image(self, chain: Chain, suffix: str, planned: Plan, tree: Tree) -> None:
        from nacre.erofs.writer import write_image
        from nacre.layers.union import BadLayer

        def write(out: BinaryIO) -> None:
            write_image(out, planned.source, planned.devices)

        try:
            self._write(chain, suffix, write)
        except InvalidTree as problem:
            layer = tree.resolve(problem.path, follow=False).layer
            raise BadLayer(str(problem), layer=layer, path=problem.path) from problem

    def _write(self, chain: Chain, suffix: str, write: Callable[[BinaryIO], None]) -> None:
        new = self._file(chain, _NEW)
        try:
            _unlink(new)
            with new.open("xb") as out:
                write(out)
                out.flush()
                os.fsync(out.fileno())
            new.rename(self._file(chain, suffix))
        except BaseException:
            _unlink(new)
            raise
        sync_folder(self._folder)

    def _file(self, chain: Chain, suffix: str) -> Path:
        return self._folder / f"{key_of(chain)}{suffix}"

    def _keys(self) -> set[str]:
        try:
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return set()
        return {match[1] for name in names if (match := _OWN.fullmatch(name))}

    @contextmanager
    def _locked(self, key: str, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        lock = self._folder / f"{key}{_LOCK}"
        with ExitStack() as stack:
            with disk_errors(self._folder):
                make_folder(self._folder, _PRIVATE)
                stack.enter_context(locked_file(lock, waiting=waiting))
            # While it is held, so that whoever waits for it notices.
            stack.callback(lock.unlink, missing_ok=True)
            yield


def _device_tags(path: Path) -> list[bytes]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        return [device.tag for device in Image(data).devices]


def _busy() -> None:
    raise Conflict("the index is being made")


def _unlink(path: Path) -> int:
    with suppress(FileNotFoundError):
        size = path.stat().st_blocks * 512
        path.unlink()
        return size
    return 0
