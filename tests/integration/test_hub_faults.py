"""A running hub when something breaks: the disk, the database, bytes, and clients."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode
from tests.conftest import HubStarter
from tests.integration.mounts import small_disk
from tests.peers.tools import wait_until
from tests.servers.hub import ADMIN, Answer, Hub, started_hub

OPEN = "--anonymous-push"
SMALL, LARGE = os.urandom(1000), os.urandom(300_000)
INDEX = encode({"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": []})


def is_spec_error(answer: Answer, status: int, code: str) -> bool:
    """Return whether an answer is this error, told as the specification says, and no traceback."""
    found = answer.status == status and answer.code == code
    return found and answer.headers["content-type"] == "application/json"


def file_of(hub: Hub, digest: Digest) -> Path:
    """Return the file with the bytes of a blob."""
    with closing(sqlite3.connect(hub.data / "hub.db")) as database:
        found = database.execute("SELECT key FROM blobs WHERE digest = ?", (str(digest),))
        return hub.data / "blobs" / str(found.fetchone()[0])


def start(hub: Hub, head: str, body: bytes = b"") -> socket.socket:
    """Send the beginning of a request over a connection of its own."""
    connection = socket.create_connection((hub.name, hub.port), timeout=30)
    with suppress(ConnectionError):  # what is refused early is not read to its end
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
    return connection


def first_line(connection: socket.socket) -> str:
    """Return the first line of what comes, "" when the connection just ends."""
    try:
        return connection.recv(4096).decode("latin-1").partition("\r\n")[0]
    except ConnectionError:
        return ""


# The disk


def fill(disk: Path) -> None:
    """Take all the space that is left."""
    with (disk / "more").open("ab", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass


@pytest.mark.root
def test_a_full_disk_is_507_shows_nothing_by_half_and_passes(
    tmp_path: Path,
) -> None:
    big = os.urandom(6_000_000)
    with (
        small_disk(tmp_path / "disk", 8 << 20) as disk,
        started_hub(tmp_path / "hub", OPEN, data=disk / "data") as hub,
    ):
        kept = hub.push_blob("app", SMALL)
        filler = disk / "filler"
        filler.write_bytes(b"x" * 3_000_000)
        target = f"/v2/app/blobs/uploads/?digest={Digest.of(big)}"
        answer = hub.ask("POST", target, big)
        assert is_spec_error(answer, 507, "TOOMANYREQUESTS"), answer
        assert answer.headers["retry-after"]
        location = hub.start_upload("app")
        assert is_spec_error(hub.ask("PATCH", location, big), 507, "TOOMANYREQUESTS")
        assert hub.ask("GET", location).headers["range"] == "0-0"
        assert hub.ask("HEAD", f"/v2/app/blobs/{Digest.of(big)}").status == 404
        assert hub.ask("GET", f"/v2/app/blobs/{kept}").body == SMALL
        fill(disk)  # not even the records have room
        answers = [hub.push_manifest("app", f"t{number}", INDEX) for number in range(30)]
        assert {answer.status for answer in answers} <= {201, 507}
        assert hub.ask("GET", f"/v2/app/blobs/{kept}").body == SMALL
        filler.unlink()
        (disk / "more").unlink()
        wait_until(lambda: hub.ask("PATCH", location, big).status == 202, "room on the disk")
        assert hub.ask("PUT", f"{location}?digest={Digest.of(big)}").status == 201
        assert hub.ask("GET", f"/v2/app/blobs/{Digest.of(big)}").body == big
        assert hub.push_manifest("app", "late", INDEX).status == 201


def test_a_folder_of_blobs_that_went_away_is_503_until_it_is_back(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN)
    digests = [hub.push_blob("app", data) for data in (SMALL, LARGE)]
    blobs, away = hub.data / "blobs", hub.data / "away"
    blobs.rename(away)
    for digest in digests:
        for method in ("GET", "HEAD"):
            assert hub.ask(method, f"/v2/app/blobs/{digest}").status == 503
    target = f"/v2/app/blobs/uploads/?digest={Digest.of(b'more')}"
    assert is_spec_error(hub.ask("POST", target, b"more"), 503, "TOOMANYREQUESTS")
    assert hub.ask("GET", "/readyz").status == 503
    assert not blobs.exists(), "what is written beneath a disk is hidden when it is mounted"
    away.rename(blobs)
    assert hub.ask("GET", "/readyz").status == 200
    assert hub.ask("POST", target, b"more").status == 201
    for digest, data in zip(digests, (SMALL, LARGE), strict=True):
        assert hub.ask("GET", f"/v2/app/blobs/{digest}").body == data


def test_a_disk_that_fails_is_named_in_the_log_and_to_no_client(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN)
    (hub.data / "blobs" / "b").write_text("")  # no folder
    target = f"/v2/app/blobs/uploads/?digest={Digest.of(SMALL)}"
    answer = hub.ask("POST", target, SMALL)
    assert is_spec_error(answer, 503, "TOOMANYREQUESTS"), answer
    assert b"the hub cannot use its disk" in answer.body
    assert str(hub.data).encode() not in answer.body
    wait_until(lambda: f"cannot use {hub.data}/blobs: Not a directory" in hub.log, "a line")
    (hub.data / "blobs" / "b").unlink()
    assert hub.ask("POST", target, SMALL).status == 201


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("harm", ["missing", "shorter", "longer", "a folder", "a link"])
def test_wrong_bytes_are_never_sent_as_right_ones(
    running_damaged: Hub, data: bytes, harm: str
) -> None:
    hub = running_damaged
    data += harm.encode()
    digest = hub.push_blob("app", data)
    file = file_of(hub, digest)
    file.rename(file.with_name("aside"))
    if harm == "shorter":
        file.write_bytes(data[:-1])
    elif harm == "longer":
        file.write_bytes(data + b"x")
    elif harm == "a folder":
        file.mkdir()
    elif harm == "a link":
        file.symlink_to("/etc/hostname")
    for wanted in ({}, {"Range": "bytes=2-9"}, {"Range": "bytes=-5"}):
        answer = hub.ask("GET", f"/v2/app/blobs/{digest}", headers=wanted)
        assert is_spec_error(answer, 503, "TOOMANYREQUESTS"), answer
        assert b"b/" not in answer.body, "no key is shown"
    assert hub.ask("HEAD", f"/v2/app/blobs/{digest}").status == 404, "so that it is pushed again"
    hub.push_blob("app", data)
    assert hub.ask("GET", f"/v2/app/blobs/{digest}").body == data


@pytest.fixture(scope="module")
def running_damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with started_hub(tmp_path_factory.mktemp("hub"), OPEN) as hub:
        yield hub


# The database


@contextmanager
def locked(hub: Hub, how: str) -> Iterator[None]:
    """Lock the records, as another process does that hangs."""
    with closing(sqlite3.connect(hub.data / "hub.db", isolation_level=None)) as database:
        database.execute(f"BEGIN {how}")
        try:
            yield
        finally:
            database.execute("ROLLBACK")


def test_a_locked_database_is_503_for_writers_and_nothing_for_readers(
    start_hub: HubStarter,
) -> None:
    hub = start_hub(OPEN)
    hub.push_manifest("app", "latest", INDEX)
    location = hub.start_upload("app")
    with locked(hub, "IMMEDIATE"):
        assert hub.ask("GET", "/v2/app/manifests/latest").body == INDEX
        assert hub.ask("GET", "/readyz").status == 200
        answer = hub.push_manifest("app", "other", INDEX)
        assert is_spec_error(answer, 503, "TOOMANYREQUESTS")
        assert answer.headers["retry-after"]
    assert hub.push_manifest("app", "other", INDEX).status == 201
    assert hub.ask("PATCH", location, SMALL).status == 202
    assert hub.ask("PUT", f"{location}?digest={Digest.of(SMALL)}").status == 201


def test_records_that_cannot_be_read_are_503_and_not_ready(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN)
    hub.push_manifest("app", "latest", INDEX)
    database = hub.data / "hub.db"
    harmed = database.read_bytes()
    with closing(sqlite3.connect(database)) as checkpoint:
        checkpoint.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    harmed = database.read_bytes()
    with database.open("r+b") as file:
        file.write(b"\0" * len(harmed))
    ready = hub.ask("GET", "/readyz")
    assert (ready.status, ready.headers["retry-after"]) == (503, "5")
    assert hub.ask("GET", "/healthz").status == 200
    for method, target in (("GET", "/v2/app/tags/list"), ("POST", "/v2/app/blobs/uploads/")):
        assert is_spec_error(hub.ask(method, target), 503, "TOOMANYREQUESTS")
    with database.open("r+b") as file:
        file.write(harmed)
    wait_until(lambda: hub.ask("GET", "/readyz").status == 200, "readiness")


@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
def test_a_data_folder_that_went_away_is_503_until_it_is_back(
    start_hub: HubStarter, used: bool
) -> None:
    hub = start_hub()
    admin = hub.as_(ADMIN, hub.password)
    if used:
        assert admin.push_manifest("app", "before", INDEX).status == 201
    away = hub.data.with_name("away")
    hub.data.rename(away)
    assert hub.ask("GET", "/readyz").status == 503
    pushed = admin.push_manifest("app", "lost", INDEX)
    assert is_spec_error(pushed, 503, "TOOMANYREQUESTS"), pushed
    for target in ("/token?scope=repository:app:pull", "/v2/app/tags/list", "/v2/_catalog"):
        assert admin.ask("GET", target).status != 500
    assert not hub.data.exists(), "nothing is made in its place"
    away.rename(hub.data)
    wait_until(lambda: hub.ask("GET", "/readyz").status == 200, "readiness")
    assert admin.push_manifest("app", "after", INDEX).status == 201
    assert hub.as_("").ask("GET", "/healthz").status == 200
    assert "Traceback" not in hub.log


# Clients


def test_slow_heads_and_bodies_are_ended_and_uploads_live_on(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN, env={"NACRE_HUB_REGISTRY_CLIENT_PATIENCE": "1s"})
    location = hub.start_upload("app")
    put = "PUT /v2/app/manifests/slow HTTP/1.1\nHost: hub\nContent-Length: 100\n"
    heads = {
        "a head without end": "GET /v2/ HTTP/1.1\nHost: hub\n",
        "nothing": "",
        "a manifest": put + f"Content-Type: {mediatypes.OCI_INDEX}\n\n",
        "a form": "POST /token HTTP/1.1\nHost: hub\nContent-Length: 100\n\n",
        "a chunk": f"PATCH {location} HTTP/1.1\nHost: hub\nContent-Length: 9000\n\n",
    }
    with closing(start(hub, heads["a chunk"], SMALL)) as chunk:
        assert first_line(chunk).split()[1] == "408"
    assert hub.ask("GET", location).headers["range"] == f"0-{len(SMALL) - 1}"
    for what, head in heads.items():
        with closing(start(hub, head)) as connection:
            line = first_line(connection)
            assert not line or line.split()[1] in {"400", "408"}, (what, line)
    assert hub.ask("PUT", f"{location}?digest={Digest.of(SMALL)}").status == 201


def test_a_crowd_that_says_nothing_does_not_keep_others_out(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN, env={"NACRE_HUB_REGISTRY_CLIENT_PATIENCE": "2s"})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    try:
        with ExitStack() as crowd:
            for _ in range(1500):
                crowd.enter_context(closing(start(hub, "")))
            assert hub.ask("GET", "/healthz").status == 200
            silent = crowd.enter_context(closing(start(hub, "")))
            assert first_line(silent) == "", "it is closed"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_uploads_at_once_are_503_with_when_to_come_back(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN, env={"NACRE_HUB_LIMITS_UPLOADS": "2"})
    locations = [hub.start_upload("app") for _ in range(3)]
    heads = [f"PATCH {each} HTTP/1.1\nHost: hub\nContent-Length: 2000\n\n" for each in locations]
    with closing(start(hub, heads[0], SMALL)) as one, closing(start(hub, heads[1], SMALL)) as two:
        time.sleep(0.5)
        answer = hub.ask("PATCH", locations[2], SMALL)
        assert is_spec_error(answer, 503, "TOOMANYREQUESTS")
        assert int(answer.headers["retry-after"]) >= 1
        for connection in (one, two):
            connection.sendall(SMALL)
            assert first_line(connection).split()[1] == "202"
    assert hub.ask("PATCH", locations[2], SMALL).status == 202


def test_large_heads_are_refused(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN, env={"NACRE_HUB_LIMITS_HEADER": "16KiB"})
    assert hub.ask("GET", "/v2/", headers={"X": "x" * 8_000}).status == 401
    for size in (20_000, 5_000_000):
        head = f"GET /v2/ HTTP/1.1\nHost: hub\nX: {'x' * size}\n\n"
        with closing(start(hub, head)) as connection:
            line = first_line(connection)
        assert not line or line.split()[1] in {"400", "431"}, line
    assert hub.ask("GET", "/v2/").status == 401


def numbers(hub: Hub) -> tuple[int, int]:
    """Return how many files the hub's worker has open, and how much memory it uses, in MiB."""
    (worker,) = hub.workers()
    status = Path(f"/proc/{worker}/status").read_text()
    memory = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert memory
    return len(os.listdir(f"/proc/{worker}/fd")), int(memory[1]) // 1024


