"""Which names users may have.

A user's name is the first part of the names of its repositories, so it obeys their grammar, and
Docker Hub's stricter habit: lower-case letters and digits, with single separators between them.
"""

from __future__ import annotations

import re

from nacre.errors import Invalid
from nacre.oci.quoting import quoted

RESERVED = frozenset(
    {"about", "account", "accounts", "api", "assets", "auth", "catalog", "explore", "health"}
    | {"healthz", "help", "hub", "library", "live", "login", "logout", "metrics", "namespaces"}
    | {"new", "official", "org", "orgs", "ready", "readyz", "repositories", "root", "search"}
    | {"settings", "signup", "static", "status", "token", "user", "users", "v1", "v2", "web", "www"}
)
"""Names that the hub's own pages, routes and the official repositories need."""

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_SHORTEST, _LONGEST = 2, 30


class InvalidUserName(Invalid):
    """Nobody can have this name."""

    usual_remedy = (
        "take 2 to 30 lower-case letters and digits, with single '.', '_' or '-' between them"
    )


def is_user_name(name: str) -> bool:
    """Say whether a name keeps the rules, reserved or not; only such names are looked up."""
    return _SHORTEST <= len(name) <= _LONGEST and _NAME.fullmatch(name) is not None


def checked_user_name(name: str) -> str:
    """Return the name of a user to be.

    Raises:
        InvalidUserName: it breaks the grammar or is reserved.
    """
    if not is_user_name(name):
        raise InvalidUserName(f"{quoted(name)} cannot be a user's name")
    if name in RESERVED:
        raise InvalidUserName(
            f"the name {quoted(name)} is reserved for the hub", remedy="choose another one"
        )
    return name
