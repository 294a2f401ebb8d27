"""Our hub: what is no image, signatures and notes on images, and containerd's own client."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from nacre import Engine
from nacre.oci import mediatypes
from nacre.oci import reference as references
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode
from nacre.testing.builders import an_index
from nacre.testing.targets import Shelf, a_referrer
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.conformance.client import Client
from tests.compat.images import ARM, GZIP
from tests.compat.parties import SkopeoParty
from tests.peers.containerd import Containerd, running_containerd
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool
from tests.servers.hub import ADMIN, Hub, started_hub

SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
EMPTY = "application/vnd.oci.empty.v1+json"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with login, whose repositories are private."""
    settings = '[registry]\nvisibility = "private"\n'
    with started_hub(tmp_path_factory.mktemp("hub"), settings=settings) as running:
        yield running


@pytest.fixture
def client(hub: Hub) -> Iterator[Client]:
    """Bare requests of the admin's."""
    with closing(Client(hub.host, login=(ADMIN, hub.password))) as bare:
        yield bare


@pytest.fixture
def nacre(nacre_cli: NacreCli, hub: Hub) -> NacreCli:
    """Our command, logged in."""
    nacre_cli("login", "--username", ADMIN, "--password-stdin", hub.host, stdin=hub.password)
    return nacre_cli


@pytest.fixture
def skopeo_party(skopeo: Tool, hub: Hub, tmp_path: Path) -> SkopeoParty:
    """Skopeo, logged in."""
    party = SkopeoParty(skopeo, tmp_path / "skopeo-files")
    assert party.log_in(hub.host, ADMIN, hub.password).returncode == 0
    return party


@pytest.fixture(scope="module")
def containerd() -> Iterator[Containerd]:
    """A containerd without images."""
    with running_containerd() as running:
        yield running


def put_blob(client: Client, name: str, content: bytes, media_type: str) -> dict[str, object]:
    """Push a blob and return its descriptor."""
    digest = Digest.of(content)
    target = f"/v2/{name}/blobs/uploads/?digest={digest}"
    client.ask("POST", target, content, length=len(content)).expect(201)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def put_manifest(
    client: Client, name: str, reference: str, document: Mapping[str, object]
) -> Digest:
    """Push a manifest and return its digest."""
    raw = encode({"schemaVersion": 2, "mediaType": mediatypes.OCI_MANIFEST, **document})
    fields = [("Content-Type", mediatypes.OCI_MANIFEST)]
    target = f"/v2/{name}/manifests/{reference or Digest.of(raw)}"
    client.ask("PUT", target, raw, fields=fields).expect(201)
    return Digest.of(raw)


def test_an_artifact_goes_there_and_back(client: Client) -> None:
    """As oras does it: any file, an empty config, a type."""
    content = os.urandom(100_000)
    layer = put_blob(client, "admin/artifact", content, "application/vnd.example.model")
    config = put_blob(client, "admin/artifact", b"{}", EMPTY)
    document = {"artifactType": "application/vnd.example", "config": config, "layers": [layer]}
    digest = put_manifest(client, "admin/artifact", "v1", document)
    answer = client.ask("GET", "/v2/admin/artifact/manifests/v1").expect(200)
    assert Digest.of(answer.body) == digest
    [found] = answer.document()["layers"]
    assert client.ask("GET", f"/v2/admin/artifact/blobs/{found['digest']}").body == content


