"""erofs-utils: the system's own when they know blocks of 512 bytes, else those of a later Debian.

Version 1.5, which Debian 12 has, takes blocks of 4096 bytes only.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.peers.tools import Tool, require_tool, run, succeed

_NEW_ENOUGH = (1, 7)
_LATER_SUITE = "trixie"
_PACKAGES = "erofs-utils,base-files"
_TARGETS = ("apt-get", "indextargets", "--format", "$(ORIGIN) $(SITE)", "Identifier: Packages")


def erofs_utils(folder: Path) -> dict[str, Tool]:
    """Return ``fsck.erofs``, ``dump.erofs`` and ``mkfs.erofs``; ``folder`` is new and theirs."""
    names = ("fsck.erofs", "dump.erofs", "mkfs.erofs")
    system = {name: Tool((require_tool(name),), {}) for name in names}
    if version_of(system["fsck.erofs"]) >= _NEW_ENOUGH:
        return system
    _extract_later_release(folder)
    loader = next(folder.glob("usr/lib*/ld-linux*.so.*"))
    libraries = ":".join(map(str, folder.glob("usr/lib/*-linux-gnu*")))
    start = (str(loader), "--library-path", libraries)
    return {name: Tool((*start, str(folder / "usr/bin" / name)), {}) for name in names}


def version_of(tool: Tool) -> tuple[int, ...]:
    """Return the version of one of the programs."""
    found = re.search(r"(\d+)\.(\d+)", tool("-V"))
    assert found is not None
    return tuple(map(int, found.groups()))


def _extract_later_release(folder: Path) -> None:
    said = succeed(run(*_TARGETS)).stdout
    sites = [line.split()[1] for line in said.splitlines() if line.startswith("Debian ")]
    if not sites:
        pytest.fail("no package source of Debian, and erofs-utils are too old", pytrace=False)
    options = ("--quiet", "--variant=extract", f"--include={_PACKAGES}", "--format=directory")
    succeed(run(require_tool("mmdebstrap"), *options, _LATER_SUITE, folder, sites[0]))
