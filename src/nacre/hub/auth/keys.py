"""The keys that tokens are signed with.

A key's life. The first process that needs one makes it and records it; every process of the hub
signs with the newest and accepts all that are recorded. ``rotate`` adds a newer one; an old one is
forgotten when the last token that it signed has expired. The algorithm is ES256 always: what a
token says about its algorithm or key is compared with the records, never followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair; ``private_pem`` is PKCS#8 and secret."""

    id: str
    private_pem: str = field(repr=False)
    created_at: datetime


class SigningKeys(Protocol):
    """The records of signing keys. Each method is one transaction."""

    async def all(self) -> Sequence[SigningKey]:
        """Return every key, the newest first."""

    async def add_first(self, key: SigningKey) -> Sequence[SigningKey]:
        """Record ``key`` unless another process was faster, and return every key."""

    async def add(self, key: SigningKey) -> None:
        """Record a newer key."""

    async def forget(self, before: datetime) -> None:
        """Forget keys that were made before a time, except the newest."""
