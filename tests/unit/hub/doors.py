"""Everything between a request and the records, on records in memory, with a clock that waits."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from argon2 import PasswordHasher

from nacre.hub.accounts.attempts import Attempts
from nacre.hub.accounts.logins import Logins
from nacre.hub.accounts.passwords import Passwords
from nacre.hub.accounts.user import User
from nacre.hub.auth.gate import Admission, Gate
from nacre.hub.auth.issuer import Issuer
from nacre.hub.auth.scopes import Access, parse
from nacre.hub.auth.signing import KeyRing
from nacre.hub.auth.tokens import Tokens
from nacre.hub.repositories.repository import Role, Visibility
from nacre.testing.hub_records import MemoryRecords

T = TypeVar("T")

SERVICE = "nacre-hub"
PASSWORD = "correct horse"


class CountingHasher(PasswordHasher):
    """Cheap hashes, counted: one derivation is what costs time in earnest."""

    def __init__(self, *, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.derivations = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.derivations += 1
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002
        self.derivations += 1
        return super().verify(hash, password)


class Clock:
    """A time that only a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        return self.time.timestamp()

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class Doors:
    """The parts, put together as the hub does it."""

    clock: Clock
    records: MemoryRecords
    hasher: CountingHasher
    passwords: Passwords
    attempts: Attempts
    logins: Logins
    ring: KeyRing
    tokens: Tokens
    gate: Gate
    issuer: Issuer

    async def add_user(self, name: str, *, is_admin: bool = False) -> None:
        await self.records.users.add(name, await self.passwords.hash(PASSWORD), is_admin=is_admin)

    async def add_repository(self, name: str, visibility: Visibility, **roles: Role) -> int:
        repository = await self.records.repositories.ensure(name, visibility)
        for user, role in roles.items():
            await self.records.repositories.grant(name, user, role)
        return repository.id

    async def admitted(
        self, authorization: str | None, name: str, actions: frozenset[str]
    ) -> Admission:
        """Let a request on a repository in, as the door does."""
        subject = await self.gate.asking(authorization, name, actions)
        return await self.gate.admit(subject, name, actions)

    async def bearer(self, user: str | None, *asked: str, password: str = PASSWORD) -> str:
        """Return the header with a token that the endpoint would issue."""
        wanted = parse(asked)
        issued = (
            await self.issuer.to_anybody(wanted)
            if user is None
            else await self.issuer.for_password(user, password, wanted, address="", offline=False)
        )
        return f"Bearer {issued.access.text}"


@contextmanager
def doors(*, anonymous_push: bool = False, most_failures: int = 20) -> Iterator[Doors]:
    clock, hasher = Clock(), CountingHasher()
    records = MemoryRecords(now=clock)
    with Passwords(hasher) as passwords:
        attempts = Attempts(clock, most=most_failures)
        logins = Logins(records.users, passwords, attempts, clock)
        ring = KeyRing(records.keys, clock)
        tokens = Tokens(ring, service=SERVICE, now=clock)
        gate = Gate(records.repositories, logins, tokens, anonymous_push=anonymous_push)
        issuer = Issuer(gate, logins, records.users, tokens)
        yield Doors(clock, records, hasher, passwords, attempts, logins, ring, tokens, gate, issuer)


def run_with(test: Callable[[Doors], Awaitable[T]], **options: Any) -> T:
    """Run what needs the doors."""

    async def main() -> T:
        with doors(**options) as all_doors:
            return await test(all_doors)

    return asyncio.run(main())


def basic(name: str, password: str = PASSWORD) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def access(name: str, *actions: str) -> Access:
    return Access("repository", name, frozenset(actions))


def user_of(name: str) -> User:
    """Return a user that no records know."""
    return User(7, name, "", is_admin=False, epoch=3, created_at=datetime(2026, 1, 1, tzinfo=UTC))


def segment(content: object) -> str:
    """Return one part of a token."""
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def opened(part: str) -> dict[str, Any]:
    """Return what one part of a token says."""
    content: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return content
