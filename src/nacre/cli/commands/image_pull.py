"""``nacre pull``: fetch an image from a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.flags import UsageError
from nacre.cli.options import PLATFORMS, PROGRESS, platforms_of, switch
from nacre.cli.report import reporting
from nacre.cli.startup import share_memory
from nacre.oci import reference as references
from nacre.oci.reference import Reference

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    switch("all-tags", "Download all tagged images in the repository", "a"),
    switch("no-unpack", "Leave unpacking to the first use"),
    *PLATFORMS,
    *PROGRESS,
)


def run(given: Given, console: Console) -> int:
    """Pull one image, or all tags of a repository."""
    share_memory()
    name = given.words[0]
    reference = references.parse(name)
    if not given.all_tags:
        _pull(reference, given, console)
        return 0
    if reference.tag or reference.digest:
        raise UsageError("tag can't be used with --all-tags/-a", remedy="leave out the tag")
    for each in console.engine.images.remote_tags(name):
        _pull(each, given, console)
    return 0


def _pull(reference: Reference, given: Given, console: Console) -> None:
    wanted = reference.tagged().pinned()
    with reporting(given, console, "pull") as report:
        if wanted.tag and not reference.tag:
            report.say(f"Using default tag: {wanted.tag}")
        report.say(f"{wanted.version}: Pulling from {wanted.path}")
        pulled = console.engine.images.pull(
            str(wanted),
            platform=platforms_of(given),
            unpack=not given.no_unpack,
            on_event=report.on_event,
        )
    report.say(f"Digest: {pulled.descriptor.digest}")
    state = "Downloaded newer image for" if pulled.is_news else "Image is up to date for"
    report.say(f"Status: {state} {wanted.familiar}")
    report.result(str(pulled.reference))
