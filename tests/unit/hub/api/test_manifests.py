"""Pushing, pulling and deleting manifests."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import Any

import pytest

from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.policy import Policy
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode
from tests.unit.hub.api.driver import Hub, ask, image, index, on_hub, part

ALGORITHMS = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
SPARSE = Rules(sparse=frozenset({"library"}))
FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
BIG = {f"key{number}": "x" * 10_000 for number in range(390)}


async def put(hub: Hub, raw: bytes, reference: str, media_type: str, **options: Any) -> Any:
    headers = {"content-type": media_type} if media_type else {}
    target = f"/v2/app/manifests/{reference}"
    return await hub.ask("PUT", target, options.get("body", raw), headers=headers)


@ALGORITHMS
def test_a_push_without_content_length_is_pulled_as_it_was(algorithm: str) -> None:
    async def test(hub: Hub) -> None:
        raw = encode(await hub.fields())
        digest = Digest.of(raw, algorithm)
        answer = await put(hub, raw, digest, mediatypes.OCI_MANIFEST, body=[raw[:50], raw[50:]])
        assert (answer.status, answer["docker-content-digest"]) == (201, digest)
        get = await hub.ask("GET", answer["location"])
        assert (get.status, get.body) == (200, raw)
        assert get["content-type"] == mediatypes.OCI_MANIFEST
        assert get["content-length"] == str(len(raw))
        assert get["docker-content-digest"] == digest
        head = await hub.ask("HEAD", answer["location"])
        assert (head.status, head.body, head.headers) == (200, b"", get.headers)

    on_hub(test)


def test_a_tag_keeps_the_digest_as_pushed() -> None:
    async def test(hub: Hub) -> None:
        raw = encode(await hub.fields())
        digest = Digest.of(raw, "sha512")
        answer = await hub.ask(
            "PUT",
            f"/v2/app/manifests/{digest}?tag=one",
            raw,
            headers={"content-type": mediatypes.OCI_MANIFEST},
        )
        assert answer.status == 201
        for method in ("HEAD", "GET"):
            answer = await hub.ask(method, "/v2/app/manifests/one")
            assert (answer.status, answer["docker-content-digest"]) == (200, digest)

    on_hub(test)


@ALGORITHMS
def test_several_tags_at_once(algorithm: str) -> None:
    async def test(hub: Hub) -> None:
        fields = await hub.fields()
        digest = Digest.of(encode(fields), algorithm)
        tags = [f"t{number}" for number in range(12)]
        query = "?" + "&".join(f"tag={tag}" for tag in tags)
        answer = await hub.push(fields, reference=digest, query=query)
        assert answer.status == 201
        assert answer["oci-tag"].split(", ") == tags
        for tag in tags:
            answer = await hub.ask("HEAD", f"/v2/app/manifests/{tag}")
            assert answer["docker-content-digest"] == digest

    on_hub(test)


def test_too_many_tags_are_414() -> None:
    async def test(hub: Hub) -> None:
        fields = await hub.fields()
        for number in (101, 2000):
            query = "?" + "&".join(f"tag=t{each}" for each in range(number))
            answer = await hub.push(fields, query=query)
            assert (answer.status, answer.code) == (414, "UNSUPPORTED")
        answer = await hub.ask("GET", "/v2/app/tags/list")
        assert answer.json["tags"] == []
        query = "?" + "&".join(f"tag=t{each}" for each in range(100))
        assert (await hub.push(fields, query=query)).status == 201

    on_hub(test)


def test_an_invalid_tag_among_several_pushes_nothing() -> None:
    async def test(hub: Hub) -> None:
        answer = await hub.push(await hub.fields(), query="?tag=good&tag=.bad")
        assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")
        assert (await hub.ask("GET", "/v2/app/manifests/good")).status == 404

    on_hub(test)


def test_several_tags_honour_immutability() -> None:
    async def test(hub: Hub) -> None:
        await hub.image(reference="v1")
        policy = Policy(immutable="v.*")
        await hub.doors.records.repositories.change("library/app", policy=policy)
        other = await hub.fields(annotations={"other": "yes"})
        answer = await hub.push(other, query="?tag=new&tag=v1")
        assert (answer.status, answer.code) == (403, "DENIED")
        answer = await hub.push(other, reference="v1")
        assert (answer.status, answer.code) == (403, "DENIED")
        assert (await hub.ask("GET", "/v2/app/manifests/new")).status == 404
        answer = await hub.ask("DELETE", "/v2/app/manifests/v1")
        assert (answer.status, answer.code) == (403, "DENIED")

    on_hub(test)


def test_the_parts_of_an_immutable_image_cannot_be_deleted() -> None:
    async def test(hub: Hub) -> None:
        child = await hub.image()
        listed = {"mediaType": mediatypes.OCI_MANIFEST, "digest": child, "size": 1}
        raw = await hub.ask("GET", f"/v2/app/manifests/{child}")
        listed["size"] = len(raw.body)
        assert (await hub.push(index(listed), reference="v1")).status == 201
        for target in (
            f"manifests/{child}",
            *(f"blobs/{Digest.of(x)}" for x in (b"{}", b"a layer")),
        ):
            answer = await hub.ask("DELETE", f"/v2/app/{target}")
            assert (answer.status, answer.code) == (403, "DENIED")
            assert (await hub.ask("HEAD", f"/v2/app/{target}")).status == 200

    on_hub(test, rules=Rules(immutable="v.*"))


def test_the_hubs_own_immutable_pattern_holds_where_a_repository_has_none() -> None:
    async def test(hub: Hub) -> None:
        await hub.image(reference="v1")
        other = await hub.fields(annotations={"other": "yes"})
        assert (await hub.push(other, reference="v1")).status == 403
        assert (await hub.push(other, reference="latest")).status == 201

    on_hub(test, rules=Rules(immutable="v.*"))


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("kind", ["image", "index"])
def test_a_subject_is_answered_with_oci_subject(present: bool, kind: str) -> None:
    async def test(hub: Hub) -> None:
        subject = Digest.of(b"absent")
        if present:
            subject = await hub.image()
        described = {"mediaType": mediatypes.OCI_MANIFEST, "digest": subject, "size": 6}
        fields = await hub.fields(subject=described)
        answer = await hub.push(fields if kind == "image" else index(subject=described))
        assert (answer.status, answer["oci-subject"]) == (201, subject)

    on_hub(test)


def test_no_subject_no_oci_subject() -> None:
    async def test(hub: Hub) -> None:
        answer = await hub.push(await hub.fields(), reference="one")
        assert answer.get("oci-subject") is None
        assert answer.get("oci-tag") is None

    on_hub(test)


@ALGORITHMS
def test_another_digest_than_the_bytes_have_is_400(algorithm: str) -> None:
    async def test(hub: Hub) -> None:
        wrong = Digest.of(b"other", algorithm)
        answer = await hub.push(await hub.fields(), reference=wrong)
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")

    on_hub(test)


def test_a_malformed_digest_is_400() -> None:
    async def test(hub: Hub) -> None:
        fields = await hub.fields()
        bad = "sha256:baddigeststring"
        answer = await hub.push(fields, reference=bad)
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
        assert (await hub.ask("GET", f"/v2/app/manifests/{bad}")).status == 400

    on_hub(test)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize(
    "reference", ["missing", ".INVALID_MANIFEST_NAME", Digest.of(b"x"), Digest.of(b"x", "sha512")]
)
def test_a_missing_manifest_is_404(method: str, reference: str) -> None:
    async def test(hub: Hub) -> None:
        await hub.push_blob(b"x")
        answer = await hub.ask(method, f"/v2/app/manifests/{reference}")
        assert answer.status == 404
        if method != "HEAD":
            assert answer.code == "MANIFEST_UNKNOWN"

    on_hub(test)


@ALGORITHMS
@pytest.mark.parametrize(
    "fields",
    [
        image(annotations=BIG),
        image(layers=[]),
        index(),
        index(artifactType="application/x.art"),
        image(artifactType="application/x.art", config=part(b"{}", mediatypes.OCI_EMPTY)),
        image(layers=[part(b"a layer", data=b64encode(b"a layer").decode())]),
        image(unknown={"kept": [1, 2.5, None]}),
        image(layers=[part(b"never pushed", FOREIGN, urls=["https://example.com/layer"])]),
        image(mediaType=mediatypes.DOCKER_MANIFEST, config=part(b"{}", mediatypes.DOCKER_CONFIG)),
        index(mediaType=mediatypes.DOCKER_LIST),
    ],
    ids=[
        "3.9 MB",
        "no layers",
        "empty index",
        "artifact index",
        "artifact",
        "data",
        "unknown fields",
        "foreign layer",
        "docker",
        "docker list",
    ],
)
def test_what_must_be_taken(algorithm: str, fields: dict[str, Any]) -> None:
    async def test(hub: Hub) -> None:
        await hub.fields()
        raw = encode(fields)
        for reference in (Digest.of(raw, algorithm), "tag"):
            answer = await hub.push(fields, reference=reference)
            assert answer.status == 201, answer
            get = await hub.ask("GET", f"/v2/app/manifests/{reference}")
            assert (get.body, get["content-type"]) == (raw, fields["mediaType"])

    on_hub(test)


def test_nested_indexes() -> None:
    async def test(hub: Hub) -> None:
        raw = encode(await hub.fields())
        await hub.push(await hub.fields())
        inner = index(part(raw, mediatypes.OCI_MANIFEST))
        assert (await hub.push(inner)).status == 201
        outer = index(part(encode(inner), mediatypes.OCI_INDEX))
        assert (await hub.push(outer, reference="outer")).status == 201

    on_hub(test)


@pytest.mark.parametrize(
    "fields",
    [
        image(layers=[part(b"missing layer")]),
        index(part(b"missing child", mediatypes.OCI_MANIFEST)),
    ],
    ids=["image", "index"],
)
def test_sparse_content_by_policy(fields: dict[str, Any]) -> None:
    async def test(hub: Hub) -> Any:
        await hub.fields()
        return await hub.push(fields)

    assert on_hub(test, rules=SPARSE).status == 201
    answer = on_hub(test)
    assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")


def test_sparse_content_by_a_repositorys_own_policy() -> None:
    async def test(hub: Hub) -> None:
        await hub.fields()
        await hub.doors.records.repositories.change("library/app", policy=Policy(sparse=True))
        assert (await hub.push(image(layers=[part(b"missing")]))).status == 201

    on_hub(test)


def test_over_4_mib_is_413() -> None:
    async def test(hub: Hub) -> None:
        raw = b" " * (4 * 1024 * 1024 + 1)
        for body in (raw, [raw[: len(raw) // 2], raw[len(raw) // 2 :]], [raw] * 9):
            answer = await put(hub, raw, "big", mediatypes.OCI_MANIFEST, body=body)
            assert (answer.status, answer.code) == (413, "SIZE_INVALID")

    on_hub(test)


SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (encode(image(manifests=[])), mediatypes.OCI_MANIFEST),
        (encode(index(layers=[])), mediatypes.OCI_INDEX),
        (b'{"schemaVersion":2,"schemaVersion":2,"manifests":[]}', mediatypes.OCI_INDEX),
        (encode(index()), mediatypes.OCI_MANIFEST),
        (encode(index()), mediatypes.DOCKER_LIST),
        (encode(image(mediaType="text/plain")), "text/plain"),
        (b'{"schemaVersion":1}', SCHEMA_1),
        (b'{"schemaVersion":1}', ""),
        (b"{", mediatypes.OCI_MANIFEST),
        (b"", mediatypes.OCI_MANIFEST),
        (b"[]", mediatypes.OCI_MANIFEST),
        (b"[" * 100_000, mediatypes.OCI_MANIFEST),
        (encode(image(layers=[{**part(b"x"), "digest": "sha256:../../x"}])), ""),
        (encode(image(layers=[{**part(b"x"), "size": -1}])), ""),
        (encode(image(subject={"digest": "sha256:bad"})), ""),
        (encode(image(layers=[part(b"a layer", data="!")])), ""),
        (encode(image(layers=[part(b"a layer", data=b64encode(b"others").decode())])), ""),
        (encode(image(annotations={"a": 1})), ""),
    ],
)
def test_what_means_nothing_or_two_things_is_manifest_invalid(raw: bytes, media_type: str) -> None:
    async def test(hub: Hub) -> None:
        await hub.fields()
        answer = await put(hub, raw, "bad", media_type)
        assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")
        assert (await hub.ask("GET", "/v2/app/manifests/bad")).status == 404

    on_hub(test)


def test_a_charset_is_neither_minded_nor_added() -> None:
    async def test(hub: Hub) -> None:
        raw = encode(await hub.fields())
        stated = f"{mediatypes.OCI_MANIFEST}; charset=utf-8"
        assert (await put(hub, raw, "one", stated)).status == 201
        answer = await hub.ask("GET", "/v2/app/manifests/one")
        assert answer["content-type"] == mediatypes.OCI_MANIFEST

    on_hub(test)


def test_media_types_are_the_same_in_capitals() -> None:
    async def test(hub: Hub) -> None:
        raw = encode(await hub.fields())
        assert (await put(hub, raw, "one", mediatypes.OCI_MANIFEST.upper())).status == 201
        for accept, status in (
            (mediatypes.OCI_MANIFEST.upper(), 200),
            (f"{mediatypes.OCI_MANIFEST};q=0", 404),
        ):
            answer = await hub.ask("GET", "/v2/app/manifests/one", headers={"accept": accept})
            assert answer.status == status

    on_hub(test)


def test_deleting_a_tag_is_202_and_at_once() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.image(reference="one")
        assert (await hub.ask("DELETE", "/v2/app/manifests/one")).status == 202
        assert (await hub.ask("HEAD", "/v2/app/manifests/one")).status == 404
        assert (await hub.ask("HEAD", f"/v2/app/manifests/{digest}")).status == 200

    on_hub(test)


def test_deleting_a_manifest_is_202_and_at_once_with_its_tags() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.image(reference="one")
        assert (await hub.ask("DELETE", f"/v2/app/manifests/{digest}")).status == 202
        for reference in ("one", digest):
            assert (await hub.ask("HEAD", f"/v2/app/manifests/{reference}")).status == 404

    on_hub(test)


def test_foreign_layers_are_warned_about() -> None:
    async def test(hub: Hub) -> None:
        await hub.fields()
        answer = await hub.push(image(layers=[part(b"away", FOREIGN)]))
        assert answer["warning"].startswith('299 - "non-distributable layers are deprecated')
        assert (await hub.push(image())).get("warning") is None

    on_hub(test)


class TestAccept:
    """What clients take is respected for tags; a digest is what it is."""

    DOCKER = f"{mediatypes.DOCKER_MANIFEST}, {mediatypes.OCI_MANIFEST}"

    async def pushed(self, hub: Hub) -> tuple[Digest, Digest]:
        child = encode(await hub.fields(annotations={"n": os.urandom(4).hex()}))
        await put(hub, child, "child", mediatypes.OCI_MANIFEST)
        platform = {"os": "linux", "architecture": "amd64"}
        fields = index(part(child, mediatypes.OCI_MANIFEST, platform=platform))
        answer = await hub.push(fields, reference="multi")
        return Digest.of(child), Digest(answer["docker-content-digest"])

    def test_a_client_that_knows_no_indexes_gets_linux_amd64(self) -> None:
        async def test(hub: Hub) -> None:
            child, whole = await self.pushed(hub)
            target = "/v2/app/manifests/multi"
            answer = await hub.ask("GET", target, headers={"accept": self.DOCKER})
            assert answer["docker-content-digest"] == child
            answer = await hub.ask("GET", f"/v2/app/manifests/{whole}", headers={"accept": "x/y"})
            assert answer["docker-content-digest"] == whole

        on_hub(test)

    @pytest.mark.parametrize(
        "accept", ["*/*", "application/json", f"a/b;q=0.1, {mediatypes.OCI_INDEX};q=0.9", ""]
    )
    def test_a_client_that_takes_anything_gets_the_index(self, accept: str) -> None:
        async def test(hub: Hub) -> None:
            _, whole = await self.pushed(hub)
            headers = {"accept": accept} if accept else {}
            answer = await hub.ask("GET", "/v2/app/manifests/multi", headers=headers)
            assert answer["docker-content-digest"] == whole

        on_hub(test)

    def test_several_accept_headers_are_one_list(self) -> None:
        async def test(hub: Hub) -> None:
            _, whole = await self.pushed(hub)
            headers = [
                ("accept", mediatypes.DOCKER_MANIFEST),
                ("accept", "a/b"),
                ("accept", mediatypes.OCI_INDEX),
            ]
            answer = await ask(hub.app, "GET", "/v2/app/manifests/multi", headers=headers)
            assert answer["docker-content-digest"] == whole

        on_hub(test)

    def test_what_a_client_does_not_take_is_404(self) -> None:
        async def test(hub: Hub) -> None:
            await self.pushed(hub)
            for tag, accept in (("multi", "text/html"), ("child", mediatypes.OCI_INDEX)):
                target = f"/v2/app/manifests/{tag}"
                answer = await hub.ask("GET", target, headers={"accept": accept})
                assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")

        on_hub(test)


def test_pulls_by_tag_are_noted_and_nothing_else() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.image(reference="one")
        await hub.ask("GET", f"/v2/app/manifests/{digest}")
        assert hub.pulls == []
        await hub.ask("HEAD", "/v2/app/manifests/one")
        assert hub.pulls == [(await hub.repository(), "one")]

    on_hub(test)


def test_what_a_client_has_already_is_304() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.image(reference="one")
        for stated in (f'"{digest}"', f'W/"{digest}"', f'"other", "{digest}"', "*"):
            for method in ("GET", "HEAD"):
                headers = {"if-none-match": stated}
                answer = await hub.ask(method, "/v2/app/manifests/one", headers=headers)
                assert (answer.status, answer.body) == (304, b"")
                assert "content-length" not in dict(answer.headers)

    on_hub(test)
