"""``nacre hub namespace set``: change what holds in a namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data, hub_kinds, hub_terms
from nacre.cli.flags import Flag
from nacre.errors import Invalid
from nacre.hub.accounts.names import InvalidUserName, is_user_name
from nacre.hub.repositories.policy import Policy
from nacre.oci.quoting import quoted

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.records import Records


FLAGS = (
    *hub_data.FLAGS,
    *hub_terms.FLAGS,
    Flag(
        "quota",
        hub_kinds.SIZE,
        None,
        'Bytes that its repositories may hold together, as in "10GB"; 0 lifts it',
    ),
)
MORE = """\
The visibility is that of repositories that are made in it from now on. Without
it, a namespace that is made here gets that of the setting registry.visibility.
"""


def run(given: Given, console: Console) -> int:
    """Change it."""
    name = given.words[0]
    if not is_user_name(name):
        raise Invalid(
            f"{quoted(name)} cannot be the name of a namespace", remedy=InvalidUserName.usual_remedy
        )

    async def change(records: Records) -> None:
        found = [each for each in await records.repositories.namespaces() if each.name == name]
        policy = found[0].policy if found else Policy()
        await records.repositories.change_namespace(
            name,
            visibility=given.visibility,
            policy=hub_terms.changed(policy, given),
            quota=given.quota,
        )

    hub_data.with_records(given, change)
    console.line(name)
    return 0
