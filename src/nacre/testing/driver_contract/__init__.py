"""The contract suite of storage drivers; how suites are used is told in ``contracts``."""

from nacre.testing.driver_contract.stage import Stage
from nacre.testing.driver_contract.whole import StorageDriverContract

__all__ = ["Stage", "StorageDriverContract"]
