"""SIGHUP, renewed certificates and workers that die: whatever lies on the disk, the hub serves."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import HubStarter
from tests.peers.certificates import Authority, Certificate
from tests.peers.tools import require_tool, run, succeed, wait_until
from tests.servers.hub import Hub

BODY = b"one" + b"two"
REPLACING = "the workers are being replaced"


@dataclass
class Files:
    """The settings file of a hub with TLS, and the certificate that it names."""

    folder: Path
    settings: Path
    more: str = ""

    @property
    def key(self) -> Path:
        return self.folder / "hub.key"

    def install(self, issued: Certificate) -> None:
        (self.folder / "hub.crt").write_bytes(issued.certificate.read_bytes())
        self.key.write_bytes(issued.key.read_bytes())


StartTls = Callable[..., tuple[Hub, Files]]


@pytest.fixture
def start_tls(tmp_path: Path, start_hub: HubStarter, authority: Authority) -> StartTls:
    """Start a hub with TLS; keywords are settings of its section ``server``."""

    def start(**server: str | int) -> tuple[Hub, Files]:
        files = Files(tmp_path, tmp_path / "hub.toml")
        files.install(authority.issue("first"))
        stated = server | {"tls-certificate": f"{tmp_path}/hub.crt", "tls-key": f"{files.key}"}
        lines = [f"{name.replace('_', '-')} = {value!r}" for name, value in stated.items()]
        files.settings.write_text("\n".join(("[server]", *lines, "")))
        trusting = ssl.create_default_context(cafile=authority.certificate)
        hub = start_hub("--anonymous-push", "--config", str(files.settings), tls=trusting)
        wait_until(lambda: len(hub.workers()) == server.get("workers", 1), "all workers")
        return hub, files

    return start


def serial(hub: Hub) -> object:
    assert hub.tls is not None
    with (
        socket.create_connection((hub.name, hub.port), timeout=30) as raw,
        hub.tls.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        return (connection.getpeercert() or {})["serialNumber"]


def renew(hub: Hub, times: int = 1) -> None:
    """Send SIGHUP and wait until it was understood."""
    hub.process.send_signal(signal.SIGHUP)
    wait_until(lambda: hub.log.count(REPLACING) == times, "the renewal")


def wait_until_only(hub: Hub, count: int, *, without: list[int]) -> None:
    """Wait until there are so many workers, none of which are among others."""
    wait_until(
        lambda: len(hub.workers()) == count and not set(hub.workers()) & set(without),
        "other workers",
    )


def replace_killed_workers(hub: Hub) -> None:
    """Kill one worker after another, and wait until another serves in its place."""
    workers = hub.workers()
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
        wait_until_only(hub, len(workers), without=[worker])
    wait_until(hub.answers, "an answer")


def begun(hub: Hub) -> socket.socket:
    """Begin a PATCH of two pieces."""
    location = hub.start_upload("app")
    assert hub.tls is not None
    raw = socket.create_connection((hub.name, hub.port), timeout=60)
    connection = hub.tls.wrap_socket(raw, server_hostname="localhost")
    connection.sendall(
        f"PATCH {location} HTTP/1.1\r\nHost: hub\r\nContent-Length: {len(BODY)}\r\n\r\none".encode()
    )
    time.sleep(0.3)
    return connection


def test_a_worker_that_dies_is_replaced_while_a_damaged_key_lies_on_the_disk(
    start_tls: StartTls,
) -> None:
    hub, files = start_tls(workers=2)
    first = serial(hub)
    files.key.write_text("junk")
    hub.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "nothing was changed: cannot use the certificate" in hub.log, "a line")
    replace_killed_workers(hub)
    assert {serial(hub) for _ in range(8)} == {first}
    assert "panicked" not in hub.log


def test_a_worker_that_dies_is_replaced_while_a_renewal_is_half_written(
    start_tls: StartTls, authority: Authority
) -> None:
    hub, files = start_tls(workers=2)
    first, before = serial(hub), hub.workers()
    files.install(authority.issue("second"))
    renew(hub)
    wait_until_only(hub, 2, without=before)
    renewed = serial(hub)
    assert renewed != first
    files.key.write_bytes(authority.issue("third").key.read_bytes())
    replace_killed_workers(hub)
    assert {serial(hub) for _ in range(8)} == {renewed}


def test_an_upload_outlasts_a_renewal_and_new_connections_get_the_new_certificate(
    start_tls: StartTls, authority: Authority
) -> None:
    hub, files = start_tls(workers=2, stop_within="1s")
    first, before = serial(hub), hub.workers()
    with begun(hub) as upload:
        files.install(authority.issue("second"))
        renew(hub)
        # Of those before, only the one with the upload is left: nobody else waits for it.
        wait_until(lambda: len(set(hub.workers()) & set(before)) == 1, "the end of the other")
        assert len(hub.workers()) == 3
        assert first not in {serial(hub) for _ in range(20)}
        time.sleep(2.5)  # more than the hub itself would wait when it is stopped
        upload.sendall(b"two")
        assert upload.recv(4096).startswith(b"HTTP/1.1 202 ")
    wait_until_only(hub, 2, without=before)
    assert "Killing" not in hub.log


def test_what_outlasts_a_renewal_does_not_outlast_the_hub(start_tls: StartTls) -> None:
    hub, _files = start_tls(stop_within="1s")
    before = hub.workers()
    with begun(hub) as upload:
        renew(hub)
        wait_until(lambda: len(hub.workers()) == 2, "another worker")
        renew(hub, times=2)
        wait_until(lambda: len(set(hub.workers()) - set(before)) == 1, "the third")
        hub.stop(within=30)
        assert upload.recv(4096) == b""


@pytest.mark.parametrize("later", [0, 0.02, 0.2, 0.5, 1])
@pytest.mark.parametrize("all_of_it", [False, True], ids=["the first process", "all processes"])
def test_told_to_stop_while_its_workers_are_replaced(
    start_hub: HubStarter, later: float, all_of_it: bool
) -> None:
    hub = start_hub(env={"NACRE_HUB_SERVER_WORKERS": "2"})
    hub.process.send_signal(signal.SIGHUP)
    time.sleep(later)
    if all_of_it:
        os.killpg(hub.process.pid, signal.SIGTERM)
    hub.stop(within=15)
    assert "worker-" not in hub.log


def test_told_to_replace_its_workers_again_and_again(start_hub: HubStarter) -> None:
    hub = start_hub(env={"NACRE_HUB_SERVER_WORKERS": "2"})
    before = hub.workers()
    for _ in range(5):
        hub.process.send_signal(signal.SIGHUP)
        time.sleep(0.15)
    wait_until_only(hub, 2, without=before)
    wait_until(hub.answers, "an answer")
    assert "ERROR" not in hub.log


def test_a_connection_that_says_nothing_does_not_keep_a_replaced_worker(
    start_tls: StartTls,
) -> None:
    hub, files = start_tls()
    with files.settings.open("a") as more:
        more.write("[registry]\nclient-patience = '2s'\n")
    before = hub.workers()
    renew(hub)
    wait_until_only(hub, 1, without=before)
    before = hub.workers()
    with socket.create_connection((hub.name, hub.port), timeout=30):
        time.sleep(0.2)
        renew(hub, times=2)
        wait_until_only(hub, 1, without=before)


def test_workers_that_cannot_start_leave_those_before_them(
    start_tls: StartTls, authority: Authority
) -> None:
    hub, files = start_tls(workers=2)
    first, before = serial(hub), hub.workers()
    files.install(unusable(authority))
    renew(hub)
    wait_until(lambda: "nothing was changed: the new workers do not start" in hub.log, "a line")
    wait_until(lambda: set(hub.workers()) == set(before), "the workers from before")
    # What follows is as if it had never been asked for.
    replace_killed_workers(hub)
    assert {serial(hub) for _ in range(8)} == {first}
    before = hub.workers()
    files.install(authority.issue("second"))
    renew(hub, times=2)
    wait_until_only(hub, 2, without=before)
    assert serial(hub) != first
    hub.kill()  # Those that could not start have left their traces in the log.


def unusable(authority: Authority) -> Certificate:
    """Return a certificate of a kind that Python's TLS knows and the server's does not."""
    made = Certificate(authority.folder / "ed448.crt", authority.folder / "ed448.key")
    words = ("req", "-x509", "-newkey", "ed448", "-nodes", "-subj", "/CN=localhost", "-days", "2")
    openssl = require_tool("openssl")
    succeed(run(openssl, *words, "-keyout", made.key, "-out", made.certificate))
    return made


def test_a_log_that_cannot_be_written_changes_nothing(start_tls: StartTls) -> None:
    hub, files = start_tls()
    before = hub.workers()
    with files.settings.open("a") as more:
        more.write("[log]\nfile = '/proc/nacre/log'\n")
    hub.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "nothing was changed: cannot write the log" in hub.log, "a line")
    assert (hub.workers(), hub.answers()) == (before, True)


def test_workers_that_die_soon_after_each_other_are_replaced(start_hub: HubStarter) -> None:
    hub = start_hub()
    for _ in range(3):
        replace_killed_workers(hub)
    hub.stop()
