"""The hub's memory follows how many ask at once, and not how much they send, pull or list.

Each load is put on the hub twice: a smaller one, after which all is in memory that always is, and
one that is larger by far more than the hub may take for it. What counts is how much more memory
the second takes than the first: no interpreter, no library and no cache has a part in that.
"""

from __future__ import annotations

import hashlib
import random
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from nacre.hub.api.body import LEAST, TOGETHER
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import MANIFEST_LIMIT
from tests.integration.hub_people import index
from tests.integration.images import MEBIBYTE
from tests.peers.tools import wait_until
from tests.servers.hub import ADMIN, Hub, started_hub

CONNECTION = 2 * 96 * 1024 + 2 * LEAST + 128 * 1024
"""What a connection may hold: the server's buffers in and out, two that are filled or written, and
what a request is made of."""

KEPT = 16 * MEBIBYTE
"""What the hub keeps of its records until they change (decision 26)."""

SLACK = 8 * MEBIBYTE
"""What an allocator does not give back of what was used in between."""


@dataclass
class Memory:
    """The most memory of all processes of a hub together, in bytes; what they share counts once.

    Pages of files do not count: the kernel takes them back when it needs to.
    """

    peak: int = 0


@contextmanager
def watched(hub: Hub) -> Iterator[Memory]:
    """Give what is filled until the block ends."""
    memory, done = Memory(), threading.Event()
    processes = [hub.process.pid, *hub.workers()]

    def look() -> None:
        memory.peak = max(memory.peak, sum(map(_proportional, processes)))

    def watch() -> None:
        while not done.wait(0.02):
            look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        look()
        yield memory
        look()
    finally:
        done.set()
        thread.join()


def _proportional(process: int) -> int:
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {process} has no memory")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    env = {"NACRE_HUB_LOG_ACCESS": "false", "NACRE_HUB_SERVER_WORKERS": "1"}
    with started_hub(tmp_path / "hub", env=env) as hub:
        # To check a password takes memory, too, as it should.
        admin = hub.as_(ADMIN, hub.password)
        yield hub.with_(admin.token("repository:library/memory:pull,push"))


def growth(hub: Hub, smaller: Callable[[], object], larger: Callable[[], object]) -> int:
    """Return how much more memory the larger load takes, in bytes."""
    peaks = []
    for load in (smaller, larger):
        with watched(hub) as memory:
            load()
        peaks.append(memory.peak)
    return peaks[1] - peaks[0]


def pushed_at_once(hub: Hub, pushes: int, size: int) -> None:
    """Push blobs of ``size`` MiB that differ, each in one request."""
    piece = random.randbytes(MEBIBYTE)

    def push(number: int) -> None:
        first = random.Random(f"{number} {size}").randbytes(MEBIBYTE)
        digest = hashlib.sha256(first)
        for _ in range(size - 1):
            digest.update(piece)
        target = f"/v2/library/memory/blobs/uploads/?digest=sha256:{digest.hexdigest()}"
        body = (part for part in (first, *[piece] * (size - 1)))
        headers = {"Content-Length": str(size * MEBIBYTE)}
        assert hub.ask("POST", target, body, headers).status == 201

    with ThreadPoolExecutor(pushes) as pool:
        list(pool.map(push, range(pushes)))


def test_pushes_take_no_more_memory_for_being_larger(hub: Hub) -> None:
    pushes = 30
    more = growth(
        hub, lambda: pushed_at_once(hub, pushes, 2), lambda: pushed_at_once(hub, pushes, 16)
    )
    assert more < pushes * CONNECTION + TOGETHER + SLACK < pushes * 14 * MEBIBYTE / 10


@contextmanager
def open_requests(hub: Hub, heads: list[bytes]) -> Iterator[list[socket.socket]]:
    """Send heads of requests, each over a connection of its own."""
    with ExitStack() as stack:
        connections = []
        for head in heads:
            connection = socket.create_connection((hub.name, hub.port), timeout=60)
            connections.append(stack.enter_context(connection))
            # What lies in the kernel is not the hub's.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
            connection.sendall(head)
        yield connections


