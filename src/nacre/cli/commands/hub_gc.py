"""``nacre hub gc``: remove what nobody can name any more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import switch
from nacre.cli.render.units import human_size
from nacre.hub.configuration.units import written_duration
from nacre.hub.jobs.collecting import Collector
from nacre.hub.opening import now
from nacre.hub.storage.folder import FolderPlace

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.configuration.settings import Settings
    from nacre.hub.jobs.queue import Collected
    from nacre.hub.records import Records

FLAGS = (
    *hub_data.FLAGS,
    switch("all", "Spare nothing; only while nobody pushes or pulls", "a"),
    switch("dry-run", "Only say what would be removed"),
)
MORE = """\
The hub does this by itself; by hand it happens without waiting for the day
that a blob which no manifest needs is kept. Beside a running hub that is
safe: blobs that were pushed, or asked for, within the last hour stay, so that
pushes under way can end, and bytes keep the time that readers have. With
--all they do not.
"""
_SPARE = timedelta(hours=1)
"""The time in which a client is sure to go on with what it was told."""


def run(given: Given, console: Console) -> int:
    """Collect, and say what became free."""
    spare = timedelta(0) if given.all else _SPARE

    async def collect(records: Records, settings: Settings) -> tuple[Collected, timedelta]:
        collection = settings.options.collection
        if given.dry_run:
            return await records.garbage.would_collect(now(), spare=spare), collection.trash
        collector = Collector(
            records.garbage,
            records.uploads,
            FolderPlace(settings.blobs),
            upload_idle=collection.upload_idle,
            now=now,
        )
        return await collector.collect_at_once(spare=spare), collection.trash

    removed, wait = hub_data.with_hub(given, collect)
    verb = "Would delete" if given.dry_run else "Deleted"
    console.line(f"{verb} manifests: {removed.manifests}")
    console.line(f"{verb} links of repositories to blobs: {removed.links}")
    console.line(f"{verb} blobs: {removed.blobs}")
    space = "reclaimable" if given.dry_run else "reclaimed"
    console.line(f"Total {space} space: {human_size(removed.bytes)}")
    if removed.blobs and spare and not given.dry_run:
        console.note(f"the bytes go {written_duration(wait)} later, when nobody is reading them")
    return 0
