"""Scopes: what a token is asked to allow, and what it says it allows.

Docker's token authentication, "Token Scope": ``repository:team/app:pull,push``; several in one
parameter are separated by spaces, and the parameter may be repeated. A scope of a kind that this
hub does not know, or that breaks the grammar, gives nothing and is no error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nacre.hub.repositories.access import OWN, canonical
from nacre.oci import wire
from nacre.oci.reference import is_repository_path

REPOSITORY = "repository"
REGISTRY = "registry"
CATALOG = "catalog"
CATALOG_SCOPE = f"{REGISTRY}:{CATALOG}:*"
EVERYTHING = frozenset({"*"})

MOST = 32
"""How many repositories one token is about; what is asked beyond that is left out."""

_LONGEST = 512
_KINDS = (REPOSITORY, f"{REPOSITORY}(plugin)")
_ORDER = (wire.PULL, wire.PUSH, wire.DELETE)


@dataclass(frozen=True, slots=True)
class Access:
    """Actions on one thing: a ``repository`` by its name as asked, or the ``registry``'s catalog.

    No actions means that the thing was asked for and nothing was granted.
    """

    kind: str
    name: str
    actions: frozenset[str]

    @property
    def key(self) -> str:
        """What it is about, as `Subject.scopes` names it; a repository as it is recorded."""
        return canonical(self.name) if self.kind == REPOSITORY else f"{self.kind}:{self.name}"

    @property
    def in_order(self) -> list[str]:
        """The actions in the order that Docker writes them."""
        return sorted(self.actions, key=lambda action: (*_ORDER, action).index(action))


def repository_scope(name: str, actions: frozenset[str]) -> str:
    """Return the scope that a challenge names; it fits a whole push, which also asks what is there.

    >>> repository_scope("team/app", frozenset({"push"}))
    'repository:team/app:pull,push'
    """
    needed = actions | {wire.PULL} if wire.PUSH in actions else actions
    return f"{REPOSITORY}:{name}:{','.join(action for action in _ORDER if action in needed)}"


def parse(parameters: Iterable[str]) -> Sequence[Access]:
    """Read the scopes of a token request, one `Access` for each thing, in the order asked."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for parameter in parameters:
        for text in parameter.split():
            access = _parse_one(text)
            if access is None:
                continue
            key = (access.kind, access.name)
            if key in found or len(found) < MOST:
                found[key] = found.get(key, frozenset()) | access.actions
    return [Access(kind, name, actions) for (kind, name), actions in found.items()]


def _parse_one(text: str) -> Access | None:
    if len(text) > _LONGEST:
        return None
    kind, _, rest = text.partition(":")
    name, _, listed = rest.rpartition(":")
    actions = frozenset(listed.split(","))
    if kind in _KINDS and is_repository_path(name):
        return Access(REPOSITORY, name, OWN if actions >= EVERYTHING else actions & OWN)
    if (kind, name, actions) == (REGISTRY, CATALOG, EVERYTHING):
        return Access(REGISTRY, CATALOG, EVERYTHING)
    return None
