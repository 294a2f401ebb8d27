"""A server cannot keep us waiting or reading for ever, whatever it sends."""

from __future__ import annotations

import json

import pytest

from nacre.distribution.errors import ConnectionDropped, InvalidReply, TimedOut
from nacre.distribution.repository import Repository
from nacre.distribution.settings import RegistrySettings, Timeouts
from nacre.oci import mediatypes
from nacre.oci.reference import parse
from tests.servers.raw_server import RawServer, Script, endless, raw_server
from tests.unit.distribution.conftest import Kit

BODY = json.dumps({"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": []}).encode()
OK = b"HTTP/1.1 200 OK\r\n"
TYPE = f"Content-Type: {mediatypes.OCI_INDEX}\r\n".encode()
GOOD = OK + TYPE + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = OK + TYPE + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE_CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)


def repository(kit: Kit, server: RawServer, read: float = 0.3) -> Repository:
    settings = RegistrySettings(timeouts=Timeouts(read=read))
    return kit.client(settings).repository(parse(f"{server.host}/team/app"))


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3,
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 199 Whatever\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_interim_replies_are_skipped(kit: Kit, before: bytes) -> None:
    with raw_server(before + GOOD) as server:
        assert repository(kit, server).manifest("1").raw == BODY
        assert server.requests == 1


def test_a_switch_that_nobody_asked_for_is_refused(kit: Kit) -> None:
    with (
        raw_server(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + GOOD) as server,
        pytest.raises(InvalidReply, match="101"),
    ):
        repository(kit, server).manifest("1")


@pytest.mark.parametrize(
    "script",
    [
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
        endless(CHUNKED + WHOLE_CHUNK + b"0\r\n", b"X-Trailer: y\r\n" * 100),
        endless(CHUNKED + b"1;", b"extension" * 100),
    ],
    ids=["continue", "hints", "trailers", "extension"],
)
def test_what_surrounds_a_body_is_bounded(kit: Kit, script: Script) -> None:
    with raw_server(script) as server, pytest.raises(ConnectionDropped, match="broke"):
        repository(kit, server, read=10.0).manifest("1")


@pytest.mark.parametrize(
    "script",
    [
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.1),
        endless(OK, b"X", pause=0.1),
        endless(OK + TYPE + b"Content-Length: 1000\r\n\r\n", b"x", pause=0.1),
        endless(CHUNKED, b"1\r\nx\r\n", pause=0.1),
        endless(CHUNKED + WHOLE_CHUNK + b"0\r\n", b"X", pause=0.1),
    ],
    ids=["continue", "header", "body", "chunks", "trailers"],
)
def test_a_server_that_drips_is_left(kit: Kit, script: Script) -> None:
    with raw_server(script) as server, pytest.raises(TimedOut, match="did not answer in time"):
        repository(kit, server).manifest("1")


def test_chunks_of_one_byte_are_read(kit: Kit) -> None:
    chunks = b"".join(b"1\r\n%b\r\n" % BODY[i : i + 1] for i in range(len(BODY)))
    with raw_server(CHUNKED + chunks + b"0\r\n\r\n") as server:
        assert repository(kit, server).manifest("1").raw == BODY


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 xyz OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\n\r\n",
        "HTTP/1.1 ٢٠٠ OK\r\n\r\n".encode(),
        OK + b"WWW-Authenticate: Basic\r\n" * 200 + b"\r\n",
        OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        CHUNKED + b"-5\r\nabcdefgh\r\n0\r\n\r\n",
        CHUNKED + b"f" * 1000 + b"\r\nabc\r\n0\r\n\r\n",
        OK + TYPE + b"Content-Length: 93\r\nContent-Length: 5\r\n\r\n" + BODY,
        b"",
    ],
    ids=[
        "text",
        "http_2",
        "status_word",
        "status_zero",
        "status_of_other_digits",
        "two_hundred_fields",
        "long_field",
        "chunk_below_zero",
        "absurd_chunk",
        "two_lengths",
        "nothing",
    ],
)
def test_what_is_not_http_is_a_broken_connection(kit: Kit, answer: bytes) -> None:
    with raw_server(answer) as server, pytest.raises(ConnectionDropped) as caught:
        repository(kit, server).manifest("1")
    assert server.requests <= 5
    assert len(str(caught.value)) < 200


def test_a_redirect_to_absurd_places_is_refused_before_it_is_followed(kit: Kit) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://%b/\r\nContent-Length: 0\r\n\r\n"
    with (
        raw_server(answer % (b"a" * 60_000)) as server,
        pytest.raises(Exception, match="60008 characters"),
    ):
        repository(kit, server).manifest("1")
    assert server.requests == 1


def test_an_error_is_told_by_its_status_though_its_body_has_no_sound_length(kit: Kit) -> None:
    answer = b"HTTP/1.1 418 Teapot\r\nContent-Length: many\r\n\r\n{}"
    with raw_server(answer) as server, pytest.raises(InvalidReply, match="status 418"):
        repository(kit, server).manifest("1")
