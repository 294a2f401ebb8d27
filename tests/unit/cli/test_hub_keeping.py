"""``nacre hub gc``, ``fsck``, ``rebuild``, ``retention`` and ``tag``, on a hub in a folder."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from nacre.hub.configuration.settings import load
from nacre.hub.jobs.journalling import Scribe
from nacre.hub.opening import now, records_of
from nacre.hub.registry.manifests import Terms
from nacre.hub.repositories.repository import Visibility
from nacre.hub.storage.folder import FolderPlace
from nacre.hub.storage.journal import FolderJournal
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from tests.unit.cli.running import Ended, run
from tests.unit.hub.jobs.stocked import Pusher
from tests.unit.hub.test_rebuilding import picture

T = TypeVar("T")


class Hub:
    """The data of a hub, which nobody serves."""

    def __init__(self, data: Path) -> None:
        self.settings = load(data=data, environment={})

    def on(self, work: Callable[[Pusher], Awaitable[T]]) -> T:
        async def main() -> T:
            async with records_of(self.settings) as records:
                return await work(Pusher(records, FolderPlace(self.settings.blobs), now))

        return asyncio.run(main())

    def run(self, *words: str) -> Ended:
        return run("hub", *words, "--data", str(self.settings.data))

    def good(self, *words: str) -> list[str]:
        ended = self.run(*words)
        assert (ended.code, ended.err) == (0, "")
        return ended.out.splitlines()

    def refused(self, *words: str) -> str:
        ended = self.run(*words)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.count("\n") == 1
        return ended.err

    def files(self) -> list[Path]:
        return sorted(path for path in self.settings.blobs.rglob("*") if path.is_file())

    def journal(self) -> None:
        async def write(pusher: Pusher) -> None:
            await Scribe(pusher.records.outbox, FolderJournal(self.settings.journal)).write()

        self.on(write)

    def expire(self) -> None:
        """Let the grace of everything run out that nothing needs."""

        async def unlink(pusher: Pusher) -> None:
            for repository in await pusher.records.inventory.repositories(after="", limit=100):
                for blob in await pusher.records.inventory.blobs(after="", limit=100):
                    found = await pusher.records.blobs.find(repository.id, blob.digest)
                    if found is not None and found.expires_at is not None:
                        await pusher.records.blobs.unlink(repository.id, blob.digest)

        self.on(unlink)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    made = Hub(tmp_path / "data")
    made.settings.blobs.mkdir(parents=True)

    async def fill(pusher: Pusher) -> None:
        app = await pusher.repository("team/app", Visibility.PRIVATE)
        await pusher.image(app, b"one", tags=("v1", "latest"))
        await pusher.image(app, b"two", tags=("v2", "latest"))

    made.on(fill)
    return made


def digests(hub: Hub) -> dict[str, Digest]:
    async def look(pusher: Pusher) -> dict[str, Digest]:
        app = await pusher.repository("team/app")
        return {tag.name: tag.digest for tag in await pusher.records.manifests.tag_list(app.id)}

    return hub.on(look)


def stray(hub: Hub, *, days: int) -> Path:
    place = FolderPlace(hub.settings.blobs)
    key = place.new_key()
    with place.append(key, 0) as writing:
        writing.write(b"stray")
    path = place.path(key)
    assert path is not None
    os.utime(path, (time.time() - days * 86400,) * 2)
    return path


def test_a_collection_spares_what_was_pushed_just_now(hub: Hub) -> None:
    hub.on(_push_loose)
    nothing = ["manifests: 0", "links of repositories to blobs: 0", "blobs: 0"]
    dry = [f"Would delete {line}" for line in nothing]
    assert hub.good("gc", "--dry-run") == [*dry, "Total reclaimable space: 0B"]
    wet = [f"Deleted {line}" for line in nothing]
    assert hub.good("gc") == [*wet, "Total reclaimed space: 0B"]
    assert len(hub.files()) == 5


def test_a_push_can_end_after_a_collection(hub: Hub) -> None:
    layer = b"pushed a moment ago"

    async def begin(pusher: Pusher) -> None:
        await pusher.blob(await pusher.repository("team/app"), layer)

    async def end(pusher: Pusher) -> None:
        part = {
            "mediaType": mediatypes.OCI_LAYER_GZIP,
            "digest": Digest.of(layer),
            "size": len(layer),
        }
        document: dict[str, object] = {"config": part, "layers": [part]}
        app = await pusher.repository("team/app")
        await pusher.manifest(app, mediatypes.OCI_MANIFEST, document, ("late",))

    hub.on(begin)
    hub.good("gc")
    hub.on(end)
    assert hub.good("fsck", "--verify") == ["nothing is wrong"]


async def _push_loose(pusher: Pusher) -> None:
    await pusher.blob(await pusher.repository("team/app"), b"loose")


def test_a_collection_leaves_the_bytes_to_their_readers(hub: Hub) -> None:
    hub.on(_push_loose)
    hub.expire()
    assert hub.good("gc", "--dry-run")[2:] == [
        "Would delete blobs: 1",
        "Total reclaimable space: 5B",
    ]
    ended = hub.run("gc")
    assert ended.code == 0
    assert ended.out.splitlines()[2:] == ["Deleted blobs: 1", "Total reclaimed space: 5B"]
    assert ended.err == "the bytes go 1h later, when nobody is reading them\n"
    assert len(hub.files()) == 5


def test_a_collection_of_all_spares_nothing(hub: Hub) -> None:
    hub.on(_push_loose)
    assert hub.good("gc", "--all", "--dry-run")[3] == "Total reclaimable space: 5B"
    assert hub.good("gc", "--all") == [
        "Deleted manifests: 0",
        "Deleted links of repositories to blobs: 1",
        "Deleted blobs: 1",
        "Total reclaimed space: 5B",
    ]
    assert len(hub.files()) == 3
    assert hub.good("fsck", "--verify") == ["nothing is wrong"]


def test_a_check_finds_lost_blobs_and_a_repair_forgets_them(hub: Hub) -> None:
    two = next(path for path in hub.files() if path.read_bytes() == b"two")
    two.write_bytes(b"TWO")
    assert hub.good("fsck") == ["nothing is wrong"]
    digest = Digest.of(b"two")
    ended = hub.run("fsck", "--verify")
    assert (ended.code, ended.err) == (1, "")
    found = f"its bytes have the digest {Digest.of(b'TWO')}"
    assert ended.out.splitlines() == [f"damaged blob {digest}: {found}", "1 wrong"]
    incomplete = f"incomplete manifest team/app@{digests(hub)['v2']}: names {digest}"
    assert hub.good("fsck", "--verify", "--repair") == [
        f"damaged blob {digest}: {found}; forgotten",
        f"{incomplete}, which is not here",
        "1 repaired",
        "nothing is wrong",
    ]

    async def push_again(pusher: Pusher) -> None:
        await pusher.blob(await pusher.repository("team/app"), b"two")

    hub.on(push_again)
    assert hub.good("fsck", "--verify") == ["nothing is wrong"]


def test_a_check_finds_stray_bytes_that_are_old(hub: Hub) -> None:
    path = stray(hub, days=2)
    young = stray(hub, days=0)
    key = path.relative_to(hub.settings.blobs)
    ended = hub.run("fsck")
    assert ended.code == 1
    assert ended.out.splitlines() == [f"stray bytes {key}: no record of it", "1 wrong"]
    assert hub.good("fsck", "--older-than", "3d") == ["nothing is wrong"]
    assert hub.good("fsck", "--repair")[0] == f"stray bytes {key}: no record of it; deleted"
    assert (path.exists(), young.exists()) == (False, True)


def test_lost_records_are_made_again(hub: Hub) -> None:
    hub.journal()
    before = hub.on(lambda pusher: picture(pusher.records))
    for path in hub.settings.data.glob("hub.db"):
        path.unlink()
    # What is left of the old ones must not get mixed into the new.
    hub.settings.data.joinpath("hub.db-wal").write_bytes(b"nonsense")
    made = "made 1 repository, 2 manifests, 3 tags and 3 blobs"
    assert hub.good("rebuild", "--verify") == [made]
    assert hub.on(lambda pusher: picture(pusher.records)) == before
    assert hub.good("fsck", "--verify") == ["nothing is wrong"]
    assert not list(hub.settings.data.glob("hub.db.new*"))
    assert hub.settings.data.joinpath("hub.db-wal.old").read_bytes() == b"nonsense"


def test_records_that_are_there_are_never_replaced(hub: Hub) -> None:
    hub.journal()
    before = hub.on(lambda pusher: picture(pusher.records))
    assert "there are records already" in hub.refused("rebuild")
    assert hub.on(lambda pusher: picture(pusher.records)) == before


def test_a_hub_whose_records_are_missing_does_not_begin_with_new_ones(hub: Hub) -> None:
    hub.journal()
    hub.settings.records.unlink()
    error = hub.refused("serve", "--listen", "127.0.0.1:0")
    assert "is missing" in error
    assert "nacre hub rebuild" in error
    assert not hub.settings.records.exists()
    hub.good("rebuild")


def test_without_a_journal_nothing_is_made(hub: Hub) -> None:
    hub.settings.records.unlink()
    error = hub.refused("rebuild")
    assert "there is no journal" in error
    assert "from a backup" in error
    assert not hub.settings.records.exists()


def test_what_cannot_be_made_again_is_told(hub: Hub) -> None:
    hub.journal()
    hub.settings.records.unlink()
    next(path for path in hub.files() if path.read_bytes() == b"two").unlink()
    ended = hub.run("rebuild")
    assert (ended.code, ended.err) == (1, "")
    lost, made = ended.out.splitlines()
    assert lost == f"blob {Digest.of(b'two')}: its bytes are gone"
    assert made == "made 1 repository, 2 manifests, 3 tags and 2 blobs"


def test_retention_is_set_shown_and_applied(hub: Hub) -> None:
    assert hub.good("retention", "set", "team/app", "--last", "1", "--pulled-within", "30d") == [
        "team/app"
    ]
    shown = hub.good("retention", "show", "team/app", "--format", "json")
    rules = {"Last": "1", "PushedWithin": "", "PulledWithin": "30d", "Matching": ""}
    assert [json.loads(line) for line in shown] == [rules]
    hub.good("retention", "set", "team/app", "--clear", "--matching", "v.*")
    assert hub.good("retention", "show", "team/app", "--format", "{{.Last}},{{.Matching}}") == [
        ",v.*"
    ]
    assert hub.good("retention", "run", "--dry-run") == ["would delete: team/app:latest"]
    assert set(digests(hub)) == {"v1", "v2", "latest"}
    assert hub.good("retention", "run", "-q") == ["team/app:latest"]
    assert set(digests(hub)) == {"v1", "v2"}
    assert hub.good("retention", "run", "team/app") == []


def test_a_namespace_sets_retention_for_all_its_repositories(hub: Hub) -> None:
    assert hub.good("retention", "set", "team/", "--matching", "no") == ["team/"]
    assert hub.good("retention", "show", "team/", "--format", "{{.Matching}}") == ["no"]
    assert "no namespace" in hub.refused("retention", "show", "far/")
    assert len(hub.good("retention", "run", "--dry-run", "team/app")) == 3
    hub.good("retention", "set", "team/app", "--last", "5")
    assert hub.good("retention", "run", "--dry-run") == []
    assert "no namespace" in hub.refused("retention", "set", "far/", "--last", "1")


def test_retention_keeps_tags_that_the_hub_never_deletes(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NACRE_HUB_REGISTRY_IMMUTABLE", "v.*")
    hub.good("retention", "set", "team/", "--matching", "no")
    assert hub.good("retention", "run") == ["deleted: team/app:latest"]
    assert set(digests(hub)) == {"v1", "v2"}


@pytest.mark.parametrize(
    "words",
    [
        ["--last", "many"],
        ["--last", "0"],
        ["--pushed-within", "0s"],
        ["--matching", "("],
        ["--pushed-within", "soon"],
        [],
    ],
    ids="".join,
)
def test_bad_rules_are_refused(hub: Hub, words: list[str]) -> None:
    ended = hub.run("retention", "set", "team/app", *words)
    assert ended.code != 0
    assert "Traceback" not in ended.err


def test_tags_are_listed_with_what_is_known_of_them(hub: Hub) -> None:
    assert sorted(hub.good("tag", "ls", "-q", "team/app")) == ["latest", "v1", "v2"]
    rows = [json.loads(line) for line in hub.good("tag", "ls", "team/app", "--format", "json")]
    assert {row["Name"]: row["Digest"] for row in rows} == digests(hub)
    assert {(row["PushedBy"], row["PulledAt"]) for row in rows} == {("alice", "")}


def test_a_moved_tag_is_restored_to_what_it_was_before(hub: Hub) -> None:
    before = digests(hub)
    assert before["latest"] == before["v2"]
    assert hub.good("tag", "restore", "team/app:latest") == [before["v1"]]
    assert digests(hub)["latest"] == before["v1"]
    assert hub.good("tag", "restore", "team/app:latest", before["v2"]) == [before["v2"]]
    assert digests(hub) == before
    changes = hub.good("tag", "history", "team/app:latest", "--format", "{{.Change}} {{.By}}")
    assert changes == ["restored operator", "restored operator", "moved alice", "created alice"]
    assert len(hub.good("tag", "history", "team/app", "--limit", "3", "--format", "json")) == 3


def test_a_deleted_tag_is_restored(hub: Hub) -> None:
    before = digests(hub)

    async def delete(pusher: Pusher) -> None:
        app = await pusher.repository("team/app")
        await pusher.records.manifests.delete_tag(app.id, "v1", terms=Terms(by="bob"))

    hub.on(delete)
    hub.good("tag", "restore", "team/app:v1")
    assert digests(hub) == before


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["team/app"], "names no tag"),
        (["team/app:v1"], "not pointed to anything before"),
        (["team/app:absent"], "not pointed to anything before"),
        (["team/app:v1", "nonsense"], "nonsense"),
        (["team/app:v1", str(Digest.of(b""))], "gone for good"),
        (["team/absent:v1"], "no repository"),
    ],
)
def test_what_cannot_be_restored_is_told(hub: Hub, words: list[str], what: str) -> None:
    assert what in hub.refused("tag", "restore", *words)


def test_a_folder_without_a_hub_is_told(tmp_path: Path) -> None:
    for words in (["gc"], ["fsck"], ["retention", "run"], ["tag", "ls", "a/b"]):
        assert "there is no hub" in Hub(tmp_path).refused(*words)
