"""Users in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nacre.errors import AlreadyExists
from nacre.hub.accounts.user import User
from nacre.hub.errors import UserUnknown
from nacre.hub.repositories.repository import Role, Visibility
from nacre.oci.quoting import quoted
from nacre.testing.hub.state import NamespaceRow, State


class MemoryUsers:
    """Meets `nacre.hub.accounts.user.Users`."""

    def __init__(self, state: State, visibility: Visibility) -> None:
        self._state = state
        self._visibility = visibility

    async def find(self, name: str) -> User | None:
        return self._state.users.get(name)

    async def add(
        self, name: str, password_hash: str, *, is_admin: bool, adopt: bool = False
    ) -> User:
        if name in self._state.users or (name in self._state.namespaces and not adopt):
            raise AlreadyExists(f"the name {quoted(name)} is taken")
        now = self._state.now()
        user = User(self._state.new_id(), name, password_hash, is_admin, 0, now)
        if name not in self._state.namespaces:
            space = NamespaceRow(self._state.new_id(), name, self._visibility)
            self._state.namespaces[name] = space
        self._state.namespaces[name].roles[name] = Role.OWNER
        self._state.users[name] = user
        return user

    async def set_password(self, name: str, password_hash: str) -> None:
        user = self._known(name)
        self._state.users[name] = replace(user, password_hash=password_hash, epoch=user.epoch + 1)

    async def rehash(self, name: str, old_hash: str, new_hash: str) -> None:
        user = self._state.users.get(name)
        if user is not None and user.password_hash == old_hash:
            self._state.users[name] = replace(user, password_hash=new_hash)

    async def remove(self, name: str) -> None:
        self._known(name)
        del self._state.users[name]
        for namespace in self._state.namespaces.values():
            namespace.roles.pop(name, None)
        for repository in self._state.repositories.values():
            repository.roles.pop(name, None)
        if name in self._state.namespaces and not any(self._state.within(name)):
            del self._state.namespaces[name]

    def _known(self, name: str) -> User:
        if name not in self._state.users:
            raise UserUnknown(name)
        return self._state.users[name]

    async def all(self) -> Sequence[User]:
        return [self._state.users[name] for name in sorted(self._state.users)]
