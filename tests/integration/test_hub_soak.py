"""Everything at once, for a while: pushes, mounts, moves, deletes, garbage, retention, kill -9.

The promise that is watched: whoever was told 201 for a blob, or 200 for a HEAD, less than the
grace ago can name that blob in a manifest and read it. In the end no record is without bytes, and
after a collection no bytes are without a record.
"""

from __future__ import annotations

import asyncio
import http.client
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nacre.hub.repositories.policy import Policy, Retention
from nacre.hub.repositories.repository import Visibility
from nacre.hub.storage.sql import open_records
from nacre.oci.digest import Digest
from tests.conftest import HubStarter
from tests.integration.hub_people import image, part
from tests.servers.hub import Answer, Hub

GRACE = 3.0
SETTINGS = {
    "NACRE_HUB_COLLECTION_INTERVAL": "1s",
    "NACRE_HUB_COLLECTION_RETENTION_INTERVAL": "1s",
    "NACRE_HUB_COLLECTION_GRACE": f"{GRACE:g}s",
    "NACRE_HUB_COLLECTION_UNDO": "2s",
    "NACRE_HUB_COLLECTION_TRASH": "2s",
    "NACRE_HUB_COLLECTION_UNTAGGED": "true",
    "NACRE_HUB_LOG_ACCESS": "false",
}
REPOSITORIES = ("soak/one", "soak/two", "soak/kept")
# Few contents, each wanted for a while by everybody and then by nobody for so long that it is
# collected, often just when it is wanted again.
CONTENTS = [
    [bytes([group, number]) * (1_000 + 9_000 * number) for number in range(6)] for group in range(4)
]
SEASON = 3.0
GONE_AWAY = (OSError, http.client.HTTPException)


