"""``nacre manifest inspect``: a manifest or an index as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nacre.cli.options import switch

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (switch("raw", "Print the bytes that the digest is of"),)


def run(given: Given, console: Console) -> int:
    """Print it indented, or byte for byte."""
    raw = console.engine.manifests.raw(given.words[0])
    if given.raw:
        console.binary_output().write(raw)
    else:
        console.line(json.dumps(json.loads(raw), indent="\t", ensure_ascii=False))
    return 0
