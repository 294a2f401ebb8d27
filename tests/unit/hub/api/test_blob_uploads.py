"""Pushing blobs, each way that the specification knows, by sha256 and by sha512."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from itertools import pairwise

import pytest

from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.repository import Visibility
from nacre.oci.digest import Digest
from tests.unit.hub.api.driver import Hub, on_hub

ALGORITHMS = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
DATA = os.urandom(512)


async def check(hub: Hub, location: str, data: bytes, digest: Digest) -> None:
    answer = await hub.ask("GET", location)
    assert (answer.status, answer.body) == (200, data)
    assert answer["docker-content-digest"] == digest


@ALGORITHMS
@pytest.mark.parametrize("data", [DATA, b"", b"{}"], ids=["random", "empty", "braces"])
def test_a_single_post_with_a_digest_makes_a_blob(algorithm: str, data: bytes) -> None:
    async def test(hub: Hub) -> None:
        digest = Digest.of(data, algorithm)
        answer = await hub.ask("POST", f"/v2/app/blobs/uploads/?digest={digest}", data)
        assert answer.status == 201
        assert answer["docker-content-digest"] == digest
        await check(hub, answer["location"], data, digest)

    on_hub(test)


@pytest.mark.parametrize("visibility", list(Visibility))
def test_a_push_makes_a_repository_as_visible_as_its_namespace(visibility: Visibility) -> None:
    async def test(hub: Hub) -> None:
        repositories = hub.doors.records.repositories
        await repositories.change_namespace("team", visibility=visibility)
        await hub.push_blob(DATA, "team/app")
        made = (await repositories.standing("team/app", None)).repository
        assert made is not None
        assert made.visibility is visibility

    on_hub(test)


@pytest.mark.parametrize("visibility", list(Visibility))
def test_a_push_to_a_new_namespace_makes_what_the_rules_say(visibility: Visibility) -> None:
    async def test(hub: Hub) -> None:
        await hub.push_blob(DATA, "team/app")
        made = (await hub.doors.records.repositories.standing("team/app", None)).repository
        assert made is not None
        assert made.visibility is visibility

    on_hub(test, rules=Rules(visibility=visibility))


@ALGORITHMS
def test_post_then_put(algorithm: str) -> None:
    async def test(hub: Hub) -> None:
        digest = Digest.of(DATA, algorithm)
        answer = await hub.ask("PUT", f"{await hub.start()}?digest={digest}", DATA)
        assert answer.status == 201
        await check(hub, answer["location"], DATA, digest)

    on_hub(test)


@ALGORITHMS
def test_a_stream_without_length_or_content_range(algorithm: str) -> None:
    async def test(hub: Hub) -> None:
        digest = Digest.of(DATA, algorithm)
        answer = await hub.ask("PATCH", await hub.start(), [DATA[:100], DATA[100:]])
        assert (answer.status, answer["range"]) == (202, "0-511")
        answer = await hub.ask("PUT", f"{answer['location']}?digest={digest}", b"")
        assert answer.status == 201
        await check(hub, answer["location"], DATA, digest)

    on_hub(test)


@ALGORITHMS
@pytest.mark.parametrize("last_in_put", [False, True])
def test_chunks_in_order(algorithm: str, last_in_put: bool) -> None:
    async def test(hub: Hub) -> None:
        digest, location = Digest.of(DATA, algorithm), await hub.start()
        ends = [0, 200, 400] if last_in_put else [0, 200, 400, 512]
        for start, end in pairwise(ends):
            headers = {"content-range": f"{start}-{end - 1}"}
            answer = await hub.ask("PATCH", location, DATA[start:end], headers=headers)
            assert (answer.status, answer["range"]) == (202, f"0-{end - 1}")
            location = answer["location"]
        rest = DATA[ends[-1] :]
        headers = {"content-range": "400-511"} if rest else {}
        answer = await hub.ask("PUT", f"{location}?digest={digest}", rest, headers=headers)
        assert answer.status == 201
        await check(hub, answer["location"], DATA, digest)

    on_hub(test)


@ALGORITHMS
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("wrong", ["300-399", "0-99", "100-199"])
def test_a_chunk_out_of_order_is_416_and_the_upload_lives_on(
    algorithm: str, method: str, wrong: str
) -> None:
    async def test(hub: Hub) -> None:
        digest, location = Digest.of(DATA, algorithm), await hub.start()
        first = {"content-range": "0-199"}
        location = (await hub.ask("PATCH", location, DATA[:200], headers=first))["location"]
        target = f"{location}?digest={digest}" if method == "PUT" else location
        answer = await hub.ask(method, target, b"x" * 100, headers={"content-range": wrong})
        assert (answer.status, answer["range"]) == (416, "0-199")
        assert answer["location"] == location
        assert answer.code == "BLOB_UPLOAD_INVALID"
        answer = await hub.ask("GET", location)
        assert (answer.status, answer["range"]) == (204, "0-199")
        rest = {"content-range": "200-511"}
        answer = await hub.ask(
            "PUT", f"{answer['location']}?digest={digest}", DATA[200:], headers=rest
        )
        assert answer.status == 201
        await check(hub, answer["location"], DATA, digest)

    on_hub(test)


def test_the_first_chunk_ahead_is_416_with_nothing_received() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        headers = {"content-range": "10-19"}
        answer = await hub.ask("PATCH", location, b"x" * 10, headers=headers)
        assert (answer.status, answer["range"]) == (416, "0-0")

    on_hub(test)


def test_a_malformed_content_range_is_416() -> None:
    async def test(hub: Hub) -> None:
        for header in ("0-", "9-0", "bytes", "-5"):
            answer = await hub.ask(
                "PATCH", await hub.start(), b"x", headers={"content-range": header}
            )
            assert answer.status == 416

    on_hub(test)


def test_status_of_an_upload_without_bytes_is_0_0() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        answer = await hub.ask("GET", location)
        assert (answer.status, answer["range"], answer.body) == (204, "0-0", b"")
        assert answer["location"] == location
        assert answer.get("content-length") is None

    on_hub(test)


def test_a_chunk_of_another_length_than_announced_changes_nothing() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        announced = {"content-range": "0-99"}
        answer = await hub.ask("PATCH", location, b"x" * 10, headers=announced)
        assert (answer.status, answer.code) == (400, "SIZE_INVALID")
        answer = await hub.ask("PATCH", location, [b"x" * 10], headers=announced)
        assert (answer.status, answer.code) == (400, "SIZE_INVALID")
        assert (await hub.ask("GET", location))["range"] == "0-0"
        answer = await hub.ask("PUT", f"{location}?digest={Digest.of(DATA)}", DATA)
        assert answer.status == 201

    on_hub(test)


def test_cancel_is_204_and_ends_the_upload() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        assert (await hub.ask("DELETE", location)).status == 204
        for method in ("GET", "PATCH", "DELETE"):
            answer = await hub.ask(method, location)
            assert answer.status == 404
        answer = await hub.ask("PUT", f"{location}?digest={Digest.of(b'')}", b"")
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")

    on_hub(test)


@ALGORITHMS
@pytest.mark.parametrize("way", ["post", "put", "stream", "chunked"])
def test_a_wrong_digest_is_400(algorithm: str, way: str) -> None:
    async def test(hub: Hub) -> None:
        wrong = Digest.of(b"something else", algorithm)
        if way == "post":
            answer = await hub.ask("POST", f"/v2/app/blobs/uploads/?digest={wrong}", DATA)
        else:
            location = await hub.start()
            rest = DATA
            if way == "stream":
                await hub.ask("PATCH", location, [DATA])
                rest = b""
            elif way == "chunked":
                await hub.ask("PATCH", location, DATA, headers={"content-range": "0-511"})
                rest = b""
            answer = await hub.ask("PUT", f"{location}?digest={wrong}", rest)
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
        assert (await hub.ask("HEAD", f"/v2/app/blobs/{wrong}")).status == 404
        assert (await hub.ask("HEAD", f"/v2/app/blobs/{Digest.of(DATA)}")).status == 404

    on_hub(test)


def test_a_put_without_a_digest_is_400_and_the_upload_lives_on() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        for query in ("", "?digest=sha256:baddigeststring", "?digest=md5:abc"):
            answer = await hub.ask("PUT", location + query, b"")
            assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
        assert (await hub.ask("GET", location)).status == 204

    on_hub(test)


def test_digest_algorithm_is_announced_at_the_start() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start(query="?digest-algorithm=sha512")
        await hub.ask("PATCH", location, DATA[:100])
        await hub.ask("PATCH", location, DATA[100:])
        upload = await hub.upload("id1")
        assert upload.digest == Digest.of(DATA, "sha512")
        answer = await hub.ask("PUT", f"{location}?digest={upload.digest}", b"")
        assert answer.status == 201
        answer = await hub.ask("POST", "/v2/app/blobs/uploads/?digest-algorithm=md5")
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")

    on_hub(test)


def test_the_least_chunk_is_told_when_there_is_one() -> None:
    async def test(hub: Hub) -> str | None:
        return (await hub.ask("POST", "/v2/app/blobs/uploads/")).get("oci-chunk-min-length")

    assert on_hub(test) is None
    assert on_hub(test, rules=Rules(chunk_min=4096)) == "4096"


def test_the_slash_after_uploads_may_be_missing() -> None:
    async def test(hub: Hub) -> None:
        answer = await hub.ask("POST", "/v2/app/blobs/uploads")
        assert answer.status == 202
        assert answer["location"].startswith("/v2/app/blobs/uploads/")
        assert answer["range"] == "0-0"
        assert answer["content-length"] == "0"

    on_hub(test)


def test_a_lost_connection_leaves_what_came() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        await hub.ask("PATCH", location, DATA[:300], cut_off=True)
        answer = await hub.ask("GET", location)
        assert answer["range"] == "0-299"
        await hub.ask("PATCH", location, DATA[300:], headers={"content-range": "300-511"})
        answer = await hub.ask("PUT", f"{location}?digest={Digest.of(DATA)}", b"")
        assert answer.status == 201

    on_hub(test)


def test_a_put_that_is_cut_off_can_go_on() -> None:
    async def test(hub: Hub) -> None:
        location, digest = await hub.start(), Digest.of(DATA)
        await hub.ask("PUT", f"{location}?digest={digest}", DATA[:300], cut_off=True)
        assert (await hub.ask("HEAD", f"/v2/app/blobs/{digest}")).status == 404
        assert (await hub.ask("GET", location))["range"] == "0-299"
        answer = await hub.ask("PUT", f"{location}?digest={digest}", DATA[300:])
        assert answer.status == 201

    on_hub(test)


def test_a_silent_client_is_408_and_the_upload_lives_on() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        answer = await hub.ask("PATCH", location, [DATA], silent=True)
        assert (answer.status, answer.code) == (408, "BLOB_UPLOAD_INVALID")
        assert (await hub.ask("GET", location))["range"] == "0-511"
        answer = await hub.ask("PUT", f"{location}?digest={Digest.of(DATA)}", b"")
        assert answer.status == 201

    on_hub(test, patience=timedelta(milliseconds=20))


def test_of_two_requests_at_once_one_is_503() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        slow = asyncio.ensure_future(hub.ask("PATCH", location, [DATA], silent=True))
        await asyncio.sleep(0.02)
        answer = await hub.ask("PATCH", location, b"x")
        assert answer.status == 503
        assert answer["retry-after"] == "5"
        assert (await slow).status == 408

    on_hub(test, patience=timedelta(milliseconds=200))


def test_no_more_uploads_are_written_at_once_than_planned() -> None:
    async def test(hub: Hub) -> None:
        first, second = await hub.start(), await hub.start()
        slow = asyncio.ensure_future(hub.ask("PATCH", first, [DATA], silent=True))
        await asyncio.sleep(0.02)
        assert (await hub.ask("PATCH", second, b"x")).status == 503
        await slow
        assert (await hub.ask("PATCH", second, b"x")).status == 202

    on_hub(test, rules=Rules(writers=1), patience=timedelta(milliseconds=200))


def test_a_blob_over_the_limit_is_413_and_changes_nothing() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        answer = await hub.ask("PATCH", location, [b"x" * 600])
        assert (answer.status, answer.code) == (413, "SIZE_INVALID")
        assert (await hub.ask("GET", location))["range"] == "0-0"

    on_hub(test, rules=Rules(blob_limit=512))


def test_what_a_lost_request_left_behind_is_cut_off() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        await hub.ask("PATCH", location, DATA)
        upload = await hub.upload("id1")
        with hub.place.append(upload.key, 512) as writing:
            writing.write(b"never recorded")
        answer = await hub.ask("PUT", f"{location}?digest={Digest.of(DATA)}", b"")
        assert answer.status == 201
        await check(hub, answer["location"], DATA, Digest.of(DATA))

    on_hub(test)


@pytest.mark.parametrize("way", ["known length", "unknown length", "parts"])
def test_no_more_is_written_than_the_quota_has_room_for(way: str) -> None:
    async def test(hub: Hub) -> None:
        await hub.push_blob(b"x" * 100)
        await hub.doors.records.repositories.change_namespace("library", quota=1000)
        location = await hub.start()
        if way == "parts":
            for _ in range(3):
                assert (await hub.ask("PATCH", location, b"y" * 300)).status == 202
            body: bytes | list[bytes] = b"y"
        else:
            body = b"y" * 901 if way == "known length" else [b"y" * 700_000] * 3
        before = (await hub.ask("GET", location))["range"]
        answer = await hub.ask("PATCH", location, body)
        assert (answer.status, answer.code) == (403, "DENIED")
        assert "library may hold 1000 bytes" in answer.body.decode()
        assert (await hub.ask("GET", location))["range"] == before
        assert sum(kept.size for kept in hub.place) <= 1000
        assert (await hub.ask("DELETE", location)).status == 204

    on_hub(test)


def test_what_was_written_before_the_quota_was_reached_is_cut_off() -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        await hub.doors.records.repositories.change_namespace("library", quota=1_000_000)
        answer = await hub.ask("PATCH", location, [b"y" * 700_000] * 2)
        assert (answer.status, answer.code) == (403, "DENIED")
        assert [kept.size for kept in hub.place] == [0]

    on_hub(test)


def test_a_whole_blob_beyond_the_quota_is_not_written() -> None:
    async def test(hub: Hub) -> None:
        await hub.push_blob(b"x" * 100)
        await hub.doors.records.repositories.change_namespace("library", quota=1000)
        data = b"y" * 901
        for body in (data, [data]):
            answer = await hub.ask("POST", f"/v2/app/blobs/uploads/?digest={Digest.of(data)}", body)
            assert (answer.status, answer.code) == (403, "DENIED")
        assert sum(kept.size for kept in hub.place) == 100
        await hub.push_blob(b"z" * 900)

    on_hub(test)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_upload_whose_bytes_were_lost_is_404_and_over(method: str) -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        await hub.ask("PATCH", location, DATA[:300])
        hub.place.delete([kept.key for kept in hub.place])
        query = f"?digest={Digest.of(DATA)}" if method == "PUT" else ""
        answer = await hub.ask(method, location + query, DATA[300:])
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
        assert (await hub.ask("GET", location)).status == 404

    on_hub(test)


def test_many_buffers_arrive_in_order() -> None:
    data = os.urandom(3_000_000)

    async def test(hub: Hub) -> None:
        parts = [data[at : at + 70_000] for at in range(0, len(data), 70_000)]
        location = await hub.start()
        assert (await hub.ask("PATCH", location, parts))["range"] == "0-2999999"
        answer = await hub.ask("PUT", f"{location}?digest={Digest.of(data)}", b"")
        assert answer.status == 201
        await check(hub, answer["location"], data, Digest.of(data))

    on_hub(test)
