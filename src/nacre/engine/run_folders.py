"""The run folders of stores, one each, named by a digest of where the store is.

So that it can be told which store one belongs to, each has a link to it::

    <run>/<digest>/store     where the store is

Where that leads nowhere any more and nothing is mounted, nobody needs the folder.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from nacre.content.durable import make_folder

_PRIVATE = 0o700
_STORE = "store"


def claim(run: Path, root: Path) -> None:
    """Make the run folder of a store; the first to do so clears away those of stores that are gone.

    Where that cannot be, nothing is done: it is for tidiness alone.
    """
    link = run / _STORE
    if link.is_symlink():
        return
    with suppress(OSError):
        make_folder(run, _PRIVATE)
        link.symlink_to(root.absolute())
        for other in run.parent.iterdir():
            with suppress(OSError):
                _remove_if_gone(other)


def _remove_if_gone(run: Path) -> None:
    link = run / _STORE
    if not link.is_symlink() or link.exists():
        return
    files = []
    for path in run.iterdir():
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # with mounts or locks in it, this fails, and all stays
        elif path != link:
            files.append(path)
    for path in (*files, link):
        path.unlink()
    run.rmdir()
