"""Mounts that processes share: one of each tree, made by the first user and ended by the last.

Whoever uses a tree holds a shared lock on its lease, which ends with its process however that
ends. What changes (mounting, leasing, unmounting) happens behind one gate, a lock on a file, so
nobody enters while another leaves. A tree may also be attached to folders of the user's: the
kernel's list of mounts is the only record of that, and while such a mount of the same file system
is there, the shared one stays. What killed processes left is cleared away by ``recover``, or is
simply used by whoever comes next. ::

    <folder>/<mount namespace>/gate           locked while something changes
    <folder>/<mount namespace>/<key>.lease    locked by each process that uses a tree
    <folder>/<mount namespace>/<key>/         where it is mounted

Mounts are seen in one mount namespace, so each has records of its own; they go with the last mount,
or, when processes were killed, by ``recover`` outside of the namespace that is gone. The folder
should be one that is empty after a reboot, as the mounts are gone then.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from nacre.content.diskerrors import disk_errors
from nacre.content.durable import make_folder
from nacre.content.locking import is_locked, locked_file, remove_unlocked
from nacre.errors import Conflict, Invalid, NotFound
from nacre.storage.mount_namespaces import living, own
from nacre.storage.mounting import bind, mounts, unmount

_PRIVATE = 0o700
_GATE, _LEASE = "gate", ".lease"
_TRIES = 1000  # a folder may go as often before one gives up to lock its gate

Mounter = Callable[[Path], None]
"""Mounts a tree on an empty folder. Everything that takes long should be done before."""


class SharedMounts:
    """The shared mounts of one store, safe for many processes and threads at once.

    Args:
        folder: where they are, for nobody else; made when first used.
        unmount: unmounts a folder; raises as `nacre.storage.mounting.unmount`.
        namespace: whose mounts; those of this process if None.
    """

    def __init__(
        self,
        folder: Path,
        *,
        unmount: Callable[[Path], None] = unmount,
        namespace: int | None = None,
    ) -> None:
        self._unmount = unmount
        self._name = folder.name
        self._all = folder
        self.namespace = namespace or own()
        """The number of the mount namespace."""
        self._folder = folder / str(self.namespace)

    @contextmanager
    def mounted(self, key: str, mount: Mounter) -> Iterator[Path]:
        """Give the root of a tree for as long as the context lasts.

        Args:
            key: names the tree: letters, digits and dashes.
            mount: mounts it, if nobody has.

        Raises:
            Denied, Unavailable: the run folder cannot be written to, or as ``mount`` raises.
        """
        with self._gate():
            place = self._mount(key, mount)
            lease = _shared_lock(self._lease(key))
        try:
            yield place
        finally:
            os.close(lease)
            with self._gate():
                self._settle(key)

    def attach(self, key: str, mount: Mounter, folder: Path) -> None:
        """Let a tree appear in a folder until ``detach``, whoever else comes and goes.

        Raises:
            NotFound, Invalid: there is no such folder.
            Conflict: something is mounted there.
            Denied, Unavailable: as ``mounted``.
        """
        at = _existing(folder)
        with self._gate():
            if any(mounted.point == at for mounted in mounts()):
                raise Conflict(f"something is mounted at {folder}", remedy="choose another folder")
            place = self._mount(key, mount)
            try:
                bind(place, at)
            finally:
                self._settle(key)

    def detach(self, folder: Path) -> None:
        """End what ``attach`` began.

        Raises:
            NotFound: no tree of ours is attached there.
            Conflict: somebody uses it.
        """
        at = Path(os.path.realpath(folder))
        key = dict(self.attached()).get(at)
        if key is None:
            raise NotFound(f"no image is mounted at {folder}")
        with self._gate():
            self._unmount(at)
            self._settle(key)

    def attached(self) -> Iterator[tuple[Path, str]]:
        """Go through the folders where whole trees are attached, with their keys."""
        own = {device: key for key in self.recorded() if (device := self._device(key)) is not None}
        # Of several mounts on one folder only the last one shows.
        for point, mounted in {mounted.point: mounted for mounted in mounts()}.items():
            key = own.get(mounted.device)
            if key and mounted.root == Path("/") and not self._is_shared(point, key):
                yield point, key

    def in_use(self) -> set[str]:
        """Return the keys of the trees that a process uses or that are attached.

        What is used in another mount namespace is not known here, so whatever has a record does.
        """
        used = {key for other in self._others() for key in other.recorded()}
        if self._folder.exists():
            with self._gate():
                used |= {key for key in self.recorded() if self._is_used(key)}
        return used

    def recover(self) -> None:
        """Clear away what dead processes left."""
        self.tidy()
        if others := self._others():
            alive = living()
            for other in others:
                if alive is not None and other.namespace not in alive:
                    other.tidy()

    def tidy(self) -> None:
        """Clear away what dead processes left that had these very mounts."""
        if not self._folder.exists():
            return
        with self._gate():
            for key in self.recorded():
                self._settle(key)

    def _others(self) -> list[SharedMounts]:
        """Return those of other mount namespaces."""
        try:
            names = {path.name for path in self._all.iterdir()} - {self._folder.name}
        except FileNotFoundError:
            return []
        numbers = sorted(int(name) for name in names if name.isdigit())
        return [SharedMounts(self._all, unmount=self._unmount, namespace=one) for one in numbers]

    def _mount(self, key: str, mount: Mounter) -> Path:
        place = self._place(key)
        if self._device(key) is None:
            with disk_errors(self._folder):
                place.mkdir(mode=_PRIVATE, exist_ok=True)
            try:
                mount(place)
            except BaseException:
                self._settle(key)
                raise
        return place

    def _settle(self, key: str) -> None:
        """Unmount what nobody uses. What the kernel says is busy stays for the next to try."""
        if self._is_used(key):
            return
        place = self._place(key)
        with disk_errors(self._folder), suppress(Conflict):
            if self._device(key) is not None:
                self._unmount(place)
            with suppress(FileNotFoundError):
                place.rmdir()
            remove_unlocked(self._lease(key))

    def _is_used(self, key: str) -> bool:
        # Nobody asks this outside the gate: for a moment, to ask is to lock.
        if is_locked(self._lease(key)):
            return True
        device = self._device(key)
        return device is not None and any(
            mounted.device == device and not self._is_shared(mounted.point, key)
            for mounted in mounts()
        )

    def _device(self, key: str) -> int | None:
        """Return which device the shared mount of a tree is; None when it is not mounted."""
        try:
            device = self._place(key).stat().st_dev
        except FileNotFoundError:
            return None
        return device if device != self._folder.stat().st_dev else None

    def _is_shared(self, point: Path, key: str) -> bool:
        """Say whether a mount is the shared one, or what became of it where /run is seen twice."""
        return point.parts[-3:] == (self._name, self._folder.name, key)

    def recorded(self) -> list[str]:
        """Return the keys of the trees that have a record, used or not."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        return sorted({name.removesuffix(_LEASE) for name in names} - {_GATE})

    def _place(self, key: str) -> Path:
        return self._folder / key

    def _lease(self, key: str) -> Path:
        return self._folder / f"{key}{_LEASE}"

    @contextmanager
    def _gate(self) -> Iterator[None]:
        with ExitStack() as stack:
            with disk_errors(self._folder):
                self._lock(stack)
                # While it is locked, so that whoever waits for it notices.
                stack.callback(self._close_down)
            yield

    def _lock(self, stack: ExitStack) -> None:
        for left in reversed(range(_TRIES)):
            try:
                make_folder(self._folder, _PRIVATE)
                stack.enter_context(locked_file(self._folder / _GATE))
            except (FileNotFoundError, FileExistsError):
                # Whoever was there last takes the folder along, perhaps just now.
                if not left:
                    raise
            else:
                return

    def _close_down(self) -> None:
        """Remove the folder if it holds nothing but the gate."""
        if not self.recorded():
            with suppress(OSError):
                (self._folder / _GATE).unlink()
                self._folder.rmdir()


def _shared_lock(path: Path) -> int:
    """Open a file, made when missing, and share its lock until it is closed."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _existing(folder: Path) -> Path:
    at = Path(os.path.realpath(folder))
    if not at.exists():
        raise NotFound(f"folder {folder} does not exist", remedy="make it first")
    if not at.is_dir():
        raise Invalid(f"{folder} is no folder")
    return at
