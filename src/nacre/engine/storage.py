"""The storage of an engine: which driver, and what is mounted of which image.

Nothing is tried, made or mounted before it is asked for. A store may have been used with several
drivers: what each of them keeps and has mounted is known here, whichever is chosen now. What
is not needed by whoever mounts the usual way is imported late: commands are to start quickly.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from nacre.content.diskerrors import disk_errors
from nacre.content.durable import make_folder
from nacre.engine.run_folders import claim
from nacre.errors import NacreError, NotFound, Unavailable, Unsupported
from nacre.images.rawtars import BlobTars
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.detect import Probe, Survey, choose, inside, survey
from nacre.storage.driver import StorageDriver
from nacre.storage.erofs.driver import ErofsDriver
from nacre.storage.mounts import SharedMounts
from nacre.storage.namespace import answer_inside, enter, usual_ownership
from nacre.storage.scratch import scratches_in
from nacre.storage.trials import clear_trials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.local import LocalStore
    from nacre.engine.settings import Settings


def _probe_erofs(folder: Path) -> str | None:
    from nacre.storage.erofs.probe import probe

    return probe(folder)


def _probe_overlay(folder: Path) -> str | None:
    from nacre.storage import overlay

    return overlay.probe(folder)


def _probe_fuse(folder: Path) -> str | None:
    from nacre.storage import fuse

    return fuse.probe(folder)


def _probe_copying(folder: Path) -> str | None:
    from nacre.storage import copying

    return copying.probe(folder)


PROBES: Mapping[str, Probe] = {
    "erofs": _probe_erofs,
    "overlay": inside(_probe_overlay),
    "fuse": _probe_fuse,
    "copying": _probe_copying,
}
"""How each driver is tried, the quickest first."""

_PRIVATE = 0o700
_STACKED = {"overlay", "fuse"}  # may share folders, but do not know what the other has mounted
_MADE_INSIDE = ("folders/user", "copies/kept")  # an ordinary user cannot remove them outside
_INSIDE = frozenset({"overlay"})  # what an ordinary user can do in a user namespace only


class Storage:
    """The storage drivers of one store.

    Args:
        settings: where the store is, and which driver is asked for.
        store: the store.
    """

    def __init__(self, settings: Settings, store: LocalStore) -> None:
        self._store = store
        self.forced = settings.storage_driver
        """The driver that is asked for; empty when it is left to us."""
        self._keep = settings.keep
        self._folder = settings.root / "storage"
        self._run = settings.run_of_store

    @cached_property
    def driver(self) -> StorageDriver:
        """The driver to use, after what dead processes left has been cleared away.

        An ordinary user's process may enter a user namespace for it, and stays inside.

        Raises:
            NoDriver: none works here, or not the one that is asked for.
            Denied, Unavailable: the store cannot be written to.
        """
        name = self._chosen()
        if self.is_apart:
            self._recover_outside(name)
            enter()
        return self._tidied(name)

    def driver_for(self, unpack: bool | None) -> StorageDriver | None:
        """Return the driver to unpack with, None for not unpacking.

        Args:
            unpack: whether to; None to do so unless this process would have to enter a user
                namespace, which a program of many threads cannot, and others may not want.

        Raises:
            NoDriver, Denied, Unavailable: as ``driver``.
        """
        if self._keep == "compressed":
            return None
        if unpack is None:
            unpack = not self.is_apart
        return self.driver if unpack else None

    @property
    def is_apart(self) -> bool:
        """Whether this process would have to enter a user namespace for the driver."""
        return os.geteuid() != 0 and self._chosen() in _INSIDE

    def survey(self) -> tuple[str, Survey]:
        """Return the name of the driver to use and what was found of all.

        Raises:
            NoDriver, Denied, Unavailable: as ``driver``.
        """
        self._begin()
        found = survey(self._folder, PROBES)
        return self._chosen(), found

    def attached(self) -> Iterator[tuple[Path, Digest]]:
        """Go through the folders where images are mounted, with the IDs of their chains."""
        for driver in self._mounting():
            yield from driver.attached()

    def attach(self, chain: Chain, folder: Path) -> None:
        """Mount a tree in a folder; see `StorageDriver`.

        Raises:
            Unsupported: also where the mount would end with this process.
        """
        if self.is_apart:
            raise Unsupported(
                "what an ordinary user mounts with the storage driver overlay is seen inside "
                "'nacre unshare' only",
                remedy="run it in there, or use --storage-driver fuse",
            )
        self.driver.attach(chain, folder)

    def detach(self, folder: Path) -> None:
        """Unmount an image from a folder, whichever driver mounted it.

        Raises:
            NotFound: none is mounted there.
            Conflict: it is in use.
        """
        for driver in self._mounting():
            with suppress(NotFound):
                driver.detach(folder)
                return
        raise NotFound(f"no image is mounted at {folder}")

    def size(self, layer: Digest) -> int:
        """Return how many bytes of disk the drivers use for a layer besides blobs."""
        return sum(driver.size(layer) for driver in self._used if not driver.in_place)

    def tree_size(self, chain: Chain) -> int:
        """Return how many bytes of disk the drivers use for a chain beyond its layers."""
        return sum(driver.tree_size(chain) for driver in self._used)

    @cached_property
    def _used(self) -> list[StorageDriver]:
        """All drivers, of which some may have something; none where none was ever used."""
        return [self._make(name) for name in PROBES] if self._folder.exists() else []

    def prune(self, alive: Collection[Chain]) -> int:
        """Remove what neither these chains nor a writable top need; return the bytes freed.

        Of drivers that are not the chosen one, only what writable tops need is kept.
        """
        if not self._folder.exists():
            return 0
        if self.is_apart:
            self._recover_outside(self._chosen())
            return self._prune_inside(alive)
        freed = self._prune(self.driver, alive)
        if os.geteuid() != 0 and any((self._folder / name).exists() for name in _MADE_INSIDE):
            with suppress(NacreError):
                freed += self._prune_inside(alive)
        return freed

    def _prune_inside(self, alive: Collection[Chain]) -> int:
        # In a child: only a process without threads can enter, and it could not leave again.
        name = self._chosen()
        answer = answer_inside(lambda: str(self._prune(self._tidied(name), alive)))
        if not answer.isdigit():
            raise Unavailable(answer, remedy="run it again")
        return int(answer)

    def _prune(self, driver: StorageDriver, alive: Collection[Chain]) -> int:
        needed = [scratch.chain for scratch in scratches_in(self._folder / "scratch")]
        freed = driver.prune([*needed, *alive])
        for name in PROBES:
            # Who cannot use a driver may not be able to remove what it made.
            with suppress(NacreError):
                if name != driver.name and {name, driver.name} != _STACKED:
                    freed += self._tidied(name).prune(needed)
        return freed

    def _chosen(self) -> str:
        self._begin()
        memory = self._run / "driver"
        return choose(self._folder, PROBES, forced=self.forced, memory=memory)

    def _begin(self) -> None:
        with disk_errors(self._folder):
            make_folder(self._folder, _PRIVATE)
        clear_trials(self._folder)
        claim(self._run, self._folder.parent)

    def _mounting(self) -> list[StorageDriver]:
        """Return the drivers that may have mounted something since this machine was started."""
        return [self._make(name) for name in PROBES if (self._run / name).exists()]

    def _recover_outside(self, name: str) -> None:
        """Clear away what dead processes left in namespaces of theirs; inside it is not seen."""
        SharedMounts(self._run / name).recover()
        if (self._run / "fuse").exists():
            self._tidied("fuse")

    def _tidied(self, name: str) -> StorageDriver:
        driver = self._make(name)
        driver.recover()
        return driver

    def _make(self, name: str) -> StorageDriver:
        layers, run = self._store.layers, self._run / name
        if name == "erofs":
            tars = BlobTars(self._store.blobs)
            return ErofsDriver(self._folder, layers, tars, SharedMounts(run))
        ownership = usual_ownership()
        if name == "overlay":
            from nacre.storage import overlay

            return overlay.overlay_driver(
                self._folder, layers, SharedMounts(run), ownership=ownership
            )
        if name == "fuse":
            from nacre.storage import fuse

            return fuse.fuse_driver(self._folder, layers, run, ownership=ownership)
        from nacre.storage import copying

        return copying.CopyingDriver(self._folder, layers, ownership=ownership)


def working(storage: Storage) -> tuple[str, Mapping[str, str]]:
    """Return the driver's name, empty when there is none, and what there is to say of each."""
    try:
        name, found = storage.survey()
    except NacreError as problem:
        return "", {"problem": str(problem)}
    why = "as was asked for" if storage.forced else "the quickest that works"
    said = {each: problem or "works" for each, problem in found.problems.items()}
    return name, {"chosen": why, **said}
