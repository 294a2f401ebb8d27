"""What has to be there before a hub can serve: its folder, its tables, somebody who runs it."""

from __future__ import annotations

from nacre.errors import Unavailable
from nacre.hub.accounts.first import first_admin
from nacre.hub.settings import Settings
from nacre.hub.storage.sql import open_records


async def prepare(settings: Settings) -> str | None:
    """Make what is missing; return the password of a first admin that was made, else None.

    Raises:
        Unavailable: the folder cannot be made or written.
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
    async with open_records(settings.records) as records:
        return await first_admin(records.users)
