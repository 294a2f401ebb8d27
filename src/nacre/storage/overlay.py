"""The storage driver ``overlay``: a folder a layer, stacked by the kernel's overlayfs.

An ordinary user stacks inside a user namespace, see `nacre.storage.namespace`; there overlayfs
keeps its own attributes as ``user.overlay.*``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nacre.layers.ownership import KEEP, Ownership
from nacre.layers.whiteout import Overlay
from nacre.storage.folders import Folders
from nacre.storage.layers import Layers
from nacre.storage.mounting import mount_overlay, unmount
from nacre.storage.mounts import SharedMounts
from nacre.storage.namespace import is_initial
from nacre.storage.scratch import Scratch, Scratches
from nacre.storage.stacked import StackedDriver, trial
from nacre.storage.trials import trial_folder

NAME = "overlay"

# A top holds all that it changes, whole: so it can be packed without looking at what lies below.
_OPTIONS = {
    Overlay.TRUSTED: ("index=off", "redirect_dir=off", "metacopy=off"),
    Overlay.USER: ("index=off", "userxattr"),  # which turns the others off itself
}


class KernelOverlay:
    """Stacks folders with overlayfs; see `nacre.storage.stacked.Stacker`.

    Args:
        form: where overlayfs keeps its attributes.
    """

    def __init__(self, form: Overlay) -> None:
        self._options = _OPTIONS[form]

    def mount(
        self,
        lowers: Sequence[Path],
        at: Path,
        *,
        label: str,  # noqa: ARG002 - the kernel names its sources itself
        top: Scratch | None = None,
    ) -> None:
        """Mount folders on top of each other."""
        upper, work = (top.upper, top.work) if top else (None, None)
        mount_overlay(lowers, at, upper=upper, work=work, options=self._options)

    def unmount(self, at: Path) -> None:
        """Unmount them."""
        unmount(at)

    def settle(self, upper: Path) -> None:
        """Do nothing: the kernel writes its own form."""


def overlay_driver(
    folder: Path, layers: Layers, shared: SharedMounts, *, ownership: Ownership = KEEP
) -> StackedDriver:
    """Return the driver for the present process.

    Args:
        folder: where folders and writable tops lie.
        layers: the layers that are here.
        shared: the mounts of this store and driver.
        ownership: how owners in layers become owners on disk.
    """
    form = usual_form()
    return StackedDriver(
        NAME,
        form,
        folders=Folders(folder_of(folder, form, ownership), layers, form=form, ownership=ownership),
        scratches=Scratches(folder / "scratch", NAME),
        stacker=KernelOverlay(form),
        mounts=shared,
    )


def usual_form() -> Overlay:
    """Return where the present process can keep attributes of overlayfs."""
    return Overlay.TRUSTED if os.geteuid() == 0 and is_initial() else Overlay.USER


def folder_of(folder: Path, form: Overlay, ownership: Ownership) -> Path:
    """Return where folders lie that are stacked in one form and owned in one way."""
    kind = "recorded" if ownership.record else form.name.lower()
    return folder / "folders" / kind


def probe(folder: Path) -> str | None:
    """Return why the driver does not work in a folder, None if it does; it is tried.

    Args:
        folder: where the store is, or would be; it exists.
    """
    try:
        with trial_folder(folder) as place:
            form = usual_form()
            return trial(KernelOverlay(form), form, place)
    except OSError as problem:
        return f"{folder} cannot be written to: {os.strerror(problem.errno or 0)}"