def test_slow_pulls_take_a_few_buffers_each(hub: Hub) -> None:
    size, few, many = 32, 20, 120
    digest = hub.push_blob("library/memory", random.randbytes(size * MEBIBYTE))
    lines = ("GET /v2/library/memory/blobs/%s HTTP/1.1", "Host: hub", "Authorization: %s", "", "")
    head = ("\r\n".join(lines) % (digest, hub.authorization)).encode()

    def pulled(count: int) -> None:
        with open_requests(hub, [head] * count) as connections:
            for _ in range(8):
                for connection in connections:
                    assert connection.recv(16 * 1024)
                time.sleep(0.1)

    more = growth(hub, lambda: pulled(few), lambda: pulled(many))
    allowed = (many - few) * CONNECTION + SLACK
    assert more < allowed < (many - few) * size * MEBIBYTE / 10


def test_heads_that_never_end_take_a_buffer_each(hub: Hub) -> None:
    few, many, sent = 10, 100, 40

    def flooded(count: int) -> None:
        start = b"GET /v2/ HTTP/1.1\r\nHost: hub\r\n"
        with open_requests(hub, [start] * count) as connections:
            line = b"X-%d: " + b"y" * 8000 + b"\r\n"
            for number in range(sent):
                for connection in connections:
                    with suppress(ConnectionError):  # it has been told that it is too much
                        connection.sendall(line % number)

    more = growth(hub, lambda: flooded(few), lambda: flooded(many))
    allowed = (many - few) * 2 * 64 * 1024 + SLACK
    assert more < allowed < (many - few) * sent * 8000
    assert hub.ask("GET", "/readyz").status == 200


def test_large_manifests_are_not_all_kept(hub: Hub) -> None:
    few, many = 6, 24

    def pushed(first: int, count: int) -> None:
        for number in range(first, first + count):
            annotations = {"a": random.Random(number).randbytes(MANIFEST_LIMIT // 2 - 200).hex()}
            raw = index(annotations=annotations)
            assert hub.push_manifest("library/memory", f"t{number}", raw).status == 201
        for number in range(first, first + count):
            assert hub.ask("GET", f"/v2/library/memory/manifests/t{number}").status == 200
        wait_until(lambda: _is_written(hub), "the journal to be written")

    more = growth(hub, lambda: pushed(0, few), lambda: pushed(few, many))
    assert more < KEPT + 4 * MANIFEST_LIMIT + SLACK < many * MANIFEST_LIMIT


def _is_written(hub: Hub) -> bool:
    with closing(sqlite3.connect(hub.data / "hub.db")) as records:
        (waiting,) = records.execute("SELECT count(*) FROM outbox").fetchone()
        return int(waiting) == 0


def test_referrers_are_listed_a_page_at_a_time(hub: Hub) -> None:
    few, many, size = 60, 600, 100_000
    subject = index(annotations={"is": "subject"})
    hub.push_manifest("library/memory", "subject", subject)
    about = {
        "mediaType": mediatypes.OCI_INDEX,
        "digest": str(Digest.of(subject)),
        "size": len(subject),
    }

    def pushed(first: int, count: int) -> None:
        for number in range(first, first + count):
            raw = index(subject=about, annotations={"a": f"{number:0{size}}"})
            digest = Digest.of(raw)
            assert hub.push_manifest("library/memory", str(digest), raw).status == 201

    def listed() -> None:
        target, found = f"/v2/library/memory/referrers/{about['digest']}", 0
        while target:
            answer = hub.ask("GET", target)
            assert answer.status == 200
            found += len(answer.json["manifests"])
            target = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
        totals.append(found)

    totals: list[int] = []
    pushed(0, few)

    def all_listed() -> None:
        pushed(few, many - few)
        listed()

    more = growth(hub, listed, all_listed)
    assert totals == [few, many]
    assert more < KEPT + 4 * MANIFEST_LIMIT + SLACK < (many - few) * size
