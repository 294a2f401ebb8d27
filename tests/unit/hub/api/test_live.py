"""The registry behind its real server: what only real connections show."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode
from tests.servers.hub_app import running_hub_app
from tests.unit.hub.api.driver import index

PATIENCE = 3.0


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Live:
    port: int

    def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        chunked: bool = False,
        **headers: str,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, target, body, named, encode_chunked=chunked)  # type: ignore[arg-type]
            answer = connection.getresponse()
            return Reply(
                answer.status,
                {key.lower(): value for key, value in answer.getheaders()},
                answer.read(),
            )
        finally:
            connection.close()

    def start(self) -> str:
        return self.ask("POST", "/v2/app/blobs/uploads/").headers["location"]

    def push(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        answer = self.ask("POST", f"/v2/app/blobs/uploads/?digest={digest}", data)
        assert answer.status == 201, answer.body
        return digest

    def wait_for_range(self, location: str, wanted: str) -> None:
        for _ in range(100):
            if self.ask("GET", location).headers["range"] == wanted:
                return
            time.sleep(0.1)
        raise AssertionError(f"the upload never came to {wanted}")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    data: Path = tmp_path_factory.mktemp("hub")
    with running_hub_app(data, patience=PATIENCE) as port:
        yield Live(port)


def test_a_chunk_encoded_stream_and_a_whole_file_back(live: Live) -> None:
    data = os.urandom(5_000_000)
    pieces = [data[at : at + 99_999] for at in range(0, len(data), 99_999)]
    location = live.start()
    answer = live.ask("PATCH", location, pieces, chunked=True, Transfer_Encoding="chunked")
    assert (answer.status, answer.headers["range"]) == (202, "0-4999999")
    digest = Digest.of(data, "sha512")
    answer = live.ask("PUT", f"{location}?digest={digest}")
    assert answer.status == 201
    answer = live.ask("GET", answer.headers["location"])
    assert hashlib.sha512(answer.body).hexdigest() == digest.encoded
    assert answer.headers["content-length"] == "5000000"
    assert "transfer-encoding" not in answer.headers


def test_a_manifest_without_content_length(live: Live) -> None:
    raw = encode(index(annotations={"big": "x" * 3_900_000}))
    pieces = [raw[at : at + 1_000_000] for at in range(0, len(raw), 1_000_000)]
    answer = live.ask(
        "PUT",
        "/v2/app/manifests/big",
        pieces,
        chunked=True,
        Transfer_Encoding="chunked",
        Content_Type=mediatypes.OCI_INDEX,
    )
    assert answer.status == 201
    answer = live.ask("GET", "/v2/app/manifests/big")
    assert (answer.body, answer.headers["content-type"]) == (raw, mediatypes.OCI_INDEX)
    answer = live.ask("HEAD", "/v2/app/manifests/big")
    assert (answer.body, answer.headers["content-length"]) == (b"", str(len(raw)))


@pytest.mark.parametrize("size", [0, 2, 70_000, 1_000_000])
def test_head_get_and_ranges_of_a_file(live: Live, size: int) -> None:
    data = os.urandom(size)
    target = f"/v2/app/blobs/{live.push(data)}"
    head, get = live.ask("HEAD", target), live.ask("GET", target)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(size))
    assert (get.status, get.body) == (200, data)
    if size:
        answer = live.ask("GET", target, Range="bytes=1-600000")
        last = min(600_000, size - 1)
        assert (answer.status, answer.body) == (206, data[1 : last + 1])


def test_no_content_has_no_length(live: Live) -> None:
    location = live.start()
    answer = live.ask("GET", location)
    assert (answer.status, answer.headers["range"]) == (204, "0-0")
    assert live.ask("DELETE", location).status == 204


def test_a_manifest_over_the_limit_is_413_for_a_client_that_sends_first(live: Live) -> None:
    answer = live.ask("PUT", "/v2/app/manifests/big", b" " * 5_000_000)
    assert answer.status == 413
    assert b"SIZE_INVALID" in answer.body


def send_head(live: Live, target: str, *lines: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", live.port), timeout=30)
    head = "\r\n".join((f"PATCH {target} HTTP/1.1", "Host: hub", *lines, "", ""))
    connection.sendall(head.encode())
    return connection


@pytest.mark.parametrize("lines", [("Content-Length: 1000",), ("Transfer-Encoding: chunked",)])
def test_a_dropped_connection_leaves_what_came(live: Live, lines: tuple[str, ...]) -> None:
    location = live.start()
    with send_head(live, location, *lines) as connection:
        sent = b"a" * 500
        connection.sendall(b"1f4\r\n" + sent + b"\r\n" if "chunked" in lines[0] else sent)
        time.sleep(0.2)
    live.wait_for_range(location, "0-499")
    answer = live.ask("PUT", f"{location}?digest={Digest.of(b'a' * 500)}")
    assert answer.status == 201


def test_a_silent_client_is_408_and_the_upload_lives_on(live: Live) -> None:
    location = live.start()
    with send_head(live, location, "Content-Length: 1000") as connection:
        connection.sendall(b"a" * 500)
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
    live.wait_for_range(location, "0-499")


def test_broken_chunk_encoding_harms_nothing(live: Live) -> None:
    location = live.start()
    with send_head(live, location, "Transfer-Encoding: chunked") as connection:
        connection.sendall(b"5\r\nabcde\r\nzz\r\n")
        assert b" 500 " not in connection.recv(100)
    live.wait_for_range(location, "0-4")


def test_many_pushes_and_pulls_at_once(live: Live) -> None:
    blobs = [os.urandom(700_000 + number) for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        digests = list(pool.map(live.push, blobs))
        pulled = list(pool.map(lambda digest: live.ask("GET", f"/v2/app/blobs/{digest}"), digests))
    assert [answer.body for answer in pulled] == blobs


def test_two_processes_serve_one_upload_in_turn(tmp_path: Path) -> None:
    data = os.urandom(1_000_000)
    with (
        running_hub_app(tmp_path) as first,
        running_hub_app(tmp_path) as second,
    ):
        both = [Live(first), Live(second)]
        location = both[0].start()
        for number, at in enumerate(range(0, len(data), 100_000)):
            placed = f"{at}-{at + 99_999}"
            chunk = data[at : at + 100_000]
            answer = both[number % 2].ask("PATCH", location, chunk, Content_Range=placed)
            assert answer.status == 202, answer.body
        answer = both[1].ask("PUT", f"{location}?digest={Digest.of(data)}")
        assert answer.status == 201
        assert both[0].ask("GET", answer.headers["location"]).body == data
