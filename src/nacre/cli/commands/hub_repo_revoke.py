"""``nacre hub repo revoke``: take a user's role away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.hub.repositories.access import canonical

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = hub_data.FLAGS


def run(given: Given, console: Console) -> int:
    """Take the role away."""
    place, user = given.words
    name = place if place.endswith("/") else canonical(place)
    hub_data.with_records(given, lambda records: records.repositories.grant(name, user, None))
    console.line(place)
    return 0
