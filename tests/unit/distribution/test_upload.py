"""Blobs are pushed in as few requests and bytes as the registry allows."""

from __future__ import annotations

import io
import random
from typing import BinaryIO

import pytest

from nacre.distribution.body import ContentEnded
from nacre.distribution.credential import Credential
from nacre.distribution.errors import AccessDenied, ConnectionDropped, InvalidReply
from nacre.distribution.repository import Repository
from nacre.errors import Invalid, NotFound, Unavailable
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, DropAfter, DropUpload, Options, Patch
from tests.unit.distribution.conftest import Kit, content_of

DATA = random.Random(3).randbytes(3_000_000)
BLOB = Descriptor.of("application/octet-stream", DATA)


def push(repository: Repository, data: bytes = DATA) -> list[int]:
    """Push bytes and return the offsets that were told."""
    told: list[int] = []
    descriptor = Descriptor.of("application/octet-stream", data)
    repository.upload(descriptor, content_of(data), told.append)
    return told


def methods(server: RegistryServer) -> list[str]:
    return [request.method for request in server.requests]


def test_a_blob_is_pushed_in_two_requests(repository: Repository, server: RegistryServer) -> None:
    told = push(repository)
    assert methods(server) == ["POST", "PUT"]
    assert server.blobs[BLOB.digest] == DATA
    assert told == sorted(told)
    assert told[-1] == BLOB.size
    assert not server.uploads


def test_an_empty_blob_is_pushed(repository: Repository) -> None:
    push(repository, b"")
    assert repository.has_blob(Digest.of(b""))


def test_a_sha512_blob_is_pushed(repository: Repository, server: RegistryServer) -> None:
    digest = Digest.of(DATA, "sha512")
    repository.upload(Descriptor("a/b", digest, len(DATA)), content_of(DATA), lambda _: None)
    assert server.blobs[digest] == DATA


def test_absolute_locations_are_followed(kit: Kit) -> None:
    server = kit.server(Options(absolute_locations=True))
    push(kit.repository(server))
    assert server.blobs[BLOB.digest] == DATA


