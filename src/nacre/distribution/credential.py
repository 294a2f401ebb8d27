"""What proves who we are to a registry."""

from __future__ import annotations

from typing import TypeGuard

from nacre.value import Value, field


class Credential(Value):
    """A user name with a password, an identity token to get tokens with, or a registry token.

    Whatever is secret stays out of its ``repr``.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


def is_text(value: object) -> TypeGuard[str]:
    """Say whether this is text that can be sent: JSON and arguments can hold what is no Unicode."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
