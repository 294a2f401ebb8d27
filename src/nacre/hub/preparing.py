"""What has to be there before a hub can serve: its folder, its tables, somebody who runs it."""

from __future__ import annotations

from pathlib import Path

from nacre.errors import Unavailable
from nacre.hub.accounts.first import first_admin
from nacre.hub.logs import check_log_file
from nacre.hub.opening import records_of
from nacre.hub.settings import Settings


async def prepare(settings: Settings) -> str | None:
    """Make what is missing; return the password of a first admin that was made, else None.

    Raises:
        Unavailable: the folder cannot be made or written, or the log file.
        Unsupported: a newer hub has written the records.
    """
    try:
        # What is in it is nobody else's: blobs of private repositories, hashes, signing keys.
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.blobs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"cannot make the data folder {settings.data}: {error.strerror}",
            remedy="choose another with --data",
        ) from None
    if settings.options.log.file:
        check_log_file(Path(settings.options.log.file))
    async with records_of(settings) as records:
        return await first_admin(records.users)
