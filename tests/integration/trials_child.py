"""A process that tries every storage driver, again and again, until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from nacre.engine.storage import PROBES
from nacre.storage.detect import survey


def run(folder: str) -> None:
    """Try until killed."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        survey(Path(folder), PROBES)


if __name__ == "__main__":
    run(*sys.argv[1:])
