"""``nacre manifest create``: an index of several images."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("index", metavar="INDEX")
    parser.add_argument("members", metavar="MANIFEST", nargs="+")
    parser.add_argument("-a", "--amend", action="store_true", help="Replace an existing index")


def run(arguments: Namespace, console: Console) -> int:
    """Make the index and say its name, as Docker does."""
    from nacre.oci import reference as references

    console.engine.manifests.create(arguments.index, arguments.members, amend=arguments.amend)
    console.line(f"Created manifest list {references.parse_tagged(arguments.index)}")
    return 0
