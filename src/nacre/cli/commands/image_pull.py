"""``nacre pull``: fetch an image from a registry."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.options import add_platforms, add_progress, platforms_of
from nacre.cli.parser import UsageError
from nacre.cli.report import reporting
from nacre.oci import reference as references
from nacre.oci.reference import Reference

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "-a", "--all-tags", action="store_true", help="Download all tagged images in the repository"
    )
    add_platforms(parser)
    add_progress(parser)


def run(arguments: Namespace, console: Console) -> int:
    """Pull one image, or all tags of a repository."""
    reference = references.parse(arguments.name)
    if not arguments.all_tags:
        _pull(reference, arguments, console)
        return 0
    if reference.tag or reference.digest:
        raise UsageError(
            "tag can't be used with --all-tags/-a", exit_code=1, remedy="leave out the tag"
        )
    for each in console.engine.images.remote_tags(arguments.name):
        _pull(each, arguments, console)
    return 0


def _pull(reference: Reference, arguments: Namespace, console: Console) -> None:
    wanted = reference.tagged().pinned()
    with reporting(arguments, console, "pull") as report:
        if wanted.tag and not reference.tag:
            report.say(f"Using default tag: {wanted.tag}")
        report.say(f"{wanted.version}: Pulling from {wanted.path}")
        pulled = console.engine.images.pull(
            str(wanted), platform=platforms_of(arguments), on_event=report.on_event
        )
    report.say(f"Digest: {pulled.descriptor.digest}")
    state = "Downloaded newer image for" if pulled.is_news else "Image is up to date for"
    report.say(f"Status: {state} {wanted.familiar}")
    report.result(str(pulled.reference))
