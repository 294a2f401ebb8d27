"""``nacre unshare``: a shell in a user namespace, in which an ordinary user may mount."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn

    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = ()
MORE = """\
Inside, the user is root of what is the user's own. What is mounted there is
seen there only, and ends with the command.
"""
UNTIL_WORD = True
"""Flags after the command are the command's."""
_SHELL = "/bin/sh"


def run(given: Given, console: Console) -> NoReturn:
    """Become the command; there is no way back."""
    settings = console.engine.settings
    # Inside, the user is root, but the store stays the user's.
    os.environ["NACRE_ROOT"] = str(settings.root)
    os.environ["NACRE_RUN"] = str(settings.run or settings.root / "run")
    if settings.config_file:
        os.environ["NACRE_CONFIG"] = str(settings.config_file)
    console.engine.system.run_inside(given.words or [os.environ.get("SHELL") or _SHELL])
