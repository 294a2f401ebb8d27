"""``nacre hub serve`` is told to stop: at any moment of its start, by anybody, more than once."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import HubStarter
from tests.peers.tools import wait_until
from tests.servers.hub import ADMIN, command, environment

AT_ONCE = 15
"""Seconds; far less than the time for requests in flight, far more than any start takes."""
PATIENCE = {"NACRE_HUB_SERVER_STOP_WITHIN": "60s"}
TERM, INT = signal.SIGTERM, signal.SIGINT


@dataclass
class Starting:
    """A hub that has been started and of which nothing is known yet."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def has_workers(self) -> bool:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return bool(children.read_text())

    def has_loaded(self, library: str) -> bool:
        return library in Path(f"/proc/{self.process.pid}/maps").read_text()

    def wait_for(self, moment: Callable[[], bool]) -> None:
        """Wait for a moment that lasts for a few milliseconds."""
        while not moment():
            assert self.process.poll() is None, f"{self.said}{self.log}"

    def tell(self, number: int, *, all_of_it: bool) -> None:
        """Send a signal: to the first process, or to all of them, as a terminal does."""
        (os.killpg if all_of_it else os.kill)(self.process.pid, number)


@contextmanager
def starting(folder: Path, workers: int, listen: str = "127.0.0.1:0") -> Iterator[Starting]:
    """Start a hub and wait for nothing."""
    with (folder / "said").open("wb") as said, (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command("--data", str(folder / "data"), "--listen", listen),
            env=environment(folder / "home", PATIENCE | {"NACRE_HUB_SERVER_WORKERS": str(workers)}),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield Starting(process, folder)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def assert_it_ended_well(hub: Starting, *codes: int) -> None:
    assert hub.process.wait(AT_ONCE) in codes, hub.log
    with pytest.raises(ProcessLookupError):
        os.killpg(hub.process.pid, 0)
    assert hub.log == ""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("all_of_it", [False, True], ids=["the first process", "all processes"])
@pytest.mark.parametrize("number", [TERM, INT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("later", [0, 0.005, 0.015, 0.03, 0.05])
def test_told_to_stop_while_its_workers_start(
    tmp_path: Path, workers: int, all_of_it: bool, number: int, later: float
) -> None:
    with starting(tmp_path, workers) as hub:
        hub.wait_for(hub.has_workers)
        time.sleep(later)
        hub.tell(number, all_of_it=all_of_it)
        assert_it_ended_well(hub, 0)


@pytest.mark.parametrize("library", ["_sqlite3", "_argon2", "_granian"])
@pytest.mark.parametrize("number", [TERM, INT], ids=["SIGTERM", "SIGINT"])
def test_told_to_stop_before_it_serves(tmp_path: Path, library: str, number: int) -> None:
    """It ends as other commands do, or, when it has come so far, as one that served."""
    with starting(tmp_path, 1) as hub:
        hub.wait_for(lambda: hub.has_loaded(library))
        hub.tell(number, all_of_it=True)
        assert_it_ended_well(hub, 128 + number, 0)


def test_no_admin_is_made_whose_password_nobody_saw(tmp_path: Path, start_hub: HubStarter) -> None:
    data = tmp_path / "data"
    with starting(tmp_path, 1) as hub:
        hub.wait_for((data / "hub.db-wal").exists)
        hub.tell(TERM, all_of_it=False)
        assert_it_ended_well(hub, 128 + TERM, 0)
        seen = re.search(r"the password (\S+)", hub.said)
    again = start_hub(data=data)
    password = again.password or (seen[1] if seen else "")
    assert again.as_(ADMIN, password).ask("GET", "/v2/").status == 200


def test_the_address_is_free_at_once(tmp_path: Path, start_hub: HubStarter) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with starting(tmp_path, 2, address) as hub:
        hub.wait_for(hub.has_workers)
        hub.tell(TERM, all_of_it=True)
        assert_it_ended_well(hub, 0)
        assert start_hub(listen=address).ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_told_by_a_terminal_and_again_and_again_it_finishes_what_is_under_way(
    start_hub: HubStarter, workers: str
) -> None:
    hub = start_hub("--anonymous-push", env=PATIENCE | {"NACRE_HUB_SERVER_WORKERS": workers})
    location = hub.start_upload("app")
    with closing(hub.connect()) as connection:
        connection.putrequest("PATCH", location)
        connection.putheader("Content-Length", "6")
        connection.endheaders(b"one")
        time.sleep(0.3)
        for _ in range(4):
            os.killpg(hub.process.pid, INT)
            time.sleep(0.1)
        connection.send(b"two")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["range"]) == (202, "0-5")
    hub.stop(within=AT_ONCE)
    assert "worker" not in hub.log


def test_a_terminal_that_closes_renews_the_workers_once(start_hub: HubStarter) -> None:
    hub = start_hub()
    before = hub.workers()
    os.killpg(hub.process.pid, signal.SIGHUP)
    wait_until(lambda: len(hub.workers()) == 1 and hub.workers() != before, "another worker")
    assert hub.ask("GET", "/readyz").status == 200
    hub.stop()
