"""``nacre image copy``: between any two places where images live."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.options import add_platforms, add_progress, platforms_of
from nacre.cli.report import reporting

if TYPE_CHECKING:
    from nacre.cli.console import Console

_PLACES = """\
Places:
  docker://NAME[:TAG|@DIGEST]      a registry
  oci:DIR[:TAG]                    an OCI image layout
  oci-archive:FILE[:TAG]           an OCI image layout in a tar file
  docker-archive:FILE[:NAME]       a 'docker save' archive
  NAME[:TAG|@DIGEST] or ID         the local store
"""


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("destination", metavar="DESTINATION")
    parser.add_argument(
        "-a", "--all-tags", action="store_true", help="Copy every image that the source names"
    )
    parser.add_argument(
        "-j", "--jobs", type=int, metavar="N", help="How many blobs to move at a time"
    )
    parser.add_argument(
        "--referrers", action="store_true", help="Also copy what refers to the image: signatures"
    )
    add_platforms(parser)
    add_progress(parser)
    parser.epilog = _PLACES


def run(arguments: Namespace, console: Console) -> int:
    """Copy and print the digest at the destination."""
    with reporting(arguments, console, "copy") as report:
        copied = console.engine.images.copy(
            arguments.source,
            arguments.destination,
            platform=platforms_of(arguments, "all"),
            all_tags=arguments.all_tags,
            referrers=arguments.referrers,
            jobs=arguments.jobs,
            on_event=report.on_event,
        )
    for root in copied:
        report.result(str(root.digest))
    return 0
