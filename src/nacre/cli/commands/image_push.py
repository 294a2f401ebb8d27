"""``nacre push``: send an image to its registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nacre.cli.flags import UsageError
from nacre.cli.options import PLATFORM, PROGRESS, switch
from nacre.cli.report import reporting
from nacre.errors import NotFound
from nacre.oci import reference as references
from nacre.oci.reference import Reference

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    switch("all-tags", "Push all tags of an image to the repository", "a"),
    PLATFORM,
    *PROGRESS,
)


def run(given: Given, console: Console) -> int:
    """Push one tag, or all that this machine has of a repository."""
    reference = references.parse(given.words[0])
    wanted = _all_tags(reference, console) if given.all_tags else [reference.tagged()]
    with reporting(given, console, "push") as report:
        report.say(f"The push refers to repository [{reference.name}]")
        if not given.all_tags and not (reference.tag or reference.digest):
            report.say(f"Using default tag: {wanted[0].tag}")
    for each in wanted:
        _push(each, given, console)
    return 0


def _all_tags(reference: Reference, console: Console) -> Sequence[Reference]:
    if reference.tag or reference.digest:
        raise UsageError("tag can't be used with --all-tags/-a", remedy="leave out the tag")
    tags = console.engine.images.local_tags(reference.familiar_name)
    if not tags:
        raise NotFound(
            f"An image does not exist locally with the tag: {reference.familiar_name}",
            remedy="'nacre images' shows what is here",
        )
    return tags


def _push(reference: Reference, given: Given, console: Console) -> None:
    with reporting(given, console, "push") as report:
        pushed = console.engine.images.push(
            str(reference), platform=given.platform, on_event=report.on_event
        )
    report.say(
        f"{reference.tag}: digest: {pushed.descriptor.digest} size: {pushed.descriptor.size}"
    )
    report.quiet_result(str(reference))
