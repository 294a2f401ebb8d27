"""``nacre hub repo grant``: give a user a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data
from nacre.errors import Invalid
from nacre.hub.repositories.access import canonical
from nacre.hub.repositories.repository import Role
from nacre.oci.quoting import quoted

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = hub_data.FLAGS


def run(given: Given, console: Console) -> int:
    """Give the role."""
    place, user, role = given.words
    if role not in set(Role):
        raise Invalid(f"{quoted(role)} is no role", remedy=f"choose one of {', '.join(Role)}")
    name = place if place.endswith("/") else canonical(place)
    hub_data.with_records(given, lambda records: records.repositories.grant(name, user, Role(role)))
    console.line(place)
    return 0
