"""Passwords as commands are given them: piped, or typed without being shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console

_LONGEST_PASSWORD = 1 << 20


def piped_password(console: Console, what: str) -> str:
    """Return the password on standard input, where ``what`` takes it from there.

    Raises:
        Invalid: there is none, or it is no text.
    """
    given = console.binary_input(what).read(_LONGEST_PASSWORD + 1)
    if len(given) > _LONGEST_PASSWORD:
        raise Invalid(f"the password on standard input has more than {_LONGEST_PASSWORD} bytes")
    try:
        password = given.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Invalid("the password on standard input is no UTF-8") from None
    if not password:
        raise Invalid("password is empty", remedy="pipe it to standard input")
    return password


def new_password(console: Console, what: str, *, piped: bool) -> str:
    """Return a password that is to be set: piped, or typed twice.

    Raises:
        Invalid: there is none, or the two differ.
    """
    if piped:
        return piped_password(console, what)
    if not console.stdin.isatty():
        raise Invalid(
            "cannot ask for a password from a non TTY device", remedy="use --password-stdin"
        )
    password = console.ask_secret("New password: ")
    if console.ask_secret("Retype new password: ") != password:
        raise Invalid("the two passwords differ")
    return password
