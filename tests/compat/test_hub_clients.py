"""Our hub: everybody's client logs in, pushes and pulls, and digests are the same for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.testing.builders import an_index
from tests.compat.conformance.client import Client
from tests.compat.images import ARM, GZIP, image_id, inspected, raw_manifest, skopeo_copy
from tests.compat.parties import (
    PLAIN,
    BuildahParty,
    DockerParty,
    NacreParty,
    Party,
    PodmanParty,
    SkopeoParty,
)
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool, wait_until
from tests.servers.hub import Hub, started_hub

USER, OTHER, PASSWORD = "alice", "bob", "mother of pearl: ñ"
PARTIES = {
    "nacre": NacreParty,
    "skopeo": SkopeoParty,
    "podman": PodmanParty,
    "buildah": BuildahParty,
    "docker": DockerParty,
}
Join = Callable[[str], Party]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with login, two users, private repositories and short pages."""
    settings = '[registry]\nvisibility = "private"\npage = 100\n'
    with started_hub(tmp_path_factory.mktemp("hub"), settings=settings) as running:
        for name in (USER, OTHER):
            running.add_user(name, PASSWORD)
        yield running


@pytest.fixture
def stranger(request: pytest.FixtureRequest, nacre_cli: NacreCli, tmp_path: Path) -> Join:
    """A function that returns a client of a kind, which is not logged in."""

    def of(kind: str) -> Party:
        if kind == "nacre":
            tool = Tool(tuple(nacre_cli.argv()), nacre_cli.env)
        else:
            tool = request.getfixturevalue(kind)
        return PARTIES[kind](tool, tmp_path / f"{kind}-files")

    return of


@pytest.fixture
def join(stranger: Join, hub: Hub) -> Join:
    """A function that returns a client of a kind, logged in as alice."""

    def of(kind: str) -> Party:
        party = stranger(kind)
        done = party.log_in(hub.host, USER, PASSWORD)
        assert "Login Succeeded" in done.stdout + done.stderr
        return party

    return of


@pytest.fixture
def client(hub: Hub) -> Iterator[Client]:
    """Bare requests of alice's."""
    with closing(Client(hub.host, login=(USER, PASSWORD))) as bare:
        yield bare


def digest_at(client: Client, name: str) -> Digest:
    """Return the digest that the hub states of a tag; it is that of the bytes."""
    path, _, tag = name.partition("/")[2].rpartition(":")
    wanted = [("Accept", f"{mediatypes.OCI_INDEX},{mediatypes.OCI_MANIFEST},*/*")]
    answer = client.ask("GET", f"/v2/{path}/manifests/{tag}", fields=wanted).expect(200)
    stated = Digest(answer.header("Docker-Content-Digest"))
    assert Digest.of(answer.body) == stated
    return stated


@pytest.mark.parametrize(
    ("pusher", "puller"),
    [
        ("nacre", "skopeo"),
        ("skopeo", "podman"),
        ("podman", "buildah"),
        ("buildah", "nacre"),
        pytest.param("docker", "nacre", marks=pytest.mark.root),
        pytest.param("nacre", "docker", marks=pytest.mark.root),
    ],
)
def test_what_one_pushes_the_other_pulls(
    join: Join, hub: Hub, client: Client, pusher: str, puller: str
) -> None:
    name = f"{hub.host}/{USER}/{pusher}-{puller}:1"
    join(pusher).push(GZIP, name)
    stated = digest_at(client, name)
    if pusher in {"nacre", "skopeo"}:
        assert stated == GZIP.root.digest
    assert join(puller).pull(name) == stated


@pytest.mark.parametrize("kind", ["podman", "buildah"])
def test_blobs_come_in_streams_of_unknown_length(join: Join, hub: Hub, kind: str) -> None:
    """They send PATCH without a length, which few others do."""
    join(kind).push(GZIP, f"{hub.host}/{USER}/streamed-{kind}:1")
    wait_until(lambda: f"streamed-{kind}/manifests/1" in hub.log, "the hub's log")
    patched = [
        line
        for line in hub.log.splitlines()
        if "method=PATCH" in line and f"streamed-{kind}/" in line and " access " in line
    ]
    assert patched
    assert all("status=202" in line for line in patched)


@pytest.mark.parametrize(
    "kind",
    ["nacre", "skopeo", "podman", "buildah", pytest.param("docker", marks=pytest.mark.root)],
)
class TestAPrivateRepository:
    def test_is_for_those_only_who_have_a_role(
        self, stranger: Join, hub: Hub, client: Client, kind: str
    ) -> None:
        put_one(client, f"{USER}/secret-{kind}")
        name = f"{hub.host}/{USER}/secret-{kind}:1"
        party = stranger(kind)
        assert party.tries_to_pull(name).returncode != 0
        assert party.log_in(hub.host, OTHER, "wrong").returncode != 0
        assert party.log_in(hub.host, OTHER, PASSWORD).returncode == 0
        assert party.tries_to_pull(name).returncode != 0
        hub.manage("repo", "grant", f"{USER}/secret-{kind}", OTHER, "reader")
        done = party.tries_to_pull(name)
        assert done.returncode == 0, done.stderr

    def test_that_is_made_public_is_for_everybody(
        self, stranger: Join, hub: Hub, client: Client, kind: str
    ) -> None:
        put_one(client, f"{USER}/open-{kind}")
        hub.manage("repo", "set", "--visibility", "public", f"{USER}/open-{kind}")
        done = stranger(kind).tries_to_pull(f"{hub.host}/{USER}/open-{kind}:1")
        assert done.returncode == 0, done.stderr


