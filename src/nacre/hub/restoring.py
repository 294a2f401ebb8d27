"""Making a hub's database again from its journal and its bytes."""

from __future__ import annotations

import os
from pathlib import Path

from nacre.content.durable import sync_folder
from nacre.errors import Conflict, NotFound, Unavailable
from nacre.hub.configuration.settings import Settings
from nacre.hub.opening import now, records_of
from nacre.hub.rebuilding import Rebuilder, Rebuilt
from nacre.hub.storage.folder import FolderPlace
from nacre.hub.storage.journal import FolderJournal

_BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database; beside another one it would do harm."""


async def rebuild(settings: Settings, *, verify: bool) -> Rebuilt:
    """Make the database, which must not be there; it appears when it is finished.

    Raises:
        Conflict: there is one.
        NotFound: there is no journal.
        Unavailable: the folder cannot be written.
    """
    path = settings.records
    if path.exists():
        raise Conflict(
            f"there are records already: {path}",
            remedy="stop the hub and move this file away first",
        )
    journal = FolderJournal(settings.journal)
    if journal.extent() is None:
        raise NotFound(
            f"there is no journal in {settings.journal}",
            remedy=f"put {path.name} back from a backup",
        )
    new = path.with_name(f"{path.name}.new")
    try:
        _remove(new)
        async with records_of(settings, new) as records:
            place = FolderPlace(settings.blobs)
            rebuilt = await Rebuilder(records, journal, place, now=now, verify=verify).rebuild()
        _put_in_place(new, path)
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}") from error
    finally:
        _remove(new)
    return rebuilt


def _put_in_place(new: Path, path: Path) -> None:
    """Let a closed database appear under its name, unless there is one by now."""
    owner = path.parent.stat()
    if os.geteuid() == 0:
        # Whoever repairs the hub need not be who runs it.
        os.chown(new, owner.st_uid, owner.st_gid)
    for suffix in _BESIDE:
        left = path.with_name(path.name + suffix)
        if left.exists():
            # Of the old database, which somebody may still want to look into.
            left.replace(left.with_name(f"{left.name}.old"))
    try:
        os.link(new, path)
    except FileExistsError:
        raise Conflict(f"there are records by now: {path}") from None
    sync_folder(path.parent)


def _remove(new: Path) -> None:
    for suffix in ("", *_BESIDE):
        new.with_name(new.name + suffix).unlink(missing_ok=True)
