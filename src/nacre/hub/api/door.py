"""The door of every route: who asks is let in by the gate, and noted for the logs."""

from __future__ import annotations

from nacre.hub.api.observing import USER
from nacre.hub.api.request import Request
from nacre.hub.auth.gate import Admission, Gate, claimed_name, unknown
from nacre.hub.auth.subject import Subject
from nacre.hub.errors import RegistryError
from nacre.hub.repositories.repository import Repositories, Repository, Visibility


class Door:
    """Lets requests in.

    Args:
        gate: decides.
        repositories: where a push makes a repository.
        visibility: of repositories that are made so in a namespace that is new, too.
    """

    def __init__(self, gate: Gate, repositories: Repositories, *, visibility: Visibility) -> None:
        self.gate = gate
        self._repositories = repositories
        self._visibility = visibility

    async def admit(self, request: Request, name: str, actions: frozenset[str]) -> Admission:
        """Let a request on a repository in.

        Raises:
            Unauthorized, NameUnknown, Forbidden: see `Gate.asking` and `Gate.admit`.
        """
        authorization = request.header(b"authorization")
        try:
            subject = await self.gate.asking(authorization, name, actions, address=request.address)
        except RegistryError:
            request.scope[USER] = claimed_name(authorization)
            raise
        request.scope[USER] = subject.name  # also of what is refused
        return await self.gate.admit(subject, name, actions)

    async def existing(
        self, request: Request, name: str, actions: frozenset[str]
    ) -> tuple[Repository, Subject]:
        """Let a request on a repository in that must exist.

        Raises:
            NameUnknown: it does not, or is not for whoever asks.
            Unauthorized, Forbidden: see `admit`.
        """
        admission = await self.admit(request, name, actions)
        if admission.repository is None:
            raise unknown(name)
        return admission.repository, admission.subject

    async def made(self, admission: Admission) -> Repository:
        """Return the repository of a push, which makes it when there is none.

        One that is made is as visible as its namespace says.
        """
        if admission.repository is not None:
            return admission.repository
        namespace = admission.namespace
        visibility = self._visibility if namespace is None else namespace.visibility
        return await self._repositories.ensure(admission.name, visibility)

    async def subject(self, request: Request) -> Subject:
        """Return who asks for something that is about no repository.

        Raises:
            Unauthorized: the password or token is wrong.
        """
        authorization = request.header(b"authorization")
        try:
            subject = await self.gate.subject(authorization, address=request.address)
        except RegistryError:
            request.scope[USER] = claimed_name(authorization)
            raise
        request.scope[USER] = subject.name
        return subject

    async def shown(self, request: Request) -> Subject:
        """Return who asks, who must show anything at all: a token of the anonymous will do.

        Clients choose how they log in by how ``/v2/`` is answered, so it always challenges.

        Raises:
            Unauthorized: nothing is shown, or it is wrong.
        """
        subject = await self.subject(request)
        self.gate.admit_base(subject)
        return subject
