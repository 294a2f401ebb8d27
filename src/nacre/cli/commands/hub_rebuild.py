"""``nacre hub rebuild``: make lost records of a hub again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.cli.options import switch
from nacre.hub.restoring import rebuild

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (*hub_data.FLAGS, switch("verify", "Read all bytes and compare their digests"))
MORE = """\
For when hub.db is lost or damaged and there is no backup: stop the hub, move
hub.db away, and run this. Repositories come back with their images, tags and
policies; users, roles and the history of tags do not. The next start makes a
new admin. Exits with 1 when something could not be made again.
"""


def run(given: Given, console: Console) -> int:
    """Rebuild, and say what came back."""
    rebuilt = asyncio.run(rebuild(hub_data.settings_of(given), verify=given.verify))
    console.lines(sorted(rebuilt.problems))
    repositories = "repository" if rebuilt.repositories == 1 else "repositories"
    console.line(
        f"made {rebuilt.repositories} {repositories}, {_counted(rebuilt.manifests, 'manifest')}, "
        f"{_counted(rebuilt.tags, 'tag')} and {_counted(rebuilt.blobs, 'blob')}"
    )
    return int(bool(rebuilt.problems))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
