"""``nacre push``: send an image to its registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from nacre.cli.flags import UsageError
from nacre.cli.options import PLATFORM, PROGRESS, switch, without_content_trust
from nacre.cli.progress.words import layer_of
from nacre.cli.report import reporting
from nacre.errors import NotFound
from nacre.oci import reference as references
from nacre.oci.reference import Reference
from nacre.value import replace

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.oci.descriptor import Descriptor
    from nacre.oci.digest import Digest
    from nacre.transports.events import Event, OnEvent

FLAGS = (
    switch("all-tags", "Push all tags of an image to the repository", "a"),
    without_content_trust("Skip image signing"),
    PLATFORM,
    *PROGRESS,
)


def run(given: Given, console: Console) -> int:
    """Push one tag, or all that this machine has of a repository."""
    reference = references.parse(given.words[0])
    if reference.digest:
        raise UsageError("cannot push a digest reference", remedy="push a tag")
    wanted = _all_tags(reference, console) if given.all_tags else [reference.tagged()]
    with reporting(given, console, "push") as report:
        if not given.all_tags and not reference.tag:
            report.say(f"Using default tag: {wanted[0].tag}")
        report.say(f"The push refers to repository [{reference.name}]")
    for each in wanted:
        _push(each, given, console)
    report.quiet_result(str(reference if given.all_tags else wanted[0]))
    return 0


def _all_tags(reference: Reference, console: Console) -> Sequence[Reference]:
    if reference.tag:
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
            str(reference),
            platform=given.platform,
            on_event=_by_diff_id(report.on_event, console.engine.images.diff_id),
        )
    report.say(
        f"{reference.tag}: digest: {pushed.descriptor.digest} size: {pushed.descriptor.size}"
    )


def _by_diff_id(on_event: OnEvent, diff_id: Callable[[Descriptor], Digest | None]) -> OnEvent:
    """Let layers be shown by what they unpack to, as Docker does: so they are called here."""

    @cache
    def named(layer: Descriptor) -> Descriptor:
        return replace(layer, digest=diff_id(layer) or layer.digest)

    def show(event: Event) -> None:
        layer = layer_of(event)
        on_event(replace(event, descriptor=named(layer)) if layer else event)

    return show
