"""``nacre login``: prove who you are to a registry, once."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.parser import UsageError
from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("server", metavar="SERVER", nargs="?", default="")
    parser.add_argument("-u", "--username", default="", help="Username")
    parser.add_argument("-p", "--password", default="", help="Password")
    parser.add_argument(
        "--password-stdin", action="store_true", help="Take the Password from stdin"
    )


def run(arguments: Namespace, console: Console) -> int:
    """Ask for what is missing, check it with the registry, keep it."""
    username, password = _credentials(arguments, console)
    if not username or not password:
        raise Invalid("a username and a password are required", remedy="log in again")
    kept = console.engine.registries.login(arguments.server, username, password)
    if kept.plain_file:
        console.note(
            f"\nWARNING! Your credentials are stored unencrypted in '{kept.plain_file}'.\n"
            "Configure a credential helper (credsStore) to remove this warning.\n"
        )
    console.line("Login Succeeded")
    return 0


def _credentials(arguments: Namespace, console: Console) -> tuple[str, str]:
    if arguments.password_stdin and arguments.password:
        raise UsageError(
            "--password and --password-stdin are mutually exclusive", exit_code=1, remedy="drop one"
        )
    if arguments.password_stdin:
        if not arguments.username:
            raise UsageError(
                "Must provide --username with --password-stdin", exit_code=1, remedy="add -u NAME"
            )
        return arguments.username, console.stdin.read().rstrip("\r\n")
    if arguments.password:
        console.note("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    return _asked(arguments, console)


def _asked(arguments: Namespace, console: Console) -> tuple[str, str]:
    """Ask on the terminal for what the options do not say."""
    if not (arguments.username and arguments.password) and not console.stdin.isatty():
        raise Invalid(
            "Cannot perform an interactive login from a non TTY device",
            remedy="use --username and --password-stdin",
        )
    username = arguments.username
    if not username:
        before = console.engine.registries.username(arguments.server)
        username = console.ask(f"Username ({before}): " if before else "Username: ") or before
    return username, arguments.password or console.ask_secret("Password: ")
