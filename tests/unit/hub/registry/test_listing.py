"""Pages of names, and of referrers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from nacre.hub.registry.documents import read
from nacre.hub.registry.listing import page, referrers
from nacre.hub.registry.manifests import Terms
from nacre.hub.repositories.repository import Visibility
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode
from nacre.testing.hub_records import MemoryRecords


@given(st.sets(st.text("abcXYZ019._-", min_size=1), max_size=30), st.integers(1, 8))
def test_pages_give_every_name_once_in_order(names: set[str], limit: int) -> None:
    async def fetch(after: str, most: int) -> Sequence[str]:
        return [name for name in sorted(names) if name > after][:most]

    async def main() -> list[str]:
        found: list[str] = []
        after = ""
        while True:
            one = await page(fetch, after=after, limit=limit)
            assert len(one.names) <= limit
            found += one.names
            if not one.next:
                return found
            after = one.next

    assert asyncio.run(main()) == sorted(names)


def test_a_page_of_none_leads_nowhere() -> None:
    async def fetch(_after: str, _most: int) -> Sequence[str]:
        raise AssertionError("asked for nothing")

    assert asyncio.run(page(fetch, after="", limit=0)).next == ""


def test_many_referrers_are_found_in_several_steps() -> None:
    async def main() -> None:
        records = MemoryRecords()
        repository = await records.repositories.ensure("a/b", Visibility.PUBLIC)
        subject = Digest.of(b"subject")
        described = {"mediaType": mediatypes.OCI_MANIFEST, "digest": subject, "size": 7}
        for number in range(60):
            fields = {
                "schemaVersion": 2,
                "manifests": [],
                "subject": described,
                "annotations": {"n": str(number)},
            }
            manifest = read(encode(fields), mediatypes.OCI_INDEX)
            await records.manifests.put(repository.id, manifest, tags=[], terms=Terms(""))

        async def some(after: str, limit: int) -> tuple[list[str], str]:
            found, last = await referrers(
                records.manifests,
                repository.id,
                subject,
                artifact_type="",
                after=after,
                limit=limit,
            )
            return [one.digest for one in found], last

        everything, last = await some("", 100)
        assert (len(set(everything)), last) == (60, "")
        first, last = await some("", 50)
        rest, end = await some(last, 50)
        assert (first + rest, len(first), end) == (everything, 50, "")
        assert (await some("", 60))[1] == ""

    asyncio.run(main())
