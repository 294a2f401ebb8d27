"""``nacre image copy``: between any two places where images live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nacre.cli.options import PLATFORMS, PROGRESS, integer, platforms_of, switch
from nacre.cli.report import reporting
from nacre.errors import NacreError

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    switch("all-tags", "Copy every image that the source names", "a"),
    integer("jobs", "How many blobs to move at a time", "j", default=0, least=1, most=64),
    switch("referrers", "Also copy what refers to the image: signatures"),
    *PLATFORMS,
    *PROGRESS,
)
MORE = """\
Places:
  docker://NAME[:TAG|@DIGEST]      a registry
  oci:DIR[:TAG]                    an OCI image layout
  oci-archive:FILE[:TAG]           an OCI image layout in a tar file
  docker-archive:FILE[:NAME]       a 'docker save' archive
  NAME[:TAG|@DIGEST] or ID         the local store

A copy keeps every digest: layers go as they are. 'nacre push' compresses layers
that were made here, which gives the image another digest at the registry.
"""


def run(given: Given, console: Console) -> int:
    """Copy and print the digest at the destination."""
    source, destination = given.words
    with reporting(given, console, "copy") as report, _telling_sides():
        copied = console.engine.images.copy(
            source,
            destination,
            platform=platforms_of(given, "all"),
            all_tags=given.all_tags,
            referrers=given.referrers,
            jobs=given.jobs or None,
            on_event=report.on_event,
        )
    for root in copied:
        report.result(str(root.digest))
    return 0


@contextmanager
def _telling_sides() -> Iterator[None]:
    """Say in errors which of the two places failed, which `nacre.transports.copy` notes on them."""
    try:
        yield
    except NacreError as error:
        sides = getattr(error, "__notes__", ())
        if not sides:
            raise
        raise NacreError(", ".join((str(error), *sides)), remedy=error.remedy) from error
