"""``nacre hub fsck``: check that the records of a hub and its bytes fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.commands import hub_data, hub_kinds
from nacre.cli.flags import Flag
from nacre.cli.options import switch
from nacre.hub.configuration import units
from nacre.hub.jobs.checking import Checker, Fault
from nacre.hub.opening import now
from nacre.hub.storage.folder import FolderPlace

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.configuration.settings import Settings
    from nacre.hub.jobs.checking import Finding
    from nacre.hub.records import Records


FLAGS = (
    *hub_data.FLAGS,
    Flag(
        "older-than",
        hub_kinds.TIME,
        units.duration("24h"),
        "How old bytes without a record must be to count as stray",
    ),
    switch("repair", "Forget lost blobs, so that pushes bring them again; delete stray bytes"),
    switch("verify", "Read all bytes and compare their digests"),
)
MORE = """\
Exits with 1 when something is wrong and was not repaired. A manifest that
names what is not here is told but is not wrong: it may have been pushed so,
or a blob of it was lost; who has the image can push it again.
"""


def run(given: Given, console: Console) -> int:
    """Check, and print a line for whatever is found."""

    async def check(records: Records, settings: Settings) -> tuple[int, int]:
        place = FolderPlace(settings.blobs)
        checker = Checker(records.inventory, place, verify=given.verify, repair=given.repair)
        repaired = wrong = 0
        async for finding in checker.check(strays_before=now() - given.older_than):
            console.line(_line(finding))
            repaired += finding.is_repaired
            wrong += finding.is_wrong
        return repaired, wrong

    repaired, wrong = hub_data.with_hub(given, check)
    if repaired:
        console.line(f"{repaired} repaired")
    console.line(f"{wrong} wrong" if wrong else "nothing is wrong")
    return int(wrong > 0)


def _line(finding: Finding) -> str:
    text = f"{finding.fault} {finding.about}: {finding.detail}"
    if not finding.is_repaired:
        return text
    return f"{text}; {_REPAIRED.get(finding.fault, 'repaired')}"


_REPAIRED = {
    Fault.LOST: "forgotten",
    Fault.DAMAGED: "forgotten",
    Fault.STRAY: "deleted",
}
