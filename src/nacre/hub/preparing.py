"""What has to be there before a hub can serve: its folder, its tables, somebody who runs it."""

from __future__ import annotations

import os
from pathlib import Path

from nacre.errors import Conflict, Unavailable
from nacre.hub.accounts.first import first_admin
from nacre.hub.configuration.settings import Settings
from nacre.hub.logs import check_log_file
from nacre.hub.opening import has_records, records_of
from nacre.hub.storage.journal import FolderJournal

_FOREIGN = "give it to the user that runs the hub, or choose another folder with --data"


async def prepare(settings: Settings) -> str | None:
    """Make what is missing; return the password of a first admin that was made, else None.

    Raises:
        Conflict: there is a journal of records that are gone.
        Unavailable: the folder cannot be made or used, or the log file.
        Unsupported: a newer hub has written the records.
    """
    _make_folders(settings)
    if not has_records(settings) and FolderJournal(settings.journal).extent() is not None:
        # New records would, in time, replace what the journal still knows.
        raise Conflict(
            f"{settings.records} is missing or empty, and {settings.journal} knows what was in it",
            remedy="put it back from a backup, run 'nacre hub rebuild', or move the journal away",
        )
    check_log(settings)
    async with records_of(settings) as records:
        return await first_admin(records.users)


def check_log(settings: Settings) -> None:
    """Check that the log file, if there is one, can be written.

    Raises:
        Unavailable: it cannot.
    """
    if settings.options.log.file:
        check_log_file(Path(settings.options.log.file))


def _make_folders(settings: Settings) -> None:
    """Make the folders that are missing, and see that they can be used: a push is too late."""
    try:
        # What is in it is nobody else's: blobs of private repositories, hashes, signing keys.
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.blobs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"cannot use the data folder {settings.data}: {error.strerror}", remedy=_FOREIGN
        ) from None
    for folder in (settings.blobs, settings.blobs / "b", settings.journal):
        if folder.exists() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise Unavailable(f"cannot read and write the folder {folder}", remedy=_FOREIGN)
