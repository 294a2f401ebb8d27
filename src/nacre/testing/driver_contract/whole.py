"""The contract suite of storage drivers."""

from __future__ import annotations

from nacre.testing.driver_contract.attaching import AttachingContract
from nacre.testing.driver_contract.layers import LayersContract
from nacre.testing.driver_contract.tidying import TidyingContract
from nacre.testing.driver_contract.tops import TopsContract
from nacre.testing.driver_contract.trees import TreesContract


class StorageDriverContract(
    LayersContract,
    TreesContract,
    AttachingContract,
    TopsContract,
    TidyingContract,
):
    """What a `StorageDriver` promises; ``stage`` is a fresh one."""