def disconnect(hub: Hub, digest: Digest, location: str) -> None:
    """Go away in the middle of a download, of part of one, and of an upload."""
    get = f"GET /v2/app/blobs/{digest} HTTP/1.1\nHost: hub\n"
    chunk = f"PATCH {location} HTTP/1.1\nHost: hub\nContent-Length: 1000000\n\n"
    for head, body in ((get + "\n", b""), (get + "Range: bytes=1-\n\n", b""), (chunk, LARGE)):
        with closing(start(hub, head, body)) as connection:
            if not body:
                connection.recv(1000)


def test_clients_that_go_away_leave_no_file_open_and_no_memory_used(
    start_hub: HubStarter,
) -> None:
    hub = start_hub(OPEN)
    digest = hub.push_blob("app", os.urandom(20_000_000))
    for _ in range(10):
        disconnect(hub, digest, hub.start_upload("app"))
    time.sleep(1)
    files, memory = numbers(hub)
    location = hub.start_upload("app")
    for number in range(100):
        if number % 10 == 0:
            location = hub.start_upload("app")
        disconnect(hub, digest, location)
    wait_until(lambda: numbers(hub)[0] <= files + 3, f"{numbers(hub)[0]} open files to be {files}")
    assert numbers(hub)[1] <= memory + 40
    assert hub.ask("GET", f"/v2/app/blobs/{digest}").status == 200


