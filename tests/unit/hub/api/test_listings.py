"""Lists: tags, referrers, the catalog and the search."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from nacre.hub.registry.rules import Rules
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from tests.unit.hub.api.driver import Hub, index, on_hub, part

NOTHING = Digest.of(b"nothing")


def next_of(answer: Any) -> str | None:
    link = answer.get("link")
    if link is None:
        return None
    assert link.startswith("<")
    assert link.endswith('>; rel="next"')
    return str(link[1 : link.index(">")])


async def pages(hub: Hub, target: str, key: str) -> list[list[Any]]:
    found = []
    following: str | None = target
    while following:
        answer = await hub.ask("GET", following)
        assert answer.status == 200
        found.append(answer.json[key])
        following = next_of(answer)
    return found


class TestTags:
    TAGS = ("B", "a", "a-1", "b", "v10", "v2")

    async def pushed(self, hub: Hub) -> None:
        query = "?" + "&".join(f"tag={tag}" for tag in reversed(self.TAGS))
        assert (await hub.push(await hub.fields(), query=query)).status == 201

    def test_all_in_ascii_order(self) -> None:
        async def test(hub: Hub) -> None:
            await self.pushed(hub)
            answer = await hub.ask("GET", "/v2/app/tags/list")
            assert answer.json == {"name": "app", "tags": list(self.TAGS)}
            assert answer["content-type"] == "application/json"
            assert answer.get("link") is None

        on_hub(test)

    def test_what_comes_after_last(self) -> None:
        async def test(hub: Hub) -> None:
            await self.pushed(hub)
            answer = await hub.ask("GET", "/v2/app/tags/list?last=a-1")
            assert answer.json["tags"] == ["b", "v10", "v2"]
            answer = await hub.ask("GET", "/v2/app/tags/list?n=1&last=a0")
            assert answer.json["tags"] == ["b"]

        on_hub(test)

    def test_pages_follow_their_links(self) -> None:
        async def test(hub: Hub) -> None:
            await self.pushed(hub)
            found = await pages(hub, "/v2/app/tags/list?n=2", "tags")
            assert found == [["B", "a"], ["a-1", "b"], ["v10", "v2"]]

        on_hub(test)

    def test_n_of_0_is_empty_and_leads_nowhere(self) -> None:
        async def test(hub: Hub) -> None:
            await self.pushed(hub)
            answer = await hub.ask("GET", "/v2/app/tags/list?n=0")
            assert (answer.json["tags"], answer.get("link")) == ([], None)

        on_hub(test)

    @pytest.mark.parametrize("number", ["9999999999999999999999999999", "1000000", "4"])
    def test_a_huge_n_is_what_the_hub_gives_at_most(self, number: str) -> None:
        async def test(hub: Hub) -> None:
            await self.pushed(hub)
            answer = await hub.ask("GET", f"/v2/app/tags/list?n={number}")
            assert len(answer.json["tags"]) == 4
            assert next_of(answer) == "/v2/app/tags/list?n=4&last=b"

        on_hub(test, rules=Rules(page=4))

    @pytest.mark.parametrize("number", ["-1", "x", "", "1.5", quote("\N{ARABIC-INDIC DIGIT ONE}")])
    def test_an_n_that_is_no_number_is_400(self, number: str) -> None:
        async def test(hub: Hub) -> None:
            await self.pushed(hub)
            answer = await hub.ask("GET", f"/v2/app/tags/list?n={number}")
            assert (answer.status, answer.code) == (400, "PAGINATION_NUMBER_INVALID")

        on_hub(test)

    def test_an_unused_repository_has_none(self) -> None:
        async def test(hub: Hub) -> None:
            answer = await hub.ask("GET", "/v2/unused/tags/list")
            assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")

        on_hub(test)


class TestReferrers:
    def test_of_an_unused_repository_are_an_empty_index(self) -> None:
        async def test(hub: Hub) -> None:
            answer = await hub.ask("GET", f"/v2/unused/repo/referrers/{NOTHING}")
            assert answer.status == 200
            assert answer["content-type"] == "application/vnd.oci.image.index.v1+json"
            assert answer.json == index()

        on_hub(test)

    async def pushed(self, hub: Hub, subject: Digest) -> dict[str, dict[str, Any]]:
        """Push an image, an artifact by its config, one by its type, and an index."""
        described = {"mediaType": mediatypes.OCI_MANIFEST, "digest": subject, "size": 7}
        await hub.push_blob(b"{}")
        notes = {"org.example": 'quote " and ü', "other": ""}
        pushed = {}
        for fields in (
            await hub.fields(subject=described, annotations=notes),
            await hub.fields(subject=described, config=part(b"{}", "application/x.config")),
            await hub.fields(subject=described, artifactType="application/x.art"),
            index(subject=described, artifactType="application/x.art", annotations=notes),
            index(subject=described),
        ):
            answer = await hub.push(fields)
            assert answer["oci-subject"] == subject
            pushed[answer["docker-content-digest"]] = fields
        return pushed

    @staticmethod
    def entry(digest: str, fields: dict[str, Any], size: int) -> dict[str, Any]:
        kind = fields.get("artifactType") or fields.get("config", {}).get("mediaType")
        stated = {"mediaType": fields["mediaType"], "digest": digest, "size": size}
        if kind:
            stated["artifactType"] = kind
        if "annotations" in fields:
            stated["annotations"] = fields["annotations"]
        return stated

    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    def test_say_all_that_the_specification_wants(self, algorithm: str) -> None:
        async def test(hub: Hub) -> None:
            subject = Digest.of(b"subject", algorithm)
            pushed = await self.pushed(hub, subject)
            answer = await hub.ask("GET", f"/v2/app/referrers/{subject}")
            assert answer.get("oci-filters-applied") is None
            found = {entry["digest"]: entry for entry in answer.json["manifests"]}
            for digest, fields in pushed.items():
                raw = await hub.ask("GET", f"/v2/app/manifests/{digest}")
                assert found[digest] == self.entry(digest, fields, len(raw.body))
            assert len(found) == len(pushed)

        on_hub(test)

    def test_can_be_filtered(self) -> None:
        async def test(hub: Hub) -> None:
            await self.pushed(hub, NOTHING)
            kind = quote("application/x.art", safe="")
            answer = await hub.ask("GET", f"/v2/app/referrers/{NOTHING}?artifactType={kind}")
            assert answer["oci-filters-applied"] == "artifactType"
            kinds = [entry["artifactType"] for entry in answer.json["manifests"]]
            assert kinds == ["application/x.art"] * 2
            found = await pages(
                hub, f"/v2/app/referrers/{NOTHING}?artifactType={kind}&n=1", "manifests"
            )
            assert [len(page) for page in found] == [1, 1]

        on_hub(test)

    def test_come_in_pages(self) -> None:
        async def test(hub: Hub) -> None:
            pushed = await self.pushed(hub, NOTHING)
            found = await pages(hub, f"/v2/app/referrers/{NOTHING}?n=2", "manifests")
            assert [len(page) for page in found] == [2, 2, 1]
            assert {entry["digest"] for page in found for entry in page} == pushed.keys()

        on_hub(test)

    def test_stay_below_the_size_of_a_manifest(self) -> None:
        async def test(hub: Hub) -> None:
            described = {"mediaType": mediatypes.OCI_MANIFEST, "digest": NOTHING, "size": 7}
            for number in range(6):
                notes = {"n": str(number), "big": "x" * 1_000_000}
                assert (await hub.push(index(subject=described, annotations=notes))).status == 201
            answer = await hub.ask("GET", f"/v2/app/referrers/{NOTHING}")
            assert len(answer.body) < 4 * 1024 * 1024
            found = await pages(hub, f"/v2/app/referrers/{NOTHING}", "manifests")
            assert [len(page) for page in found] == [4, 2]

        on_hub(test)

    def test_go_with_their_manifest(self) -> None:
        async def test(hub: Hub) -> None:
            for digest in await self.pushed(hub, NOTHING):
                await hub.ask("DELETE", f"/v2/app/manifests/{digest}")
            assert (await hub.ask("GET", f"/v2/app/referrers/{NOTHING}")).json == index()

        on_hub(test)


def test_the_catalog_comes_in_pages() -> None:
    async def test(hub: Hub) -> None:
        for name in ("b", "a/x", "c/y"):
            await hub.push_blob(b"x", name)
        who = hub.as_(await hub.doors.bearer(None, "registry:catalog:*"))
        answer = await who.ask("GET", "/v2/_catalog")
        assert answer.json == {"repositories": ["a/x", "c/y", "library/b"]}
        found = await pages(who, "/v2/_catalog?n=2", "repositories")
        assert found == [["a/x", "c/y"], ["library/b"]]

    on_hub(test)


def test_the_search_answers_as_docker_reads_it() -> None:
    async def test(hub: Hub) -> None:
        for name in ("web", "team/web", "team/other"):
            await hub.push_blob(b"x", name)
        answer = await hub.ask("GET", "/v1/search?q=web&n=25")
        assert (answer.json["num_results"], answer.json["query"]) == (2, "web")
        found = {result["name"]: result["is_official"] for result in answer.json["results"]}
        assert found == {"web": True, "team/web": False}
        assert answer.json["results"][0].keys() == {
            "name",
            "description",
            "star_count",
            "is_official",
            "is_automated",
        }
        assert (await hub.ask("GET", "/v1/_ping")).status == 200

    on_hub(test)