@pytest.mark.root
class TestDocker:
    def test_says_that_layers_are_mounted(self, join: Join, hub: Hub) -> None:
        party = join("docker")
        first, second = (f"{hub.host}/{USER}/mount-{number}:1" for number in (1, 2))
        party.push(GZIP, first)
        party.tool("tag", first, second)
        assert f"Mounted from {USER}/mount-1" in party.tool("push", second)

    def test_is_anonymous_here_and_logged_in_there(
        self, stranger: Join, hub: Hub, client: Client
    ) -> None:
        """One engine pulls what is public without a login, and what is private after it."""
        put_one(client, f"{USER}/mixed-open")
        put_one(client, f"{USER}/mixed-secret")
        hub.manage("repo", "set", "--visibility", "public", f"{USER}/mixed-open")
        docker = stranger("docker")
        assert docker.tries_to_pull(f"{hub.host}/{USER}/mixed-open:1").returncode == 0
        assert docker.tries_to_pull(f"{hub.host}/{USER}/mixed-secret:1").returncode != 0
        docker.log_in(hub.host, USER, PASSWORD)
        assert docker.tries_to_pull(f"{hub.host}/{USER}/mixed-secret:1").returncode == 0
        docker.tool("logout", hub.host)
        docker.tool("image", "rm", f"{hub.host}/{USER}/mixed-secret:1")
        assert docker.tries_to_pull(f"{hub.host}/{USER}/mixed-secret:1").returncode != 0

    def test_searches(self, stranger: Join, hub: Hub, client: Client) -> None:
        put_one(client, f"{USER}/findable")
        put_one(client, f"{USER}/findable-secret")
        hub.manage("repo", "set", "--visibility", "public", f"{USER}/findable")
        found = stranger("docker").tool("search", "--format={{.Name}}", f"{hub.host}/findable")
        assert [line.removeprefix(f"{hub.host}/") for line in found.split()] == [f"{USER}/findable"]


class TestSkopeo:
    def test_lists_tags_of_more_than_one_page(self, join: Join, hub: Hub, client: Client) -> None:
        put_one(client, f"{USER}/many")
        raw = GZIP.blobs[GZIP.root.digest]
        tags = [f"t{number:03}" for number in range(250)]
        for start in range(0, len(tags), 50):
            query = "&".join(f"tag={tag}" for tag in tags[start : start + 50])
            target = f"/v2/{USER}/many/manifests/{GZIP.root.digest}?{query}"
            client.ask("PUT", target, raw, fields=[("Content-Type", GZIP.root.media_type)])
        said = join("skopeo").tool("list-tags", PLAIN, f"docker://{hub.host}/{USER}/many")
        assert json.loads(said)["Tags"] == ["1", *tags]

    def test_deletes(self, join: Join, hub: Hub, client: Client) -> None:
        put_one(client, f"{USER}/doomed")
        skopeo = join("skopeo").tool
        skopeo("delete", PLAIN, f"docker://{hub.host}/{USER}/doomed:1")
        done = skopeo.attempt("inspect", PLAIN, f"docker://{hub.host}/{USER}/doomed:1")
        assert done.returncode != 0
        assert "manifest unknown" in done.stderr

    def test_copies_an_index_of_several_platforms(
        self, join: Join, hub: Hub, tmp_path: Path
    ) -> None:
        several = an_index([GZIP, ARM])
        party = join("skopeo")
        name = f"{hub.host}/{USER}/several:1"
        party.push(several, name)
        assert raw_manifest(party.tool, f"docker://{name}") == several.blobs[several.root.digest]
        assert party.pull(name) == several.root.digest
        party.tool(
            "sync", "--all", "--src=docker", "--dest=dir", "--src-tls-verify=false", name, tmp_path
        )
        [synced] = tmp_path.rglob("several:1/manifest.json")
        assert synced.read_bytes() == several.blobs[several.root.digest]

    def test_syncs_a_folder_into_the_hub(
        self, join: Join, hub: Hub, client: Client, tmp_path: Path
    ) -> None:
        skopeo = join("skopeo")
        several = an_index([GZIP, ARM])
        name = f"{hub.host}/{USER}/origin:1"
        skopeo.push(several, name)
        folder = tmp_path / "synced" / "copied:2"
        folder.mkdir(parents=True)
        skopeo_copy(skopeo.tool, f"docker://{name}", f"dir:{folder}", "--all")
        argv = ("--all", "--src=dir", "--dest=docker", "--dest-tls-verify=false")
        skopeo.tool("sync", *argv, tmp_path / "synced", f"{hub.host}/{USER}")
        assert digest_at(client, f"{hub.host}/{USER}/copied:2") == several.root.digest


@pytest.mark.root
def test_docker_pulls_its_platform_of_an_index(join: Join, hub: Hub) -> None:
    name = f"{hub.host}/{USER}/index-for-docker:1"
    join("skopeo").push(an_index([ARM, GZIP]), name)
    docker = join("docker")
    docker.tool("pull", "--platform=linux/amd64", name)
    assert inspected(docker.tool, name)["Id"] == image_id(GZIP)


def put_one(client: Client, name: str) -> None:
    """Push an image as ``name:1`` by bare requests."""
    for digest, content in GZIP.blobs.items():
        if digest != GZIP.root.digest:
            target = f"/v2/{name}/blobs/uploads/?digest={digest}"
            client.ask("POST", target, content, length=len(content)).expect(201)
    raw = GZIP.blobs[GZIP.root.digest]
    fields = [("Content-Type", GZIP.root.media_type)]
    client.ask("PUT", f"/v2/{name}/manifests/1", raw, fields=fields).expect(201)