# Limits, proxies, logs, numbers


def test_limits_are_told_in_headers_and_kept(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN, env={"NACRE_HUB_LIMITS_PULLS_ANONYMOUS": "3/h"})
    hub.push_manifest("app", "latest", INDEX)
    manifest = "/v2/app/manifests/latest"
    assert hub.ask("HEAD", manifest).headers["ratelimit-remaining"] == "3;w=3600"
    left = [hub.ask("GET", manifest).headers["ratelimit-remaining"] for _ in range(3)]
    assert left == ["2;w=3600", "1;w=3600", "0;w=3600"]
    answer = hub.ask("GET", manifest)
    assert is_spec_error(answer, 429, "TOOMANYREQUESTS")
    assert 0 < int(answer.headers["retry-after"]) <= 1200
    assert answer.headers["ratelimit-limit"] == "3;w=3600"
    assert hub.as_(ADMIN, hub.password).ask("GET", manifest).status == 200
    assert hub.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize(("trusted", "client"), [("127.0.0.0/8", "203.0.113.7"), ("", "127.0.0.1")])
def test_forwarded_headers_count_only_from_trusted_proxies(
    start_hub: HubStarter, trusted: str, client: str
) -> None:
    hub = start_hub(OPEN, env={"NACRE_HUB_SERVER_TRUSTED_PROXIES": trusted})
    forwarded = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "hub.example.com",
    }
    answer = hub.ask("GET", "/v2/?marked", headers=forwarded)
    realm = "https://hub.example.com" if trusted else hub.url
    assert f'realm="{realm}/token"' in answer.headers["www-authenticate"]
    wait_until(lambda: "path=/v2/ " in hub.log, "the access log")
    line = next(line for line in hub.log.splitlines() if "path=/v2/ " in line)
    assert f"client={client} " in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_logs_tell_who_did_what_and_no_secret(
    tmp_path: Path, start_hub: HubStarter, form: str
) -> None:
    file = tmp_path / "hub.log"
    env = {"NACRE_HUB_LOG_FILE": str(file), "NACRE_HUB_LOG_FORMAT": form}
    hub = start_hub(env=env)
    admin = hub.as_(ADMIN, hub.password)
    admin.push_manifest("app", "latest", INDEX)
    answer = admin.ask("GET", "/token?scope=repository:app:pull&offline_token=true")
    token = hub.with_(f"Bearer {answer.json['token']}")
    assert token.ask("GET", "/v2/app/manifests/latest").status == 200
    form_body = f"grant_type=password&username=admin&password={hub.password}&service=nacre-hub"
    assert hub.ask("POST", "/token", form_body.encode()).status == 200
    assert hub.as_(ADMIN, "wrong-" + "password").ask("GET", "/token").status == 401
    upload = admin.start_upload("app")
    assert admin.ask("DELETE", upload).status == 204
    moved = file.rename(tmp_path / "hub.log.1")
    assert token.ask("GET", "/v2/app/tags/list").status == 200
    wait_until(lambda: file.exists() and "tags/list" in file.read_text(), "the new file")
    hub.stop()
    text = moved.read_text() + file.read_text() + hub.log
    secrets = (hub.password, answer.json["token"], answer.json["refresh_token"])
    for secret in (*secrets, "wrong-password", "authorization", "Basic ", "Bearer "):
        assert secret not in text
    told = _lines(text, form)
    assert {"kind": "audit", "user": "admin", "method": "PUT", "status": "201"} in told
    assert {"kind": "access", "user": "admin", "method": "GET", "status": "200"} in told
    assert {"kind": "audit", "user": "admin", "method": "GET", "status": "401"} in told