class TestSignatures:
    def test_as_a_tag_beside_the_image(
        self, skopeo_party: SkopeoParty, hub: Hub, client: Client
    ) -> None:
        """What cosign has always done: a tag that is named after the digest."""
        skopeo_party.push(GZIP, f"{hub.host}/admin/signed:1")
        payload = encode({"critical": {"image": {"docker-manifest-digest": GZIP.root.digest}}})
        layer = put_blob(client, "admin/signed", payload, SIGNATURE)
        layer["annotations"] = {"dev.cosignproject.cosign/signature": "c2lnbmF0dXJl"}
        config = put_blob(client, "admin/signed", b"{}", mediatypes.OCI_CONFIG)
        tag = f"{GZIP.root.digest.replace(':', '-')}.sig"
        digest = put_manifest(client, "admin/signed", tag, {"config": config, "layers": [layer]})
        assert skopeo_party.pull(f"{hub.host}/admin/signed:{tag}") == digest

    def test_as_a_referrer_of_the_image(
        self, skopeo_party: SkopeoParty, hub: Hub, client: Client, tmp_path: Path, nacre: NacreCli
    ) -> None:
        """What cosign does now; our own client finds it."""
        name = f"{hub.host}/admin/referred:1"
        skopeo_party.push(GZIP, name)
        layer = put_blob(client, "admin/referred", os.urandom(500), BUNDLE)
        config = put_blob(client, "admin/referred", b"{}", EMPTY)
        root = GZIP.root
        subject = {"mediaType": root.media_type, "digest": root.digest, "size": root.size}
        document = {
            "artifactType": BUNDLE,
            "config": config,
            "layers": [layer],
            "subject": subject,
            "annotations": {"dev.sigstore.bundle.content": "dsse-envelope"},
        }
        digest = put_manifest(client, "admin/referred", "", document)
        with Engine(root=tmp_path / "store", environment=nacre.env) as engine:
            repository = engine.registries.repository(references.parse(name))
            for wanted, found in ((BUNDLE, [digest]), ("application/vnd.other", [])):
                index = repository.referrers(GZIP.root.digest, wanted)
                assert [each.digest for each in index.manifests] == found


def test_our_own_client_pushes_an_artifact_with_a_subject(
    skopeo_party: SkopeoParty, hub: Hub, client: Client, tmp_path: Path, nacre: NacreCli
) -> None:
    skopeo_party.push(GZIP, f"{hub.host}/admin/noted:1")
    note = a_referrer(GZIP.root)
    copy(Shelf(note), "", LayoutStore(tmp_path / "note"), "it")
    nacre("image", "copy", f"oci:{tmp_path / 'note'}:it", f"docker://{hub.host}/admin/noted:note")
    answer = client.ask("GET", f"/v2/admin/noted/referrers/{GZIP.root.digest}").expect(200)
    [listed] = answer.document()["manifests"]
    assert listed["digest"] == note.root.digest
    assert listed["artifactType"] == "application/vnd.test.note"


@pytest.mark.root
class TestContainerd:
    def test_pulls_and_pushes_an_image(
        self, containerd: Containerd, skopeo_party: SkopeoParty, hub: Hub, client: Client
    ) -> None:
        first, second = f"{hub.host}/admin/ctr:1", f"{hub.host}/admin/ctr:2"
        skopeo_party.push(GZIP, first)
        login = ("--plain-http", "--user", f"{ADMIN}:{hub.password}")
        containerd.ctr("images", "pull", *login, first)
        assert containerd.target(first) == (GZIP.root.media_type, GZIP.root.digest)
        containerd.ctr("images", "tag", first, second)
        containerd.ctr("images", "push", *login, second)
        answer = client.ask("HEAD", "/v2/admin/ctr/manifests/2").expect(200)
        assert answer.header("Docker-Content-Digest") == GZIP.root.digest

    def test_pushes_an_index_to_another_repository(
        self, containerd: Containerd, skopeo_party: SkopeoParty, hub: Hub, client: Client
    ) -> None:
        several = an_index([GZIP, ARM])
        first, second = f"{hub.host}/admin/ctr-many:1", f"{hub.host}/admin/ctr-copy:1"
        skopeo_party.push(several, first)
        login = ("--plain-http", "--user", f"{ADMIN}:{hub.password}")
        containerd.ctr("images", "pull", *login, "--all-platforms", first)
        containerd.ctr("images", "tag", first, second)
        containerd.ctr("images", "push", *login, second)
        answer = client.ask("GET", "/v2/admin/ctr-copy/manifests/1").expect(200)
        assert Digest.of(answer.body) == several.root.digest
        for child in json.loads(answer.body)["manifests"]:
            client.ask("GET", f"/v2/admin/ctr-copy/manifests/{child['digest']}").expect(200)

    def test_is_refused_without_login(
        self, containerd: Containerd, skopeo_party: SkopeoParty, hub: Hub
    ) -> None:
        name = f"{hub.host}/admin/ctr-secret:1"
        skopeo_party.push(GZIP, name)
        done = containerd.ctr.attempt("images", "pull", "--plain-http", name)
        assert done.returncode != 0
        assert "401 Unauthorized" in done.stderr
