"""Blobs are read whole, or not at all."""

from __future__ import annotations

import random

import pytest

from nacre.distribution.errors import ConnectionDropped, InvalidReply, RegistryBlobNotFound
from nacre.distribution.repository import Repository
from nacre.errors import NotFound, Unsupported
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.mediatypes import OCI_LAYER_GZIP
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, DropAfter, Extend, Options, Patch
from tests.unit.distribution.conftest import Kit, read_all

DATA = random.Random(1).randbytes(3_000_000)
BLOB = Descriptor.of(OCI_LAYER_GZIP, DATA)


@pytest.fixture(autouse=True)
def _with_the_blob(server: RegistryServer) -> None:
    server.add_blob("team/app", DATA)


def test_a_blob_is_there_or_not(repository: Repository) -> None:
    assert repository.has_blob(BLOB.digest)
    assert not repository.has_blob(Digest.of(b"another"))


def test_a_blob_is_read(repository: Repository, server: RegistryServer) -> None:
    assert read_all(repository.open_blob(BLOB)) == DATA
    assert len(server.requests) == 1, "no ping, one request"


def test_a_blob_is_read_into_the_readers_buffer(repository: Repository) -> None:
    buffer, got = bytearray(700_000), b""
    with repository.open_blob(BLOB) as stream:
        while count := stream.readinto(buffer):  # type: ignore[attr-defined]
            got += buffer[:count]
    assert got == DATA


def test_reading_goes_on_from_an_offset(repository: Repository, server: RegistryServer) -> None:
    assert read_all(repository.open_blob(BLOB, 1_000_000)) == DATA[1_000_000:]
    assert server.requests[0].sent == 2_000_000


def test_an_empty_blob_has_no_bytes(repository: Repository, server: RegistryServer) -> None:
    server.add_blob("team/app", b"")
    assert read_all(repository.open_blob(Descriptor.of("a/b", b""))) == b""


def test_an_offset_at_the_end_leaves_nothing(repository: Repository) -> None:
    assert read_all(repository.open_blob(BLOB, BLOB.size)) == b""


def test_a_missing_blob_is_named(repository: Repository, server: RegistryServer) -> None:
    missing = Descriptor.of("a/b", b"missing")
    with pytest.raises(RegistryBlobNotFound, match=f"blob {missing.digest} not found in"):
        repository.open_blob(missing)


def test_a_server_without_ranges_is_read_past_the_offset(kit: Kit) -> None:
    server = kit.server(Options(ranges=False))
    server.add_blob("team/app", DATA)
    assert read_all(kit.repository(server).open_blob(BLOB, 2_500_000)) == DATA[2_500_000:]


def test_a_dropped_connection_is_made_anew_from_where_it_broke(
    repository: Repository, server: RegistryServer, kit: Kit
) -> None:
    server.fail("GET", "/blobs/", DropAfter(1_200_000))
    assert read_all(repository.open_blob(BLOB)) == DATA
    _first, second = server.seen("GET", "/blobs/")
    start = int(second.headers["range"].removeprefix("bytes=").rstrip("-"))
    assert 0 < start <= 1_200_000
    assert second.sent == BLOB.size - start
    assert len(kit.retries) == 1
    assert kit.retries[0][0] == f"blob {BLOB.digest.short}"