def _lines(text: str, form: str) -> list[dict[str, str]]:
    """Return the fields of log lines that say most."""
    wanted = ("kind", "user", "method", "status")
    lines = [line for line in text.splitlines() if line]
    if form == "json":
        values = [json.loads(line) for line in lines]
        return [{key: str(value.get(key, "")) for key in wanted} for value in values]
    pairs = [dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line)) for line in lines]
    return [
        {"kind": line.split()[1], **{key: pair.get(key, "") for key in wanted[1:]}}
        for line, pair in zip(lines, pairs, strict=True)
    ]


def test_a_line_of_the_log_is_one_line_whatever_a_client_sends(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN)
    for path in (
        "/v2/%0a2026-01-01T00:00:00.000Z%20audit%20user=root",
        "/v2/%1b[31m",
        "/%e2%80%a8",
    ):
        assert hub.ask("GET", path).status == 404
    wait_until(lambda: hub.log.count("status=404") == 3, "the access log")
    hub.stop()
    assert all(
        re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z (access|job|hub) ", x) for x in hub.log.split("\n")[:-1]
    )
    assert "\x1b" not in hub.log
    assert "\u2028" not in hub.log


def test_numbers_health_and_readiness(running_hub: Hub) -> None:
    admin = running_hub.as_(ADMIN, running_hub.password)
    admin.push_blob("app", SMALL)
    text = running_hub.ask("GET", "/metrics")
    assert text.headers["content-type"].startswith("text/plain")
    body = text.body.decode()
    line = r'nacre_hub_requests_total\{method="POST",route="upload",status="201"\} 1\.0'
    assert re.search(line, body), body
    assert "secret" not in body
    for path in ("/healthz", "/readyz"):
        assert running_hub.ask("GET", path).body == b"ok\n"
        assert running_hub.ask("HEAD", path).status == 200
        assert running_hub.ask("POST", path).status == 405


def test_broken_requests_get_an_answer_and_harm_nothing(running_hub: Hub) -> None:
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: hub\r\nContent-Length: -1\r\n\r\n",
        (
            b"POST /token HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        b"GET /v2/" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"\0" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
    ):
        with closing(start(running_hub, "", raw)) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert " 500 " not in first_line(connection)
    assert running_hub.ask("GET", "/healthz").status == 200


def test_keep_alive_survives_every_kind_of_answer(start_hub: HubStarter) -> None:
    hub = start_hub(OPEN)
    digest = hub.push_blob("app", LARGE)
    connection = http.client.HTTPConnection(hub.name, hub.port, timeout=30)
    for method, target, status in (
        ("GET", f"/v2/app/blobs/{digest}", 200),
        ("HEAD", f"/v2/app/blobs/{digest}", 200),
        ("GET", "/v2/app/manifests/absent", 404),
        ("POST", "/v2/app/blobs/uploads/", 202),
        ("GET", "/v2/", 401),
        ("PUT", "/nowhere", 404),
        ("GET", f"/v2/app/blobs/{digest}", 200),
    ):
        connection.request(method, target)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status, (method, target)
    connection.close()
