"""Pulling, looking at, mounting and deleting blobs."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from nacre.hub.registry.rules import Rules
from nacre.oci.digest import Digest
from tests.unit.hub.api.driver import Hub, on_hub

ALGORITHMS = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
DATA = os.urandom(4000)


@ALGORITHMS
def test_a_missing_blob_is_404(algorithm: str) -> None:
    async def test(hub: Hub) -> None:
        await hub.push_blob(DATA)
        missing = f"/v2/app/blobs/{Digest.of(b'missing', algorithm)}"
        answer = await hub.ask("GET", missing)
        assert (answer.status, answer.code) == (404, "BLOB_UNKNOWN")
        answer = await hub.ask("HEAD", missing)
        assert (answer.status, answer.body) == (404, b"")
        answer = await hub.ask("DELETE", missing)
        assert (answer.status, answer.code) == (404, "BLOB_UNKNOWN")

    on_hub(test)


@ALGORITHMS
def test_head_has_length_and_digest_and_no_body(algorithm: str) -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA, algorithm=algorithm)
        head = await hub.ask("HEAD", f"/v2/app/blobs/{digest}")
        assert (head.status, head.body) == (200, b"")
        assert head["content-length"] == "4000"
        assert head["docker-content-digest"] == digest
        get = await hub.ask("GET", f"/v2/app/blobs/{digest}")
        assert (get.status, get.body) == (200, DATA)
        assert dict(get.headers) == dict(head.headers)
        assert get["accept-ranges"] == "bytes"
        assert get["etag"] == f'"{digest}"'
        assert get["x-content-type-options"] == "nosniff"
        assert get["content-disposition"] == "attachment"
        assert "private" in get["cache-control"]

    on_hub(test)


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("500-1499", 500, 1499), ("500-", 500, 3999), ("-500", 3500, 3999), ("2000-5000", 2000, 3999)],
)
def test_a_range_is_206(wanted: str, first: int, last: int) -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA)
        headers = {"range": f"bytes={wanted}"}
        answer = await hub.ask("GET", f"/v2/app/blobs/{digest}", headers=headers)
        assert (answer.status, answer.body) == (206, DATA[first : last + 1])
        assert answer["content-range"] == f"bytes {first}-{last}/4000"
        assert answer["content-length"] == str(last - first + 1)

    on_hub(test)


@pytest.mark.parametrize("wanted", ["500-0", "5000-10000", "4000-", "-0", "-", "x-1"])
def test_a_range_that_is_not_there_is_416(wanted: str) -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA)
        headers = {"range": f"bytes={wanted}"}
        answer = await hub.ask("GET", f"/v2/app/blobs/{digest}", headers=headers)
        assert (answer.status, answer.code) == (416, "RANGE_INVALID")
        assert answer["content-range"] == "bytes */4000"

    on_hub(test)


def test_a_range_that_is_not_understood_or_not_current_is_everything() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA)
        for headers in (
            {"range": "bytes=0-1,5-6"},
            {"range": "lines=1-2"},
            {"range": "bytes=0-1", "if-range": '"other"'},
        ):
            answer = await hub.ask("GET", f"/v2/app/blobs/{digest}", headers=headers)
            assert (answer.status, answer.body) == (200, DATA)
        headers = {"range": "bytes=0-1", "if-range": f'"{digest}"'}
        answer = await hub.ask("GET", f"/v2/app/blobs/{digest}", headers=headers)
        assert (answer.status, answer.body) == (206, DATA[:2])

    on_hub(test)


def test_what_a_client_has_already_is_304() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA)
        for stated in (f'"{digest}"', f'W/"{digest}"', f'"other", "{digest}"', "*"):
            for method in ("GET", "HEAD"):
                headers = {"if-none-match": stated}
                answer = await hub.ask(method, f"/v2/app/blobs/{digest}", headers=headers)
                assert (answer.status, answer.body) == (304, b"")
                assert "content-length" not in dict(answer.headers)

    on_hub(test)


@ALGORITHMS
def test_a_deleted_blob_is_gone_at_once(algorithm: str) -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA, algorithm=algorithm)
        answer = await hub.ask("DELETE", f"/v2/app/blobs/{digest}")
        assert answer.status == 202
        assert (await hub.ask("HEAD", f"/v2/app/blobs/{digest}")).status == 404

    on_hub(test)


@ALGORITHMS
@pytest.mark.parametrize("source", ["&from=team/first", ""])
def test_a_mount_is_201(algorithm: str, source: str) -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA, "team/first", algorithm)
        answer = await hub.ask("POST", f"/v2/team/second/blobs/uploads/?mount={digest}{source}")
        assert (answer.status, answer["docker-content-digest"]) == (201, digest)
        assert answer["location"] == f"/v2/team/second/blobs/{digest}"
        assert (await hub.ask("GET", answer["location"])).body == DATA

    on_hub(test)


@pytest.mark.parametrize(
    "source", ["", "&from=team/first", "&from=no/where", "&from=../..", "&from=NO"]
)
def test_a_mount_of_what_is_not_there_is_202_and_its_upload_works(source: str) -> None:
    async def test(hub: Hub) -> None:
        await hub.push_blob(b"other", "team/first")
        digest = Digest.of(DATA)
        answer = await hub.ask("POST", f"/v2/team/second/blobs/uploads/?mount={digest}{source}")
        assert (answer.status, answer["range"]) == (202, "0-0")
        answer = await hub.ask("PUT", f"{answer['location']}?digest={digest}", DATA)
        assert answer.status == 201

    on_hub(test)


def test_a_mount_of_a_malformed_digest_is_an_upload() -> None:
    async def test(hub: Hub) -> None:
        answer = await hub.ask("POST", "/v2/app/blobs/uploads/?mount=sha256:bad&from=a/b")
        assert answer.status == 202

    on_hub(test)


def test_a_blob_that_is_looked_at_stays_for_the_grace() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA)
        blobs, repository = hub.doors.records.blobs, await hub.repository()

        async def life() -> timedelta:
            blob = await blobs.find(repository, digest)
            assert blob is not None
            assert blob.expires_at is not None
            return blob.expires_at - hub.doors.clock()

        hub.doors.clock.advance(hours=5)
        assert (await hub.ask("HEAD", f"/v2/app/blobs/{digest}")).status == 200
        assert await life() == timedelta(hours=25), "no write while the grace is kept"
        hub.doors.clock.advance(hours=20)
        assert (await hub.ask("HEAD", f"/v2/app/blobs/{digest}")).status == 200
        assert await life() >= Rules().grace

    on_hub(test)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_malformed_digest_is_400(method: str) -> None:
    async def test(hub: Hub) -> None:
        await hub.push_blob(DATA)
        for text in ("sha256:baddigeststring", "md5:" + "0" * 32, "sha256:" + "A" * 64, "latest"):
            answer = await hub.ask(method, f"/v2/app/blobs/{text}")
            assert answer.status == 400

    on_hub(test)


def test_bytes_that_are_gone_are_503_and_not_half_an_answer() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA)
        hub.place.delete([kept.key for kept in hub.place])
        answer = await hub.ask("GET", f"/v2/app/blobs/{digest}")
        assert (answer.status, answer.code) == (503, "TOOMANYREQUESTS")

    on_hub(test)


@pytest.mark.parametrize("way", ["whole", "in parts"])
@pytest.mark.parametrize("name", ["app", "team/other"])
def test_a_push_brings_bytes_back_that_were_lost(way: str, name: str) -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA)
        hub.place.delete([kept.key for kept in hub.place])
        assert (await hub.ask("HEAD", f"/v2/app/blobs/{digest}")).status == 404
        if way == "whole":
            await hub.push_blob(DATA, name)
        else:
            location = await hub.start(name)
            assert (await hub.ask("PATCH", location, DATA)).status == 202
            assert (await hub.ask("PUT", f"{location}?digest={digest}", b"")).status == 201
        for repository in ("app", name):
            assert (await hub.ask("HEAD", f"/v2/{repository}/blobs/{digest}")).status == 200
            assert (await hub.ask("GET", f"/v2/{repository}/blobs/{digest}")).body == DATA

    on_hub(test)


def test_bytes_of_another_length_are_brought_back_too() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA)
        (kept,) = hub.place
        with hub.place.append(kept.key, 10):
            pass
        assert (await hub.ask("HEAD", f"/v2/app/blobs/{digest}")).status == 404
        await hub.push_blob(DATA)
        assert (await hub.ask("GET", f"/v2/app/blobs/{digest}")).body == DATA

    on_hub(test)


def test_a_mount_of_lost_bytes_is_202_so_that_they_are_pushed() -> None:
    async def test(hub: Hub) -> None:
        digest = await hub.push_blob(DATA, "team/first")
        hub.place.delete([kept.key for kept in hub.place])
        mount = f"/v2/team/second/blobs/uploads/?mount={digest}&from=team/first"
        answer = await hub.ask("POST", mount)
        assert answer.status == 202
        answer = await hub.ask("PUT", f"{answer['location']}?digest={digest}", DATA)
        assert answer.status == 201
        assert (await hub.ask("GET", f"/v2/team/first/blobs/{digest}")).body == DATA

    on_hub(test)
