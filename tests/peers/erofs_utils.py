"""erofs-utils: the system's own when they know blocks of 512 bytes, else those of a later Debian.

Version 1.5, which Debian 12 has, takes blocks of 4096 bytes only.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.peers.later_debian import command_making_tree
from tests.peers.tools import Tool, require_tool, run, succeed

_NEW_ENOUGH = (1, 7)
_PACKAGES = ("erofs-utils", "base-files")


def erofs_utils(folder: Path) -> dict[str, Tool]:
    """Return ``fsck.erofs``, ``dump.erofs`` and ``mkfs.erofs``; ``folder`` is new and theirs."""
    names = ("fsck.erofs", "dump.erofs", "mkfs.erofs")
    system = {name: Tool((require_tool(name),), {}) for name in names}
    if version_of(system["fsck.erofs"]) >= _NEW_ENOUGH:
        return system
    succeed(run(*command_making_tree(folder, *_PACKAGES, variant="extract")))
    loader = next(folder.glob("usr/lib*/ld-linux*.so.*"))
    libraries = ":".join(map(str, folder.glob("usr/lib/*-linux-gnu*")))
    start = (str(loader), "--library-path", libraries)
    return {name: Tool((*start, str(folder / "usr/bin" / name)), {}) for name in names}


def version_of(tool: Tool) -> tuple[int, ...]:
    """Return the version of one of the programs."""
    found = re.search(r"(\d+)\.(\d+)", tool("-V"))
    assert found is not None
    return tuple(map(int, found.groups()))
