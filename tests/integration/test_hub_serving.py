"""``nacre hub serve`` in operation: starting, stopping, being killed, and being renewed."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from nacre.oci.digest import Digest
from tests.conftest import HubStarter
from tests.peers.certificates import Authority
from tests.peers.tools import wait_until
from tests.servers.hub import ADMIN, Hub, command, environment

PIECE = os.urandom(100_000)


def refused(
    folder: Path, *flags: str, listen: str = "127.0.0.1:0", **env: str
) -> tuple[int, str, str]:
    """Start a hub that cannot start; return its exit code and what it says."""
    data = ("--data", str(folder / "data"), "--listen", listen)
    done = subprocess.run(
        command(*data, *flags),
        env=environment(folder / "home", env),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def begun(hub: Hub, location: str, length: int, *, method: str = "PATCH") -> socket.socket:
    """Begin a request with a body over a connection of its own, and send its first piece."""
    raw = socket.create_connection((hub.name.strip("[]"), hub.port), timeout=60)
    connection = hub.tls.wrap_socket(raw, server_hostname="localhost") if hub.tls else raw
    lines = [f"{method} {location} HTTP/1.1", "Host: hub", f"Content-Length: {length}"]
    if hub.authorization:
        lines.append(f"Authorization: {hub.authorization}")
    connection.sendall("\r\n".join((*lines, "", "")).encode() + PIECE)
    return connection


def answer_to(connection: socket.socket) -> bytes:
    """Return the first bytes of an answer, b"" when the connection ends without one."""
    try:
        return connection.recv(4096)
    except ConnectionError:
        return b""


# Starting


def test_the_first_start_makes_an_admin_and_the_second_does_not(start_hub: HubStarter) -> None:
    first = start_hub()
    assert len(first.password) >= 20
    assert first.as_(ADMIN, first.password).ask("GET", "/v2/").status == 200
    assert oct(first.data.stat().st_mode)[-3:] == "700"
    assert oct((first.data / "hub.db").stat().st_mode)[-3:] == "600"
    first.stop()
    second = start_hub()
    assert (second.password, "password" in second.said.read_text()) == ("", False)
    assert second.as_(ADMIN, first.password).ask("GET", "/v2/").status == 200
    assert second.as_(ADMIN, "x" + first.password).ask("GET", "/v2/").status == 401


def test_an_address_in_use_is_refused_in_one_line(tmp_path: Path, running_hub: Hub) -> None:
    code, out, err = refused(tmp_path / "second", listen=running_hub.host)
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"Error: cannot listen on {running_hub.host}: it is in use (choose another with --listen)"
    ]
    assert not (tmp_path / "second" / "data").exists()


def test_a_data_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    code, out, err = refused(tmp_path)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert f"cannot use the data folder {tmp_path}/data: File exists" in err


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hub.db").write_text("not a database")
    code, out, err = refused(tmp_path)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert f"the hub's records {tmp_path}/data/hub.db are damaged (put them back from" in err
    assert (tmp_path / "data" / "hub.db").read_text() == "not a database"


def test_data_of_a_newer_version_is_refused_and_left_alone(
    tmp_path: Path, start_hub: HubStarter
) -> None:
    hub = start_hub(data=tmp_path / "data")
    hub.stop()
    with sqlite3.connect(hub.data / "hub.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    code, out, err = refused(tmp_path)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "newer" in err


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("LIMITS_PULLS", "many", "limits.pulls: 'many' is not a rate"),
        ("LOG_FILE", "/proc/nacre/log", "cannot write the log /proc/nacre/log"),
        ("SERVER_WORKERS", "0", "server.workers must be from 1 to 64"),
        ("REGISTRY_IMMUTABLE", "(", "registry.immutable"),
        ("SERVER_TLS_KEY", "/k", "go together"),
        ("SERVER_PORT", "1", "unknown setting NACRE_HUB_SERVER_PORT"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(
    tmp_path: Path, key: str, value: str, said: str
) -> None:
    code, out, err = refused(tmp_path, **{f"NACRE_HUB_{key}": value})
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert said in err


def test_a_first_start_that_fails_leaves_no_admin_whose_password_nobody_saw(
    tmp_path: Path, start_hub: HubStarter
) -> None:
    tls = {"NACRE_HUB_SERVER_TLS_CERTIFICATE": "/no/c", "NACRE_HUB_SERVER_TLS_KEY": "/no/k"}
    code, out, err = refused(tmp_path, **tls)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "cannot read /no/c: No such file or directory (check server.tls-certificate)" in err
    assert start_hub(data=tmp_path / "data").password


def test_a_name_can_be_listened_on(start_hub: HubStarter) -> None:
    hub = start_hub(listen="localhost:0")
    assert hub.name in {"127.0.0.1", "[::1]"}
    assert hub.ask("GET", "/healthz").status == 200


def test_a_name_that_means_no_address_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    code, out, err = refused(tmp_path, listen="nacre.invalid:5000")
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "cannot listen on nacre.invalid:5000: " in err
    assert not (tmp_path / "data").exists()


def test_ipv6(start_hub: HubStarter) -> None:
    hub = start_hub(listen="[::1]:0")
    assert hub.url.startswith("http://[::1]:")
    answer = hub.ask("GET", "/v2/")
    assert f'realm="{hub.url}/token"' in answer.headers["www-authenticate"]


# Stopping


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_upload_and_a_download_under_way_are_finished_before_the_hub_stops(
    start_hub: HubStarter, workers: str
) -> None:
    hub = start_hub("--anonymous-push", env={"NACRE_HUB_SERVER_WORKERS": workers})
    big = os.urandom(30_000_000)
    digest = hub.push_blob("app", big)
    location = hub.start_upload("app")
    downloading = hub.connect()
    downloading.request("GET", f"/v2/app/blobs/{digest}")
    download = downloading.getresponse()
    with begun(hub, location, 2 * len(PIECE)) as upload:
        time.sleep(0.3)
        hub.process.send_signal(signal.SIGTERM)
        time.sleep(0.7)
        assert hub.process.poll() is None
        upload.sendall(PIECE)
        assert answer_to(upload).startswith(b"HTTP/1.1 202 ")
    assert download.read() == big
    downloading.close()
    hub.stop()


def test_a_request_that_never_ends_is_cut_off_and_can_be_resumed(start_hub: HubStarter) -> None:
    patience = {"NACRE_HUB_SERVER_STOP_WITHIN": "2s"}
    hub = start_hub("--anonymous-push", env=patience)
    location = hub.start_upload("app")
    with begun(hub, location, 2 * len(PIECE)) as upload:
        time.sleep(0.3)
        hub.stop()
        assert answer_to(upload) == b""
    again = start_hub("--anonymous-push")
    standing = again.ask("GET", location)
    assert standing.status == 204
    first = 0 if standing.headers["range"] == "0-0" else len(PIECE)
    rest = (PIECE * 2)[first:]
    wait_until(lambda: again.ask("PATCH", location, rest).status == 202, "the lease", seconds=60)
    digest = Digest.of(PIECE * 2)
    assert again.ask("PUT", f"{location}?digest={digest}").status == 201


def test_idle_connections_do_not_keep_the_hub_from_stopping(running_hub: Hub) -> None:
    idle = running_hub.connect()
    idle.request("GET", "/healthz")
    assert idle.getresponse().read() == b"ok\n"
    running_hub.stop(within=10)
    idle.close()


def test_killed_and_started_again_uploads_resume_where_they_stood(start_hub: HubStarter) -> None:
    hub = start_hub("--anonymous-push", env={"NACRE_HUB_SERVER_WORKERS": "2"})
    location = hub.start_upload("app")
    assert hub.ask("PATCH", location, PIECE).status == 202
    torn = hub.start_upload("app")
    with begun(hub, torn, 10 * len(PIECE)):
        time.sleep(0.2)
        hub.kill()
    again = start_hub("--anonymous-push")
    standing = again.ask("GET", location)
    assert (standing.status, standing.headers["range"]) == (204, f"0-{len(PIECE) - 1}")
    assert again.ask("PATCH", location, PIECE).status == 202
    answer = again.ask("PUT", f"{location}?digest={Digest.of(PIECE * 2)}")
    assert answer.status == 201
    assert again.ask("GET", answer.headers["location"]).body == PIECE * 2
    assert again.ask("GET", torn).headers["range"] == "0-0"


@pytest.mark.parametrize("workers", ["1", "3"])
def test_no_worker_outlives_the_process_that_keeps_it(start_hub: HubStarter, workers: str) -> None:
    hub = start_hub(env={"NACRE_HUB_SERVER_WORKERS": workers})
    left = hub.workers()
    assert len(left) == int(workers)
    hub.process.kill()
    hub.process.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "the workers' end")
    start_hub(listen=hub.host)


# Workers


def test_every_request_of_an_upload_may_go_to_another_process(start_hub: HubStarter) -> None:
    hub = start_hub("--anonymous-push", env={"NACRE_HUB_SERVER_WORKERS": "2"})
    assert len(hub.workers()) == 2
    for _ in range(4):
        location = hub.start_upload("app")
        for number in range(12):
            at = number * len(PIECE)
            headers = {"Content-Range": f"{at}-{at + len(PIECE) - 1}"}
            assert hub.ask("PATCH", location, PIECE, headers).status == 202
            wanted = f"0-{at + len(PIECE) - 1}"
            assert hub.ask("GET", location).headers["range"] == wanted
            assert hub.ask("PATCH", location, PIECE, headers).status == 416
        answer = hub.ask("PUT", f"{location}?digest={Digest.of(PIECE * 12)}")
        assert answer.status == 201, answer.body
        assert hub.ask("GET", answer.headers["location"]).body == PIECE * 12


def test_a_worker_that_dies_is_replaced(start_hub: HubStarter) -> None:
    hub = start_hub()
    (worker,) = hub.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: hub.workers() not in ([], [worker]), "another worker")
    wait_until(hub.answers, "its answer")


# TLS


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.certificate)


def serial(hub: Hub) -> object:
    assert hub.tls is not None
    with (
        socket.create_connection((hub.name, hub.port), timeout=30) as raw,
        hub.tls.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        return (connection.getpeercert() or {})["serialNumber"]


def test_a_renewed_certificate_is_taken_over_while_an_upload_is_under_way(
    tmp_path: Path, start_hub: HubStarter, authority: Authority
) -> None:
    issued, renewed = authority.issue("hub"), authority.issue("hub-renewed")
    certificate, key = tmp_path / "hub.crt", tmp_path / "hub.key"

    def install(certificate_text: bytes, key_text: bytes) -> None:
        certificate.write_bytes(certificate_text)
        key.write_bytes(key_text)

    install(issued.certificate.read_bytes(), issued.key.read_bytes())
    settings = tmp_path / "hub.toml"
    settings.write_text(f"[server]\ntls-certificate = '{certificate}'\ntls-key = '{key}'\n")
    hub = start_hub("--anonymous-push", "--config", str(settings), tls=trusting(authority))
    assert hub.url.startswith("https://")
    assert f'realm="{hub.url}/token"' in hub.ask("GET", "/v2/").headers["www-authenticate"]
    first = serial(hub)
    location = hub.start_upload("app")
    with begun(hub, location, 2 * len(PIECE)) as upload:
        time.sleep(0.2)
        install(renewed.certificate.read_bytes(), renewed.key.read_bytes())
        with settings.open("a") as more:
            more.write("[registry]\nchunk-min = 4242\n")
        hub.process.send_signal(signal.SIGHUP)
        wait_until(lambda: serial(hub) != first, "the renewed certificate")
        assert "the settings were read anew, the workers are being replaced" in hub.log
        upload.sendall(PIECE)
        assert answer_to(upload).startswith(b"HTTP/1.1 202 ")
    digest = Digest.of(PIECE * 2)
    wait_until(
        lambda: hub.ask("POST", "/v2/app/blobs/uploads/").headers.get("oci-chunk-min-length"),
        "the new settings",
    )
    assert hub.ask("PUT", f"{location}?digest={digest}").status == 201
    wait_until(lambda: len(hub.workers()) == 1, "the end of the old worker", seconds=60)
    renewed_serial = serial(hub)

    # What cannot be used changes nothing.
    before = hub.workers()
    install(b"not a certificate", b"")
    hub.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "nothing was changed: cannot use the certificate" in hub.log, "a line")
    settings.write_text("[server]\nworkers = 0\n")
    hub.process.send_signal(signal.SIGHUP)
    wait_until(lambda: f"nothing was changed: {settings}: server.workers must" in hub.log, "it")
    assert (serial(hub), hub.workers()) == (renewed_serial, before)


def test_plain_http_to_tls_and_old_tls_harm_nothing(
    start_hub: HubStarter, authority: Authority
) -> None:
    issued = authority.issue("hub")
    tls = {
        "NACRE_HUB_SERVER_TLS_CERTIFICATE": str(issued.certificate),
        "NACRE_HUB_SERVER_TLS_KEY": str(issued.key),
    }
    hub = start_hub(env=tls, tls=trusting(authority))
    with socket.create_connection((hub.name, hub.port), timeout=30) as plain:
        plain.sendall(b"GET /v2/ HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert not answer_to(plain).startswith(b"HTTP/")
    assert hub.ask("GET", "/healthz").status == 200
