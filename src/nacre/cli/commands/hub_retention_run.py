"""``nacre hub retention run``: delete the tags that are not to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import switch
from nacre.hub.jobs.retention import Retainer
from nacre.hub.opening import now

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.configuration.settings import Settings
    from nacre.hub.records import Records
    from nacre.hub.repositories.repository import Repository

FLAGS = (
    *hub_data.FLAGS,
    switch("dry-run", "Only say what would be deleted"),
    switch("quiet", "Only show names", "q"),
)


def run(given: Given, console: Console) -> int:
    """Apply the policies, and print a line a tag."""
    verb = "would delete" if given.dry_run else "deleted"

    async def apply(records: Records, settings: Settings) -> None:
        immutable = settings.options.registry.immutable
        retainer = Retainer(records.inventory, records.manifests, immutable=immutable, now=now)

        async def one(repository: Repository) -> None:
            act = retainer.doomed if given.dry_run else retainer.retain
            for each in await act(repository):
                name = f"{repository.name}:{each.tag.name}"
                console.line(name if given.quiet else f"{verb}: {name}")

        if given.words:
            await one(await hub_data.repository_of(records, given.words[0]))
            return
        async for repository in retainer.repositories():
            await one(repository)

    hub_data.with_hub(given, apply)
    return 0