def test_a_dropped_upload_goes_on_from_what_arrived(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("PUT", "/uploads/", DropUpload(1_000_000))
    push(repository)
    assert methods(server) == ["POST", "PUT", "GET", "PATCH", "PUT"]
    patch = server.seen("PATCH")[0]
    assert patch.headers["content-range"] == "1000000-2999999"
    assert patch.received == 2_000_000
    assert server.blobs[BLOB.digest] == DATA


def test_an_upload_that_keeps_dropping_moves_each_byte_once(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("PUT", "/uploads/", DropUpload(300_000))
    server.fail("PATCH", "/uploads/", DropUpload(300_000), times=7)
    push(repository)
    assert sum(request.received for request in server.requests) == BLOB.size
    assert server.blobs[BLOB.digest] == DATA


def test_an_upload_dropped_before_any_byte_begins_again(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("PUT", "/uploads/", DropUpload(0))
    push(repository)
    assert server.blobs[BLOB.digest] == DATA
    assert not server.uploads, "the first upload was cancelled"


def test_an_upload_that_the_registry_forgot_begins_again(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("PUT", "/uploads/", DropUpload(1_000_000))
    server.fail("GET", "/uploads/", Answer(404))
    push(repository)
    assert server.blobs[BLOB.digest] == DATA


def test_an_upload_without_progress_is_given_up_and_cancelled(
    repository: Repository, server: RegistryServer, kit: Kit
) -> None:
    server.fail("PUT", "/uploads/", DropUpload(0), times=1000)
    with pytest.raises(ConnectionDropped):
        push(repository)
    assert len(server.seen("PUT")) == 5
    assert not server.uploads
    assert sum(kit.time.slept) < 60


def test_an_overloaded_registry_gets_the_rest_later(
    repository: Repository, server: RegistryServer, kit: Kit
) -> None:
    server.fail("PUT", "/uploads/", Answer(503, {"Retry-After": "4"}))
    push(repository)
    assert kit.time.slept == [4.0]
    assert server.blobs[BLOB.digest] == DATA


def test_a_registry_that_stays_overloaded_is_named(
    repository: Repository, server: RegistryServer
) -> None:
    body = b'{"errors": [{"code": "UNKNOWN", "message": "no space left"}]}'
    server.fail("PUT", "/uploads/", Answer(503, {}, body), times=1000)
    with pytest.raises(Unavailable, match=r"cannot push blob .*: unknown: no space left"):
        push(repository)
    assert not server.uploads


def test_a_wrong_digest_is_reported(repository: Repository, server: RegistryServer) -> None:
    wrong = Descriptor("a/b", Digest.of(b"other"), len(DATA))
    with pytest.raises(InvalidReply, match="digest invalid: provided digest did not match"):
        repository.upload(wrong, content_of(DATA), lambda _: None)
    assert wrong.digest not in server.blobs


def test_large_requests_are_cut_into_chunks_when_refused(kit: Kit) -> None:
    server = kit.server(Options(largest_request=600_000))
    repository = kit.repository(server)
    push(repository)
    assert server.blobs[BLOB.digest] == DATA
    assert all(request.received <= 600_000 for request in server.requests)


def test_chunks_are_not_smaller_than_the_registry_asks(kit: Kit) -> None:
    server = kit.server(Options(largest_request=2_000_000, least_chunk=900_000))
    push(kit.repository(server))
    assert server.blobs[BLOB.digest] == DATA
    chunks = [request.received for request in server.seen("PATCH") if request.received]
    assert all(chunk >= 900_000 for chunk in chunks[:-1])


def test_a_registry_that_refuses_the_least_chunk_is_given_up(kit: Kit) -> None:
    server = kit.server(Options(largest_request=1000))
    with pytest.raises(Invalid, match="413"):
        push(kit.repository(server))


@pytest.mark.parametrize("status", [200, 202, 204])
def test_another_good_status_counts_when_the_blob_is_there(
    repository: Repository, server: RegistryServer, status: int
) -> None:
    server.add_blob("team/app", DATA)
    server.fail("PUT", "/uploads/", Answer(status))
    push(repository)
    assert methods(server)[-1] == "HEAD"


def test_a_registry_that_takes_chunks_without_keeping_them_is_found_out(kit: Kit) -> None:
    server = kit.server(Options(largest_request=900_000))
    server.fail("PATCH", "/uploads/", Patch({"Range": "0-524287"}), times=100)
    with pytest.raises(InvalidReply, match="without keeping them"):
        push(kit.repository(server))


def test_a_registry_that_claims_too_much_is_found_out(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("PUT", "/uploads/", DropUpload(1000))
    server.fail("GET", "/uploads/", Patch({"Range": "0-99999999"}))
    with pytest.raises(InvalidReply, match="claims to have 100000000 bytes"):
        push(repository)


def test_an_upload_without_a_location_is_refused(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("POST", "/uploads/", Patch({"Location": None}))
    with pytest.raises(InvalidReply, match="without saying where"):
        push(repository)


def test_no_credentials_go_to_an_upload_at_another_host(kit: Kit) -> None:
    registry = kit.server(Options(auth="basic", users={"ann": "secret"}))
    other = kit.server()
    elsewhere = Patch({"Location": f"{other.url}/v2/x/blobs/uploads/1"})
    registry.fail("POST", "/uploads/", elsewhere, times=100)
    with pytest.raises(NotFound, match="cannot push blob .* not found at .*: blob upload unknown"):
        push(kit.repository(registry, credential=Credential("ann", "secret")))
    assert registry.seen("POST")[1].headers["authorization"].startswith("Basic ")
    assert other.requests
    assert all("authorization" not in request.headers for request in other.requests)


def test_content_that_ends_early_is_reported_as_such(
    repository: Repository, server: RegistryServer
) -> None:
    with pytest.raises(ContentEnded, match="ended after 1000 bytes, 2999000 too early"):
        repository.upload(BLOB, content_of(DATA[:1000]), lambda _: None)
    assert not server.uploads, "the upload was cancelled"
    assert methods(server).count("PUT") <= 1, "content that is wrong is not tried again"


def test_content_that_cannot_be_read_is_not_taken_for_a_broken_connection(
    repository: Repository,
) -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            raise OSError(5, "Input/output error")

    def content(_offset: int) -> BinaryIO:
        return io.BufferedReader(Failing())

    with pytest.raises(OSError, match="Input/output error"):
        repository.upload(BLOB, content, lambda _: None)


def test_content_is_closed(repository: Repository, server: RegistryServer) -> None:
    opened: list[io.BytesIO] = []

    def content(offset: int) -> BinaryIO:
        opened.append(io.BytesIO(DATA[offset:]))
        return opened[-1]

    server.fail("PUT", "/uploads/", DropUpload(1_000_000))
    repository.upload(BLOB, content, lambda _: None)
    assert len(opened) == 2
    assert all(stream.closed for stream in opened)


def test_a_blob_is_mounted(repository: Repository, server: RegistryServer) -> None:
    server.add_blob("team/base", DATA)
    assert repository.mount(BLOB.digest, "team/base")
    assert repository.has_blob(BLOB.digest)
    assert sum(request.received for request in server.requests) == 0


def test_a_refused_mount_is_used_as_the_upload(
    repository: Repository, server: RegistryServer
) -> None:
    assert not repository.mount(BLOB.digest, "team/base")
    push(repository)
    assert methods(server) == ["POST", "PUT"]


def test_a_second_refused_mount_cancels_the_first(
    repository: Repository, server: RegistryServer
) -> None:
    assert not repository.mount(BLOB.digest, "team/base")
    assert not repository.mount(BLOB.digest, "team/other")
    assert len(server.uploads) == 1


def test_a_mount_asks_to_read_its_origin(kit: Kit) -> None:
    server = kit.server(Options(auth="token", users={"ann": "secret"}))
    server.add_blob("team/base", DATA)
    repository = kit.repository(server, credential=Credential("ann", "secret"))
    assert repository.mount(BLOB.digest, "team/base")
    asked = server.seen("GET", "/token")[0].path
    assert "repository%3Ateam%2Fbase%3Apull" in asked
    assert "repository%3Ateam%2Fapp%3Apull%2Cpush" in asked


def test_a_mount_from_where_we_may_not_read_is_just_refused(kit: Kit) -> None:
    server = kit.server(Options(auth="token", strict_scopes=True))
    assert not kit.repository(server).mount(BLOB.digest, "private/base")


def test_a_push_that_is_not_allowed_is_denied(kit: Kit) -> None:
    server = kit.server(Options(auth="token"))
    with pytest.raises(AccessDenied, match="push access denied for") as caught:
        push(kit.repository(server))
    assert caught.value.remedy == f"run 'nacre login {server.host}'"


def test_the_reply_may_break_off_after_the_blob_has_arrived(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("POST", "/uploads/", DropAfter(0))
    push(repository)
    assert server.blobs[BLOB.digest] == DATA


def test_a_least_chunk_of_thousands_of_digits_is_none(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("POST", "/uploads/", Patch({"OCI-Chunk-Min-Length": "9" * 5000}))
    repository.upload(Descriptor.of("a/b", b"x"), content_of(b"x"), lambda _offset: None)
    assert server.blobs[Descriptor.of("a/b", b"x").digest] == b"x"
