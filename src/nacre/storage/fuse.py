"""The storage driver ``fuse``: the folders of the driver ``overlay``, stacked by fuse-overlayfs.

It needs no privileges and no user namespace, only ``/dev/fuse`` and, for an ordinary user,
``fusermount3``. Each mount is served by a process of its own, which ends with the mount. If the
process dies first, the mount stays, dead; it is found and cleared away before the next use.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from nacre.errors import Denied, NacreError, Unavailable, Unsupported
from nacre.layers.errors import shown
from nacre.layers.ownership import KEEP, Ownership
from nacre.layers.toc import Toc
from nacre.layers.whiteout import OPAQUE, PREFIX, Overlay, Role
from nacre.oci.digest import Digest
from nacre.storage.folders import Folders
from nacre.storage.fuse_mounts import FuseMounts, unmount_served
from nacre.storage.fuse_processes import PROGRAM
from nacre.storage.layers import Layers
from nacre.storage.mounting import mounts
from nacre.storage.overlay import folder_of, usual_form
from nacre.storage.scratch import Scratch, Scratches
from nacre.storage.stacked import StackedDriver, trial
from nacre.storage.trials import trial_folder

NAME = "fuse"

_OPAQUE_TOO = PREFIX + b".opq"  # it makes this device beside the usual marker
_OWN_XATTRS = "user.fuseoverlayfs."
_OBEYED = (
    os.fsencode(_OWN_XATTRS),
    b"security.fuseoverlayfs.",
    b"user.containers.override_stat",
    Overlay.USER.value,  # also where the folders have the other form; that one is always escaped
)
"""What the names of attributes begin with that fuse-overlayfs obeys."""
_FUSE_DEVICE = Path("/dev/fuse")


def check_layer(toc: Toc, form: Overlay) -> None:
    """See that fuse-overlayfs takes nothing of a layer for something of its own.

    Args:
        toc: the layer.
        form: the form of its folder, in which overlayfs's attributes are escaped.

    Raises:
        Unsupported: it would, and so show another tree.
    """
    _check_names(toc)
    _check_attributes(toc, form)


def _check_names(toc: Toc) -> None:
    """See that no name looks like a whiteout and is none: ``.wh.a/b`` in a tar."""
    for path, role in zip(toc.paths, toc.roles, strict=True):
        is_suspect = PREFIX in path and role == Role.ENTRY
        if is_suspect and any(part.startswith(PREFIX) for part in path.split(b"/")):
            raise _cannot_show(path, "takes such a name for a whiteout")


def _check_attributes(toc: Toc, form: Overlay) -> None:
    for row, xattrs in toc.xattrs.items():
        for name, _ in xattrs:
            if name.startswith(_OBEYED) and form.escaped(name) == name:
                raise _cannot_show(toc.paths[row], f"obeys its attribute {shown(name)}")


def _cannot_show(path: bytes, why: str) -> Unsupported:
    return Unsupported(
        f"the storage driver fuse cannot show {shown(path)}: fuse-overlayfs {why}",
        remedy="use another, see 'nacre info'",
    )


class FuseOverlay:
    """Stacks folders with fuse-overlayfs; see `nacre.storage.stacked.Stacker`.

    Args:
        form: where the folders have overlayfs's attributes.
        owner: names the store in the list of mounts.
    """

    def __init__(self, form: Overlay, *, owner: str) -> None:
        self._form = form
        self._owner = owner

    def mount(
        self, lowers: Sequence[Path], at: Path, *, label: str, top: Scratch | None = None
    ) -> None:
        """Mount folders on top of each other; returns when the process that serves them does."""
        writable = [("upperdir", top.upper), ("workdir", top.work)] if top else []
        # Short, and none of the characters that mean something between the options.
        here = Path(os.path.commonpath([*lowers, *(path for _, path in writable)]))
        options = [
            f"lowerdir={':'.join(str(path.relative_to(here)) for path in lowers)}",
            *(f"{name}={path.relative_to(here)}" for name, path in writable),
            f"fsname={self._owner}" if top else f"fsname={self._owner}:{label}",
            *(() if writable else ("ro",)),
        ]
        command = [PROGRAM, "-o", ",".join(options), str(at)]
        try:
            done = subprocess.run(command, cwd=here, capture_output=True, check=False)
        except FileNotFoundError as problem:
            raise Unsupported(f"{PROGRAM} is not installed", remedy="install it") from problem
        if done.returncode:
            raise _failure(at, done.stderr.decode(errors="replace"))

    def unmount(self, at: Path) -> None:
        """Unmount them, and wait for the process that served them."""
        unmount_served(at)

    def settle(self, upper: Path) -> None:
        """Bring a top into the form of overlayfs: fuse-overlayfs also has markers of its own."""
        for _, folders, files, fd in os.fwalk(upper):
            there = f"/proc/self/fd/{fd}/"  # with a slash it is the folder, without it a link
            for marker in filter(_is_marker, map(os.fsencode, files)):
                os.unlink(marker, dir_fd=fd)
                if marker == OPAQUE:
                    os.setxattr(there, *self._form.opaque)
                elif marker != _OPAQUE_TOO:
                    os.mknod(marker.removeprefix(PREFIX), stat.S_IFCHR, 0, dir_fd=fd)
            for name in ("", *folders, *files):
                _remove_own_xattrs(there + name)


def fuse_driver(
    folder: Path, layers: Layers, run: Path, *, ownership: Ownership = KEEP
) -> StackedDriver:
    """Return the driver for the present process.

    Args:
        folder: where folders and writable tops lie.
        layers: the layers that are here.
        run: where trees are mounted; for this store and driver alone.
        ownership: how owners in layers become owners on disk.
    """
    form = usual_form()
    owner = f"nacre-{Digest.of(os.fsencode(folder.resolve())).short}"
    stacker = FuseOverlay(form, owner=owner)
    return StackedDriver(
        NAME,
        form,
        folders=Folders(
            folder_of(folder, form, ownership),
            layers,
            form=form,
            ownership=ownership,
            check=lambda toc: check_layer(toc, form),
        ),
        scratches=Scratches(folder / "scratch", NAME, end=lambda scratch: _end(stacker, scratch)),
        stacker=stacker,
        mounts=FuseMounts(run, stacker.unmount, owner=owner, may_bind=os.geteuid() == 0),
    )


def probe(folder: Path) -> str | None:
    """Return why the driver does not work in a folder, None if it does; it is tried.

    Args:
        folder: where the store is, or would be; it exists.
    """
    if not os.access(_FUSE_DEVICE, os.R_OK | os.W_OK):
        return f"{_FUSE_DEVICE} cannot be used"
    try:
        with trial_folder(folder) as place:
            form = usual_form()
            return trial(FuseOverlay(form, owner="trial"), form, place)
    except OSError as problem:
        return f"{folder} cannot be written to: {os.strerror(problem.errno or 0)}"


def _failure(at: Path, said: str) -> NacreError:
    reason = said.strip().splitlines()[-1].removeprefix(f"{PROGRAM}: ") if said.strip() else ""
    if "ermission denied" in reason or "not permitted" in reason:
        return Denied(f"we may not mount {at}: {reason}", remedy=f"allow the use of {_FUSE_DEVICE}")
    return Unavailable(f"{PROGRAM} cannot mount {at}: {reason}")


def _end(stacker: FuseOverlay, scratch: Scratch) -> None:
    """Unmount what a dead process left mounted."""
    if any(mount.point == scratch.tree for mount in mounts()):
        stacker.unmount(scratch.tree)


def _is_marker(name: bytes) -> bool:
    return name.startswith(PREFIX)


def _remove_own_xattrs(path: str) -> None:
    with suppress(OSError):  # links have none, and pipes cannot be asked everywhere
        for name in os.listxattr(path, follow_symlinks=False):
            if name.startswith(_OWN_XATTRS):
                os.removexattr(path, name, follow_symlinks=False)
