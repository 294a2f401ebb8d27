"""Opening the records of a hub as its settings say: the server and the commands do it alike."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

from nacre.hub.configuration.settings import Settings
from nacre.hub.repositories.repository import Visibility
from nacre.hub.storage.sql import Keeping, SqlRecords, open_records


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def has_records(settings: Settings) -> bool:
    """Return whether there is a database; an empty file is what a failed copy leaves."""
    return settings.records.exists() and settings.records.stat().st_size > 0


def records_of(
    settings: Settings, path: Path | None = None
) -> AbstractAsyncContextManager[SqlRecords]:
    """Enter the records of a hub, or those in another file on the same terms.

    Raises:
        Unsupported: a newer hub has written the file.
        Busy: it cannot be opened, or is no database.
        OutOfSpace: the disk is full.
    """
    collection = settings.options.collection
    return open_records(
        path or settings.records,
        now=now,
        quota=settings.options.registry.quota,
        visibility=Visibility(settings.options.registry.visibility),
        keeping=Keeping(
            undo=collection.undo,
            grace=collection.grace,
            trash=collection.trash,
            untagged=collection.untagged,
        ),
    )
