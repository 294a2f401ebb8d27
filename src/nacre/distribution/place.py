"""A place: one repository at one endpoint, and the requests that make sense there.

What `manifests`, `blobs`, `upload`, `referrers` and `listing` have in common.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nacre.distribution.auth import Need
from nacre.distribution.errors import InvalidReply, Purpose
from nacre.distribution.exchange import Body
from nacre.distribution.session import Call, Session
from nacre.distribution.transport_reply import Reply
from nacre.oci import wire
from nacre.oci.digest import Digest, InvalidDigest
from nacre.oci.reference import Reference
from nacre.value import Value

_ACTIONS = {
    "pull": (wire.PULL,),
    "push": (wire.PULL, wire.PUSH),
    "delete": (wire.PULL, wire.DELETE),
}


class Place(Value):
    """A repository as the user names it (``reference``), and as its endpoint does (``path``).

    ``reading`` is what reading from it is part of: a pull, or a push that first looks around.
    """

    session: Session
    reference: Reference
    reading: str = "pull"

    @property
    def path(self) -> str:
        """The repository's path at the endpoint."""
        return self.session.endpoint.path(self.reference.path)

    @property
    def name(self) -> str:
        """The repository as people write it."""
        return self.reference.familiar_name

    def call(
        self,
        action: str,
        method: str,
        address: str,
        *,
        kind: str,
        reference: str = "",
        expect: Collection[int] = (200,),
        headers: Mapping[str, str] | None = None,
        body: bytes | Body | None = None,
        also_pull: str = "",
    ) -> Call:
        """Return a request for this repository; ``action`` is pull, push or delete.

        ``also_pull`` is the path, at the endpoint, of another repository that is read from.
        """
        action = self.reading if action == "pull" else action
        scopes = {str(wire.Scope(self.path, _ACTIONS[action]))}
        if also_pull:
            scopes.add(str(wire.Scope(also_pull, (wire.PULL,))))
        purpose = Purpose(action, self.reference.domain, self.name, kind, reference)
        need = Need(purpose, frozenset(scopes), self.path)
        return Call(method, address, need, expect, headers or {}, body)


def stated_digest(reply: Reply, what: str) -> Digest | None:
    """Return the digest that a reply states for its content, or None.

    Raises:
        InvalidReply: what it states is no digest.
    """
    value = reply.header(wire.CONTENT_DIGEST)
    if not value:
        return None
    try:
        return Digest(value)
    except InvalidDigest as error:
        raise InvalidReply(f"{what} came with an {error}") from None
