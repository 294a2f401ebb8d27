"""Whether the driver ``erofs`` works here: tried on a tree of one file."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nacre.erofs.inode import Device, Inode
from nacre.erofs.source import InodeTree
from nacre.erofs.writer import write_image
from nacre.errors import NacreError
from nacre.layers.entry import Kind
from nacre.storage.erofs.driver import OVERLAY_OPTIONS
from nacre.storage.mounting import mount_erofs, mount_overlay, unmount
from nacre.storage.trials import trial_folder

_CONTENT = b"mother-of-pearl"


def probe(folder: Path) -> str | None:
    """Return why the driver does not work in a folder, None if it does.

    Args:
        folder: where the store is, or would be; it exists.
    """
    try:
        with trial_folder(folder) as place:
            try:
                return _try(place)
            except NacreError as problem:
                reason = f"{problem}; {problem.remedy}" if problem.remedy else str(problem)
                return re.sub(rf"{re.escape(str(place))}(/\w+)?", lambda _: str(folder), reason)
    except OSError as problem:
        return f"{folder} cannot be used: {os.strerror(problem.errno or 0)}"


def _try(scratch: Path) -> str | None:
    image, tar, lower, upper, work, tree = (
        scratch / name for name in ("image", "tar", "lower", "upper", "work", "tree")
    )
    for one in (lower, upper, work, tree):
        one.mkdir()
    tar.write_bytes(_CONTENT.ljust(512, b"\0"))
    file = Inode(Kind.REG, size=len(_CONTENT))
    with image.open("wb") as out:
        root = Inode(Kind.DIR, 0o755, children={b"f": file})
        write_image(out, InodeTree(root), [Device(b"tar", 512)])
    mount_erofs(image, [tar], lower)
    try:
        mount_overlay([lower], tree, upper=upper, work=work, options=OVERLAY_OPTIONS)
        try:
            (tree / "g").write_bytes((tree / "f").read_bytes())
            (tree / "f").unlink()
            return None if (tree / "g").read_bytes() == _CONTENT else "it reads wrong bytes"
        finally:
            unmount(tree)
    finally:
        unmount(lower)
