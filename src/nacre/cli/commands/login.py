"""``nacre login``: prove who you are to a registry, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.flags import UsageError
from nacre.cli.options import string, switch
from nacre.cli.passwords import piped_password
from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    string("username", "Username", "u"),
    string("password", "Password or access token", "p"),
    switch("password-stdin", "Take the password or access token from stdin"),
)


def run(given: Given, console: Console) -> int:
    """Ask for what is missing, check it with the registry, keep it."""
    server = given.words[0] if given.words else ""
    username, password = _credentials(server, given, console)
    kept = console.engine.registries.login(server, username, password)
    if kept.plain_file:
        console.note(
            f"\nWARNING! Your credentials are stored unencrypted in '{kept.plain_file}'.\n"
            "Configure a credential helper (credsStore) to remove this warning.\n"
        )
    console.line("Login Succeeded")
    return 0


def _credentials(server: str, given: Given, console: Console) -> tuple[str, str]:
    if given.password_stdin:
        if given.password:
            raise UsageError(
                "conflicting options: cannot specify both --password and --password-stdin"
            )
        if not given.username:
            raise UsageError("the --password-stdin option requires --username to be set")
        return given.username, piped_password(console, "login")
    if given.password:
        console.note("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    if not (given.username and given.password) and not console.stdin.isatty():
        raise Invalid(
            "cannot perform an interactive login from a non TTY device",
            remedy="use --username and --password-stdin",
        )
    username = given.username or _asked_username(server, console)
    password = given.password or console.ask_secret("Password: ")
    if not password:
        raise Invalid("password is required")
    return username, password


def _asked_username(server: str, console: Console) -> str:
    before = console.engine.registries.username(server)
    username = console.ask(f"Username ({before}): " if before else "Username: ") or before
    if not username:
        raise Invalid("username is required")
    return username
