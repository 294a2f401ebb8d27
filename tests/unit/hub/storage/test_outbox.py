"""The outbox: what is read of the records for the journal, and how much of it at once."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

from nacre.hub.jobs.journal import Told
from nacre.hub.registry import documents
from nacre.hub.registry.manifests import Terms
from nacre.hub.repositories.repository import Visibility
from nacre.hub.storage.sql import open_records
from nacre.oci import mediatypes
from nacre.oci.strictjson import encode

MEBIBYTE = 1 << 20


def large(number: int) -> bytes:
    shape = {"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": []}
    return encode({**shape, "annotations": {"a": f"{number:0{MEBIBYTE}}"}})


def test_large_manifests_are_not_all_in_memory_at_once(tmp_path: Path) -> None:
    """Also those that wait are taken a few at a time."""
    count = 40

    async def most_memory() -> int:
        async with open_records(tmp_path / "hub.db") as records:
            repository = await records.repositories.ensure("a/b", Visibility.PRIVATE)
            for number in range(count):
                manifest = documents.read(large(number), "")
                await records.manifests.put(
                    repository.id, manifest, tags=("t",), terms=Terms("bob")
                )
            tracemalloc.start()
            try:
                told = [each.kind for each in records.outbox.everything()]
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert told.count(Told.MANIFEST) == count
            waiting = await records.outbox.waiting(1000)
            assert 0 < [each.kind for each in waiting].count(Told.MANIFEST) <= 2
            return peak

    assert asyncio.run(most_memory()) < count * MEBIBYTE / 2
