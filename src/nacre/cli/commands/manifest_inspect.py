"""``nacre manifest inspect``: a manifest or an index as it is."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("name", metavar="MANIFEST")
    parser.add_argument("--raw", action="store_true", help="Print the bytes that the digest is of")


def run(arguments: Namespace, console: Console) -> int:
    """Print it indented, or byte for byte."""
    raw = console.engine.manifests.raw(arguments.name)
    if arguments.raw:
        console.binary_output().write(raw)
    else:
        console.line(json.dumps(json.loads(raw), indent="\t", ensure_ascii=False))
    return 0
