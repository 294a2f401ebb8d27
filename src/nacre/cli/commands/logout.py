"""``nacre logout``: forget a registry's credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.engine.registries import login_domain

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = ()
_HUB_KEY = "https://index.docker.io/v1/"


def run(given: Given, console: Console) -> int:
    """Forget, and say so; not being logged in is no error."""
    server = given.words[0] if given.words else ""
    gone = console.engine.registries.logout(server)
    done = "Removing login credentials for" if gone else "Not logged in to"
    console.line(f"{done} {login_domain(server) if server else _HUB_KEY}")
    return 0
