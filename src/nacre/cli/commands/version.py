"""``nacre version``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nacre import __version__
from nacre.cli.options import format_
from nacre.cli.render.inspection import render_one

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (format_("f"),)


def run(given: Given, console: Console) -> int:
    """Print versions: for people, as JSON, or through a template."""
    client = _client()
    if given.format:
        # There is no server: who asks for its version means what works on the images.
        facts = {"Client": client, "Server": client}
        console.write(render_one(facts, given.format, "system.versionInfo"))
        return 0
    console.line("Client:")
    platform = f"{client['Os']}/{client['Arch']}"
    for label, value in (
        ("Version", client["Version"]),
        ("Python version", client["PythonVersion"]),
        ("OS/Arch", platform),
        ("Kernel version", client["KernelVersion"]),
    ):
        console.line(f" {label + ':':<19}{value}")
    return 0


def _client() -> dict[str, str]:
    import platform

    from nacre.oci.platform import normal

    uname = os.uname()
    host = normal(uname.sysname, uname.machine)
    return {
        "Version": __version__,
        "PythonVersion": platform.python_version(),
        "Os": host.os,
        "Arch": host.architecture,
        "KernelVersion": uname.release,
    }
