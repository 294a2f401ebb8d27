"""``nacre push``: send an image to its registry."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nacre.cli.options import add_platform, add_progress
from nacre.cli.parser import UsageError
from nacre.cli.report import reporting
from nacre.errors import NotFound
from nacre.oci import reference as references
from nacre.oci.reference import Reference

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "-a", "--all-tags", action="store_true", help="Push all tags of an image to the repository"
    )
    add_platform(parser)
    add_progress(parser)


def run(arguments: Namespace, console: Console) -> int:
    """Push one tag, or all that this machine has of a repository."""
    reference = references.parse(arguments.name)
    if arguments.all_tags:
        wanted = _all_tags(reference, console)
    else:
        wanted = [reference.tagged()]
    with reporting(arguments, console, "push") as report:
        report.say(f"The push refers to repository [{reference.name}]")
        if not arguments.all_tags and not (reference.tag or reference.digest):
            report.say(f"Using default tag: {wanted[0].tag}")
    for each in wanted:
        _push(each, arguments, console)
    return 0


def _all_tags(reference: Reference, console: Console) -> Sequence[Reference]:
    if reference.tag or reference.digest:
        raise UsageError(
            "tag can't be used with --all-tags/-a", exit_code=1, remedy="leave out the tag"
        )
    tags = console.engine.images.local_tags(reference.familiar_name)
    if not tags:
        raise NotFound(
            f"An image does not exist locally with the tag: {reference.familiar_name}",
            remedy="'nacre images' shows what is here",
        )
    return tags


def _push(reference: Reference, arguments: Namespace, console: Console) -> None:
    with reporting(arguments, console, "push") as report:
        pushed = console.engine.images.push(
            str(reference), platform=arguments.platform, on_event=report.on_event
        )
    report.say(
        f"{reference.tag}: digest: {pushed.descriptor.digest} size: {pushed.descriptor.size}"
    )
    report.quiet_result(str(reference))
