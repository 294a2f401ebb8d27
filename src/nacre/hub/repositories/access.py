"""What somebody may do with a repository: a decision from facts, with no other input."""

from __future__ import annotations

from enum import Enum, auto

from nacre.hub.repositories.repository import OFFICIAL, Role, Standing, Visibility
from nacre.oci import wire

NOTHING: frozenset[str] = frozenset()
READ = frozenset({wire.PULL})
WRITE = frozenset({wire.PULL, wire.PUSH})
OWN = frozenset({wire.PULL, wire.PUSH, wire.DELETE})

_BY_ROLE = {Role.READER: READ, Role.WRITER: WRITE, Role.OWNER: OWN}


def canonical(name: str) -> str:
    """Return the name that a repository is recorded under: ``nginx`` is ``library/nginx``."""
    return name if "/" in name else f"{OFFICIAL}/{name}"


def allowed(standing: Standing, *, anonymous_push: bool = False) -> frozenset[str]:
    """Return the actions (pull, push, delete) that are allowed, before what a token narrows.

    Who may push to a repository that does not exist yet, may make it. To somebody who may do
    nothing, a private repository and an absent one must look the same.
    """
    if standing.is_admin or anonymous_push:
        return OWN
    granted = _BY_ROLE[standing.role] if standing.role is not None else NOTHING
    repository = standing.repository
    if repository is not None and repository.visibility is Visibility.PUBLIC:
        return granted | READ
    return granted


class Verdict(Enum):
    """What becomes of a request, by name of what answers it."""

    ALLOWED = auto()
    CHALLENGE = auto()  # a password, or a wider token, may change the answer
    UNKNOWN = auto()  # as if there were no such repository
    FORBIDDEN = auto()


def decide(
    wanted: frozenset[str],
    rights: frozenset[str],
    *,
    left: frozenset[str] | None,
    is_anonymous: bool,
) -> Verdict:
    """Decide about a request.

    Args:
        wanted: the actions that it needs.
        rights: the actions that the records allow to whoever asks.
        left: the actions that its token does not rule out; None when the token is not about this
            repository, and then the answer tells nothing about the records.
        is_anonymous: whether nobody has said who asks.

    The anonymous are never told more than that they may prove who they are. Whoever may not even
    pull gets the same answer whether the repository is there or not.
    """
    if left is None:
        return Verdict.CHALLENGE
    if wanted <= rights & left:
        return Verdict.ALLOWED
    if is_anonymous or wanted <= rights:
        return Verdict.CHALLENGE
    return Verdict.UNKNOWN if wanted <= READ else Verdict.FORBIDDEN
