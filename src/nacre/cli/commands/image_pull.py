"""``nacre pull``: fetch an image from a registry."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from nacre.cli.flags import UsageError
from nacre.cli.options import PLATFORMS, PROGRESS, platforms_of, switch, without_content_trust
from nacre.cli.progress.words import layer_of
from nacre.cli.report import Report, reporting
from nacre.cli.startup import share_memory
from nacre.errors import Invalid
from nacre.oci import reference as references
from nacre.oci.reference import Reference

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.transports.events import Event

FLAGS = (
    switch("all-tags", "Download all tagged images in the repository", "a"),
    without_content_trust("Skip image verification"),
    switch("no-unpack", "Leave unpacking to the first use"),
    *PLATFORMS,
    *PROGRESS,
)
_RESERVED = "scratch"


def run(given: Given, console: Console) -> int:
    """Pull one image, or all tags of a repository."""
    share_memory()
    reference = references.parse(given.words[0])
    if reference.familiar_name == _RESERVED:
        raise Invalid(f"'{_RESERVED}' is a reserved name", remedy="it stands for no image")
    wanted = _all_tags(reference, console) if given.all_tags else [reference.tagged().pinned()]
    with reporting(given, console, "pull") as report:
        if not given.all_tags and not (reference.tag or reference.digest):
            report.say(f"Using default tag: {wanted[0].tag}")
    is_news = [_pull(each, given, console) for each in wanted]
    state = "Downloaded newer image for" if any(is_news) else "Image is up to date for"
    subject = reference if given.all_tags else wanted[0]
    report.say(f"Status: {state} {subject.familiar}")
    report.result(str(subject))
    return 0


def _all_tags(reference: Reference, console: Console) -> Sequence[Reference]:
    if reference.tag or reference.digest:
        raise UsageError("tag can't be used with --all-tags/-a", remedy="leave out the tag")
    return console.engine.images.remote_tags(reference.name)


def _pull(wanted: Reference, given: Given, console: Console) -> bool:
    """Pull one and say whether it was news."""
    with reporting(given, console, "pull") as report:
        begun = _Begun(report, wanted)
        pulled = console.engine.images.pull(
            str(wanted),
            platform=platforms_of(given),
            unpack=not given.no_unpack,
            on_event=begun,
        )
        begun.tell()
    report.say(f"Digest: {pulled.descriptor.digest}")
    return pulled.is_news


class _Begun:
    """Says before the first layer that an image is pulled: by then it is known to be there."""

    def __init__(self, report: Report, wanted: Reference) -> None:
        self._report = report
        self._line = f"{wanted.tag or wanted}: Pulling from {wanted.path}"
        self._lock = Lock()

    def __call__(self, event: Event) -> None:
        """Pass an event on."""
        if layer_of(event):
            self.tell()
        self._report.on_event(event)

    def tell(self) -> None:
        """Say it, once."""
        with self._lock:
            line, self._line = self._line, ""
            if line:
                self._report.say(line)
