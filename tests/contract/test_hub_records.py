"""All records of a hub keep the contracts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.testing import hub_contracts as its
from nacre.testing.hub_contracts import Stage
from tests.contract.hub_opening import in_memory, in_sql


class _Everything(
    its.BlobsContract,
    its.GarbageContract,
    its.InventoryContract,
    its.JobLeasesContract,
    its.ManifestsContract,
    its.OutboxContract,
    its.QuotasContract,
    its.RepositoriesContract,
    its.SigningKeysContract,
    its.StandingContract,
    its.TagsContract,
    its.UploadsContract,
    its.UsersContract,
):
    """What `Records` promise; no two suites have a test of the same name but for what is below."""


def test_no_suite_hides_a_test_of_another() -> None:
    names = [name for suite in _Everything.__bases__ for name in vars(suite) if "test_" in name]
    assert sorted(names) == sorted(set(names))


class TestMemoryRecords(_Everything):
    @pytest.fixture
    def hub(self) -> Iterator[Stage]:
        with in_memory() as stage:
            yield stage


class TestSqlRecords(_Everything):
    @pytest.fixture
    def hub(self, tmp_path: Path) -> Iterator[Stage]:
        with in_sql(tmp_path) as stage:
            yield stage