@dataclass
class Watch:
    """What all clients share: the hub as it is now, when to end, and what was broken."""

    hub: Hub
    until: float
    broken: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_over(self) -> bool:
        return time.monotonic() > self.until or bool(self.broken)

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Answer:
        """Ask until there is an answer; what was lost is sent again."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        while True:
            try:
                answer = self.hub.ask(method, target, body, named)
            except GONE_AWAY:
                if self.is_over():
                    raise
                self.count("lost answers")
                time.sleep(0.1)
                continue
            if answer.status >= 500 and answer.status != 503:
                self.broken.append(f"{method} {target}: {answer}")
            if answer.status != 503:
                return answer
            self.count("503")
            time.sleep(0.1)


class Client(threading.Thread):
    """Does things at random, and knows what it was promised."""

    def __init__(self, watch: Watch, seed: int) -> None:
        super().__init__(name=f"client {seed}")
        self.watch = watch
        self.random = random.Random(seed)
        self.promised: dict[tuple[str, Digest], float] = {}

    def run(self) -> None:
        """Go on until the end."""
        work = (self.push, self.push, self.push, self.pull, self.pull, self.untag, self.remove)
        try:
            while not self.watch.is_over():
                self.random.choice(work)(self.random.choice(REPOSITORIES))
        except GONE_AWAY:
            return
        except Exception as error:  # noqa: BLE001 - told by the test
            self.watch.broken.append(f"{self.name}: {error!r}")

    def push(self, repository: str) -> None:
        """Push an image as clients do: ask, mount or upload what is missing, then the manifest."""
        season = int(time.monotonic() / SEASON) % len(CONTENTS)
        contents = self.random.sample(CONTENTS[season], 3)
        for data in contents:
            self.have(repository, data)
        config, *layers = contents
        raw = image(config=part(config), layers=[part(each) for each in layers])
        kind = "application/vnd.oci.image.manifest.v1+json"
        tag = f"t{self.random.randrange(6)}"
        target = f"/v2/{repository}/manifests/{tag}"
        answer = self.watch.ask("PUT", target, raw, Content_Type=kind)
        told = time.monotonic()
        if answer.status == 201:
            self.watch.count("images pushed")
            return
        names = [(repository, Digest.of(data)) for data in contents]
        if all(told - self.promised[name] < GRACE for name in names):
            self.watch.broken.append(f"{target}: {answer.body!r} after a promise")

    def have(self, repository: str, data: bytes) -> None:
        """See to it that a repository has a blob, and note when it was promised."""
        digest = Digest.of(data)
        name = (repository, digest)
        self.promised[name] = time.monotonic()
        if self.watch.ask("HEAD", f"/v2/{repository}/blobs/{digest}").status == 200:
            return
        source = self.random.choice(REPOSITORIES)
        begin = f"/v2/{repository}/blobs/uploads/"
        while True:
            self.promised[name] = time.monotonic()
            answer = self.watch.ask("POST", f"{begin}?mount={digest}&from={source}")
            if answer.status == 201:
                self.watch.count("blobs mounted")
                return
            location, half = answer.headers["location"], len(data) // 2
            self.watch.ask("PATCH", location, data[:half], Content_Range=f"0-{half - 1}")
            rest = {"Content_Range": f"{half}-{len(data) - 1}"}
            self.promised[name] = time.monotonic()
            answer = self.watch.ask("PUT", f"{location}?digest={digest}", data[half:], **rest)
            if answer.status == 201:
                self.watch.count("blobs pushed")
                return
            # An answer that was lost: the upload is over, or stands elsewhere. Begin again.
            if answer.status not in {404, 416}:
                self.watch.broken.append(f"{location}: {answer}")
                return
            if self.watch.ask("HEAD", f"/v2/{repository}/blobs/{digest}").status == 200:
                return

    def pull(self, repository: str) -> None:
        """Pull an image; once its manifest was read, all of it must be there for a while."""
        began = time.monotonic()
        tag = f"t{self.random.randrange(6)}"
        answer = self.watch.ask("GET", f"/v2/{repository}/manifests/{tag}")
        if answer.status != 200:
            return
        assert str(Digest.of(answer.body)) == answer.headers["docker-content-digest"]
        shape = answer.json
        for each in (shape["config"], *shape["layers"]):
            got = self.watch.ask("GET", f"/v2/{repository}/blobs/{each['digest']}")
            if got.status == 200:
                assert str(Digest.of(got.body)) == each["digest"]
            elif time.monotonic() - began < GRACE:
                self.watch.broken.append(f"{repository}:{tag} lacks {each['digest']}")
        self.watch.count("images pulled")

    def untag(self, repository: str) -> None:
        """Delete a tag."""
        self.watch.ask("DELETE", f"/v2/{repository}/manifests/t{self.random.randrange(6)}")

    def remove(self, repository: str) -> None:
        """Delete a manifest with all its tags."""
        head = self.watch.ask("HEAD", f"/v2/{repository}/manifests/t{self.random.randrange(6)}")
        if head.status == 200:
            digest = head.headers["docker-content-digest"]
            self.watch.ask("DELETE", f"/v2/{repository}/manifests/{digest}")


async def settle(hub: Hub) -> None:
    """Let retention work in one of the repositories."""
    async with open_records(hub.data / "hub.db") as records:
        await records.repositories.ensure(REPOSITORIES[2], Visibility.PUBLIC)
        policy = Policy(retention=Retention(last=2))
        await records.repositories.change(REPOSITORIES[2], policy=policy)


def run_soak(start_hub: HubStarter, *, seconds: float, workers: int, clients: int) -> Watch:
    """Run everything, killing the hub now and then; return the hub as it stands at the end."""
    env = {**SETTINGS, "NACRE_HUB_SERVER_WORKERS": str(workers)}
    hub = start_hub("--anonymous-push", env=env)
    asyncio.run(settle(hub))
    watch = Watch(hub, time.monotonic() + seconds)
    crowd = [Client(watch, seed) for seed in range(clients)]
    for client in crowd:
        client.start()
    choose = random.Random(1)
    while not watch.is_over():
        time.sleep(choose.uniform(2, 6))
        if not watch.is_over():
            watch.hub.kill()
            watch.hub = start_hub("--anonymous-push", env=env, listen=hub.host)
            watch.count("kills")
    for client in crowd:
        client.join(60)
    assert watch.broken == []
    return watch


def check(watch: Watch) -> None:
    """Check what is left: every tag pulls, no record lacks bytes, no bytes lack a record."""
    hub = watch.hub
    for repository in REPOSITORIES:
        answer = hub.ask("GET", f"/v2/{repository}/tags/list")
        for tag in answer.json["tags"] if answer.status == 200 else ():
            manifest = hub.ask("GET", f"/v2/{repository}/manifests/{tag}")
            for each in (manifest.json["config"], *manifest.json["layers"]):
                got = hub.ask("GET", f"/v2/{repository}/blobs/{each['digest']}")
                assert (got.status, str(Digest.of(got.body))) == (200, each["digest"])
    assert "Traceback" not in hub.log
    hub.stop()
    for words in (("gc", "--all"), ("fsck", "--verify", "--older-than", "0s")):
        hub.manage(*words)
    with closing(sqlite3.connect(hub.data / "hub.db")) as database:
        keys = dict(database.execute("SELECT key, size FROM blobs"))
        keys |= {key: None for (key,) in database.execute("SELECT key FROM uploads")}
    found = {path.relative_to(hub.data / "blobs") for path in _files(hub.data / "blobs" / "b")}
    assert {str(path) for path in found} - keys.keys() == set(), "bytes without a record"
    assert {key for key, size in keys.items() if size is not None} <= {str(path) for path in found}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_a_short_soak(start_hub: HubStarter) -> None:
    watch = run_soak(start_hub, seconds=15, workers=1, clients=4)
    assert watch.counts["images pushed"] > 10
    assert watch.counts["blobs pushed"] > 10
    assert watch.counts["kills"] >= 1
    check(watch)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_long_soak(start_hub: HubStarter, workers: int) -> None:
    watch = run_soak(start_hub, seconds=180, workers=workers, clients=6)
    assert watch.counts["images pushed"] > 100
    check(watch)
