"""Shared mounts that processes serve: some may be dead, and an ordinary user cannot bind them.

So where binding is not possible, a tree is attached by one more mount of its own.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nacre.content.diskerrors import disk_errors
from nacre.content.durable import make_folder
from nacre.content.locking import locked_file
from nacre.errors import Conflict, Invalid, NotFound
from nacre.storage.fuse_processes import end_abandoned, label_of, servers, wait_for_end
from nacre.storage.mounting import mounts, unmount
from nacre.storage.mounts import Mounter, SharedMounts

_PRIVATE = 0o700
_GATE = "gate"
_KIND = "fuse.fuse-overlayfs"
_UNMOUNT = "fusermount3"


class FuseMounts:
    """The shared mounts of one store; see `nacre.storage.mounts.SharedMounts`.

    Args:
        run: where they are, for nobody else; made when first used.
        unmount: unmounts a folder.
        owner: what the label of each of them begins with; a colon and the key follow.
        may_bind: whether the present process may bind mounts, as root may.
    """

    def __init__(
        self, run: Path, unmount: Callable[[Path], None], *, owner: str, may_bind: bool
    ) -> None:
        self._shared = SharedMounts(run, unmount=unmount)
        self._run = Path(os.path.realpath(run))
        self._owner = owner
        self._prefix = f"{owner}:"
        self._unmount = unmount
        self._may_bind = may_bind

    @contextmanager
    def mounted(self, key: str, mount: Mounter) -> Iterator[Path]:
        """Give the root of a tree for as long as the context lasts."""
        self._bury()
        with self._shared.mounted(key, mount) as root:
            yield root

    def attach(self, key: str, mount: Mounter, folder: Path) -> None:
        """Let a tree appear in a folder until ``detach``."""
        self._bury()
        if self._may_bind:
            self._shared.attach(key, mount, folder)
            return
        at = Path(os.path.realpath(folder))
        with ExitStack() as stack:
            with disk_errors(self._run):
                make_folder(self._run, _PRIVATE)
                stack.enter_context(locked_file(self._run / _GATE))
            if any(mounted.point == at for mounted in mounts()):
                raise Conflict(f"something is mounted at {folder}", remedy="choose another folder")
            if not at.exists():
                raise NotFound(f"folder {folder} does not exist", remedy="make it first")
            if not at.is_dir():
                raise Invalid(f"{folder} is no folder")
            mount(at)

    def detach(self, folder: Path) -> None:
        """End what ``attach`` began."""
        if self._may_bind:
            self._shared.detach(folder)
            return
        at = Path(os.path.realpath(folder))
        if at not in dict(self.attached()):
            raise NotFound(f"no image is mounted at {folder}")
        self._unmount(at)

    def attached(self) -> Iterator[tuple[Path, str]]:
        """Go through the folders where trees are attached, with their keys."""
        if self._may_bind:
            self._bury()
            yield from self._shared.attached()
            return
        for at in _served():
            label = "" if at.is_relative_to(self._run) else label_of(at)
            if label.startswith(self._prefix):
                yield at, label.removeprefix(self._prefix)

    def in_use(self) -> set[str]:
        """Return the keys of the trees that a process uses or that are attached."""
        self._bury()
        return self._shared.in_use() | {key for _, key in self.attached()}

    def recover(self) -> None:
        """Clear away what dead processes left, also in namespaces that only they were in."""
        self._bury()
        end_abandoned(self._owner)
        self._shared.recover()

    def _bury(self) -> None:
        """Unmount what nobody serves any more."""
        for at in _served():
            if at.is_relative_to(self._run) and is_dead(at):
                self._unmount(at)


def _served() -> list[Path]:
    return [mounted.point for mounted in mounts() if mounted.kind == _KIND]


def unmount_served(at: Path) -> None:
    """Unmount what processes serve, and wait for them to end.

    Raises:
        NotFound: nothing is mounted there.
        Conflict: it is in use.
    """
    serving = servers(at)
    if os.geteuid() == 0:
        unmount(at, lazy=is_dead(at))
    else:
        _unmount_as_user(at)
    wait_for_end(serving)


def _unmount_as_user(at: Path) -> None:
    lazily = ["-z"] if is_dead(at) else []
    done = subprocess.run(
        [_UNMOUNT, "-u", *lazily, "--", str(at)], capture_output=True, check=False
    )
    if not done.returncode:
        return
    if not any(mount.point == at for mount in mounts()):
        raise NotFound(f"nothing is mounted at {at}")
    raise Conflict(f"{at} is in use", remedy="end the programs that use it")


def is_dead(at: Path) -> bool:
    """Say whether the process that served a mount is gone."""
    try:
        at.stat()
    except OSError as problem:
        return problem.errno == errno.ENOTCONN
    return False