def test_a_connection_dropped_before_any_byte_is_made_anew(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/blobs/", DropAfter(0))
    assert read_all(repository.open_blob(BLOB)) == DATA
    assert "range" not in server.requests[1].headers


def test_drops_without_ranges_are_mended_by_reading_again(kit: Kit) -> None:
    server = kit.server(Options(ranges=False))
    server.add_blob("team/app", DATA)
    server.fail("GET", "/blobs/", DropAfter(2_000_000), times=2)
    assert read_all(kit.repository(server).open_blob(BLOB)) == DATA


def test_a_connection_that_drops_without_progress_is_given_up(
    repository: Repository, server: RegistryServer, kit: Kit
) -> None:
    server.fail("GET", "/blobs/", DropAfter(10), times=1000)
    with (
        repository.open_blob(BLOB) as stream,
        pytest.raises(ConnectionDropped, match="broke|ended"),
    ):
        stream.read()
    assert len(server.requests) == 5
    assert sum(kit.time.slept) < 60


def test_progress_renews_patience(repository: Repository, server: RegistryServer) -> None:
    data = random.Random(2).randbytes(9_000_000)
    server.add_blob("team/app", data)
    server.fail("GET", "/blobs/", DropAfter(1_100_000), times=7)
    assert read_all(repository.open_blob(Descriptor.of("a/b", data))) == data


def test_a_blob_served_too_short_is_refused(repository: Repository) -> None:
    longer = Descriptor(BLOB.media_type, BLOB.digest, BLOB.size + 1)
    with pytest.raises(InvalidReply, match="is served with 3000000 bytes, but should have 3000001"):
        repository.open_blob(longer)


def test_a_blob_served_too_long_is_refused(repository: Repository) -> None:
    shorter = Descriptor(BLOB.media_type, BLOB.digest, BLOB.size - 1)
    with pytest.raises(InvalidReply, match="is served with 3000000 bytes, but should have 2999999"):
        repository.open_blob(shorter)


def test_a_body_of_unknown_length_may_not_go_on_past_the_end(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/blobs/", Extend(b"more"))
    with repository.open_blob(BLOB) as stream, pytest.raises(InvalidReply, match="is longer than"):
        stream.read()


def test_a_body_of_unknown_length_is_read(kit: Kit) -> None:
    server = kit.server(Options(chunked_blobs=True))
    server.add_blob("team/app", DATA)
    assert read_all(kit.repository(server).open_blob(BLOB)) == DATA


def test_a_body_of_unknown_length_that_breaks_is_mended(kit: Kit) -> None:
    server = kit.server(Options(chunked_blobs=True))
    server.add_blob("team/app", DATA)
    server.fail("GET", "/blobs/", DropAfter(2_000_000))
    assert read_all(kit.repository(server).open_blob(BLOB)) == DATA


@pytest.mark.parametrize(
    "value",
    [
        "",
        "bytes 0-2999999/3000000",
        "bytes 0-2998999/3000000",
        "bytes 1000-3000000/3000001",
        "bytes 1000-2999999/4000000",
        "items 1000-2999999/3000000",
    ],
)
def test_a_range_that_was_not_asked_for_is_refused(
    repository: Repository, server: RegistryServer, value: str
) -> None:
    server.fail("GET", "/blobs/", Patch({"Content-Range": value}))
    with pytest.raises(InvalidReply, match="blob sha256:"):
        repository.open_blob(BLOB, 1000)


def test_a_range_of_unknown_total_is_fine(repository: Repository, server: RegistryServer) -> None:
    server.fail("GET", "/blobs/", Patch({"Content-Range": "bytes 1000-2999999/*"}))
    assert read_all(repository.open_blob(BLOB, 1000)) == DATA[1000:]


def test_a_length_that_is_no_number_is_refused(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/blobs/", Patch({"Content-Length": "many"}))
    with pytest.raises(InvalidReply, match="Content-Length 'many'"):
        repository.open_blob(BLOB)


def test_closing_early_is_no_error(repository: Repository) -> None:
    with repository.open_blob(BLOB) as stream:
        assert stream.read(10) == DATA[:10]
    assert stream.closed


def test_a_connection_serves_many_requests(repository: Repository, server: RegistryServer) -> None:
    for _ in range(3):
        assert repository.has_blob(BLOB.digest)
        assert read_all(repository.open_blob(BLOB)) == DATA
        assert not repository.has_blob(Digest.of(b"another"))
    assert server.connections == 1


def test_a_kept_connection_that_the_server_closed_is_replaced(
    repository: Repository, server: RegistryServer
) -> None:
    assert repository.has_blob(BLOB.digest)
    server.drop_connections()
    assert read_all(repository.open_blob(BLOB)) == DATA


def test_a_blob_is_deleted(repository: Repository) -> None:
    repository.delete_blob(BLOB.digest)
    assert not repository.has_blob(BLOB.digest)
    with pytest.raises(NotFound):
        repository.delete_blob(BLOB.digest)


def test_a_registry_that_deletes_nothing_says_so(kit: Kit) -> None:
    server = kit.server(Options(deletes=False))
    server.add_blob("team/app", DATA)
    with pytest.raises(Unsupported, match="does not allow it"):
        kit.repository(server).delete_blob(BLOB.digest)


def test_an_overloaded_registry_is_asked_again(
    repository: Repository, server: RegistryServer, kit: Kit
) -> None:
    server.fail("GET", "/blobs/", Answer(503, {"Retry-After": "7"}))
    assert read_all(repository.open_blob(BLOB)) == DATA
    assert kit.time.slept == [7.0]


def test_a_length_of_thousands_of_digits_is_refused(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/blobs/", Answer(200, {"Content-Length": "9" * 5000}, b"x"))
    with pytest.raises(InvalidReply, match="Content-Length '999"):
        repository.open_blob(BLOB)


def test_a_range_of_thousands_of_digits_is_refused(
    repository: Repository, server: RegistryServer
) -> None:
    answer = Answer(206, {"Content-Range": f"bytes 5-{'9' * 5000}/*"}, b"x")
    server.fail("GET", "/blobs/", answer)
    with pytest.raises(InvalidReply, match="the reply says"):
        repository.open_blob(BLOB, 5)
