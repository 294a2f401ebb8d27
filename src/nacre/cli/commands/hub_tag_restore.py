"""``nacre hub tag restore``: bring back what a tag pointed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.flags import UsageError
from nacre.errors import NotFound
from nacre.oci.digest import Digest
from nacre.oci.quoting import quoted

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records

FLAGS = hub_data.FLAGS
MORE = """\
Without DIGEST a deleted tag points again to what it pointed to last, and one
that was moved to what it pointed to before. "nacre hub tag history" shows all
of them.
"""


def run(given: Given, console: Console) -> int:
    """Restore it, and print the digest."""
    name, _, tag = given.words[0].partition(":")
    if not tag:
        raise UsageError(f"{quoted(name)} names no tag", remedy="write REPOSITORY:TAG")
    wanted = Digest(given.words[1]) if len(given.words) > 1 else None

    async def restore(records: Records) -> Digest:
        repository = await hub_data.repository_of(records, name)
        digest = wanted or await _before(records, repository.id, tag)
        await records.manifests.restore(repository.id, tag, digest, by=hub_data.BY)
        return digest

    console.line(hub_data.with_records(given, restore))
    return 0


async def _before(records: Records, repository: int, tag: str) -> Digest:
    """Return what a tag pointed to before the last change.

    Raises:
        NotFound: nothing.
    """
    for event in await records.manifests.history(repository, tag, 1):
        if event.before is not None:
            return event.before
    raise NotFound(
        f"the tag {quoted(tag)} has not pointed to anything before",
        remedy="'nacre hub tag history' shows the changes of all tags",
    )
