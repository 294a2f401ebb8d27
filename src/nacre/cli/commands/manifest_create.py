"""``nacre manifest create``: an index of several images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.options import switch
from nacre.oci import reference as references

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (switch("amend", "Replace an existing index", "a"),)


def run(given: Given, console: Console) -> int:
    """Make the index and say its name, as Docker does."""
    index, *members = given.words
    console.engine.manifests.create(index, members, amend=given.amend)
    console.line(f"Created manifest list {references.parse_tagged(index)}")
    return 0
