"""Contract suites: what every implementation of a hub's records and bytes promises.

The suites of records take a ``hub``, a `Stage` with empty records; the one of bytes takes an empty
``place``. How suites are used is told in ``nacre.testing.contracts``.
"""

from nacre.testing.hub_contracts.blobs import BlobsContract
from nacre.testing.hub_contracts.bytes import BytePlaceContract
from nacre.testing.hub_contracts.garbage import GarbageContract
from nacre.testing.hub_contracts.inventory import InventoryContract
from nacre.testing.hub_contracts.keys import JobLeasesContract, SigningKeysContract
from nacre.testing.hub_contracts.manifests import ManifestsContract
from nacre.testing.hub_contracts.outbox import OutboxContract
from nacre.testing.hub_contracts.quotas import QuotasContract
from nacre.testing.hub_contracts.repositories import RepositoriesContract
from nacre.testing.hub_contracts.stage import Clock, Stage
from nacre.testing.hub_contracts.standing import StandingContract
from nacre.testing.hub_contracts.tags import TagsContract
from nacre.testing.hub_contracts.uploads import UploadsContract
from nacre.testing.hub_contracts.users import UsersContract

__all__ = [
    "BlobsContract",
    "BytePlaceContract",
    "Clock",
    "GarbageContract",
    "InventoryContract",
    "JobLeasesContract",
    "ManifestsContract",
    "OutboxContract",
    "QuotasContract",
    "RepositoriesContract",
    "SigningKeysContract",
    "Stage",
    "StandingContract",
    "TagsContract",
    "UploadsContract",
    "UsersContract",
]
