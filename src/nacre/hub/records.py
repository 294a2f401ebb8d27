"""All records of a hub, as one thing that is opened and closed."""

from __future__ import annotations

from typing import Protocol

from nacre.hub.accounts.user import Users
from nacre.hub.auth.keys import SigningKeys
from nacre.hub.jobs.inventory import Inventory
from nacre.hub.jobs.journal import Outbox
from nacre.hub.jobs.queue import Garbage, Leases
from nacre.hub.registry.blobs import Blobs
from nacre.hub.registry.manifests import Manifests
from nacre.hub.registry.uploads import Uploads
from nacre.hub.repositories.repository import Repositories


class Records(Protocol):
    """The records of a hub, by noun. Every method of every noun is one transaction.

    A repository that was removed reads as empty; to start an upload, to mount or to put a manifest
    there raises `NameUnknown`.

    Any of them raises `Busy` when the records cannot be reached or changed in time.
    """

    @property
    def repositories(self) -> Repositories:
        """Namespaces, repositories and roles."""

    @property
    def users(self) -> Users:
        """Users."""

    @property
    def blobs(self) -> Blobs:
        """Blobs and the links that repositories have to them."""

    @property
    def uploads(self) -> Uploads:
        """Blobs on their way in."""

    @property
    def manifests(self) -> Manifests:
        """Manifests, tags and referrers."""

    @property
    def garbage(self) -> Garbage:
        """What garbage collection looks at next."""

    @property
    def leases(self) -> Leases:
        """Which process runs which job."""

    @property
    def keys(self) -> SigningKeys:
        """What tokens are signed with."""

    @property
    def inventory(self) -> Inventory:
        """Everything, page by page."""

    @property
    def outbox(self) -> Outbox:
        """What the journal has not been told yet."""

    async def check(self) -> None:
        """Return if the records can be reached.

        Raises:
            Busy: they cannot.
        """

    async def close(self) -> None:
        """Let go of everything."""
