"""A hub with people: what each may do is known, so that it can be tried."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

from argon2 import PasswordHasher

from nacre.hub.accounts.passwords import Passwords
from nacre.hub.repositories.repository import Role, Visibility
from nacre.hub.storage.sql import open_records
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode
from tests.servers.hub import ADMIN, Hub

PASSWORD = "correct horse battery"
LAYER, CONFIG = b"a private layer", b'{"architecture":"amd64","os":"linux"}'
ROLES = {
    "reader": {"alpha/app": Role.READER},
    "writer": {"alpha/app": Role.WRITER},
    "owner": {"beta/app": Role.OWNER},
}
"""Who has which role where; `alpha/app` and `beta/app` are private."""


@dataclass(frozen=True)
class People:
    """The hub, and how each of them sees it."""

    hub: Hub

    def __getitem__(self, name: str) -> Hub:
        if name == "anonymous":
            return self.hub.with_("")
        password = self.hub.password if name == ADMIN else PASSWORD
        return self.hub.as_(name, password)

    def token(self, name: str, *scopes: str) -> Hub:
        """Return the hub as somebody sees it who shows a token."""
        return self[name].with_(self[name].token(*scopes))


def settled(hub: Hub) -> People:
    """Make the people of `ROLES`, and an image ``latest`` in each of the two repositories."""

    async def settle() -> None:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        with Passwords(hasher) as passwords:
            async with open_records(hub.data / "hub.db") as records:
                for name in ("alpha/app", "beta/app"):
                    await records.repositories.ensure(name, Visibility.PRIVATE)
                for name, roles in ROLES.items():
                    await records.users.add(name, await passwords.hash(PASSWORD), is_admin=False)
                    for repository, role in roles.items():
                        await records.repositories.grant(repository, name, role)

    asyncio.run(settle())
    people = People(hub)
    for repository in ("alpha/app", "beta/app"):
        for data in (LAYER, CONFIG):
            people[ADMIN].push_blob(repository, data)
        answer = people[ADMIN].push_manifest(repository, "latest", image())
        assert answer.status == 201, answer
    return people


def part(data: bytes, media_type: str = mediatypes.OCI_LAYER_TAR) -> dict[str, object]:
    """Return a descriptor."""
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data)}


def image(**more: object) -> bytes:
    """Return a manifest of `LAYER` and `CONFIG`."""
    return encode(
        {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_MANIFEST,
            "config": part(CONFIG, mediatypes.OCI_CONFIG),
            "layers": [part(LAYER)],
            **more,
        }
    )


def index(**more: object) -> bytes:
    """Return an index of nothing."""
    shape = {"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": []}
    return encode({**shape, **more})


def claims(token: str) -> Mapping[str, object]:
    """Return what a token says, unchecked."""
    raw = token.split(".")[1]
    read: Mapping[str, object] = json.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    return read
