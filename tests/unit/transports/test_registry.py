"""Repositories as sources and targets: how few requests a copy takes, and which."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from nacre.content.memory import MemoryBlobs, MemoryRefs
from nacre.content.target import ignore_bytes
from nacre.distribution.client import Client
from nacre.distribution.credentials import CredentialStore
from nacre.distribution.repository import Repository
from nacre.distribution.settings import CredentialLocations, RegistrySettings
from nacre.errors import Denied, Invalid, NotFound
from nacre.oci import manifest as manifests
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest
from nacre.oci.platform import Platform
from nacre.oci.reference import Reference
from nacre.testing.builders import Content, an_image, an_index
from nacre.testing.targets import Shelf, a_referrer, opened
from nacre.transports.copy import copy
from nacre.transports.events import Event, Existed, Mounted
from nacre.transports.registry import RegistrySource, RegistryTarget
from nacre.transports.stored import StoredImages
from tests.servers.registry_server import RegistryServer, registry_server
from tests.servers.registry_values import Answer

IMAGE = an_image()
ARM = an_image(platform=Platform("linux", "arm64"))


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def server(running: ExitStack) -> RegistryServer:
    return running.enter_context(registry_server())


Opener = Callable[[str], Repository]


@pytest.fixture
def repository(running: ExitStack, server: RegistryServer) -> Opener:
    client = running.enter_context(
        Client(
            RegistrySettings(),
            CredentialStore(CredentialLocations()),
            on_warning=lambda _text: None,
            on_retry=lambda _what, _reason, _delay: None,
            user_agent="nacre/test",
        )
    )
    return lambda path: client.repository(Reference(server.host, path))


def asked(server: RegistryServer) -> list[str]:
    """Return the requests so far as method and kind of thing, the protocol's greeting left out."""
    kinds = (re.sub(r"sha256:[0-9a-f]+|/uploads/.*", "…", each.route) for each in server.requests)
    lines = (f"{each.method} {kind}" for each, kind in zip(server.requests, kinds, strict=True))
    return [line for line in lines if not line.endswith("/v2/")]


def layer_of(image: Content) -> Digest:
    document = manifests.parse(image.blobs[image.root.digest], image.root.media_type)
    assert isinstance(document, Manifest)
    return document.layers[0].digest


def test_a_pull_takes_one_request_for_each_part(server: RegistryServer, repository: Opener) -> None:
    copy(Shelf(IMAGE), "", RegistryTarget(repository("team/app")), "1")
    server.requests.clear()
    copy(RegistrySource(repository("team/app")), "1", StoredImages(MemoryBlobs(), MemoryRefs()))
    assert sorted(asked(server)) == [
        "GET /v2/team/app/blobs/…",
        "GET /v2/team/app/blobs/…",
        "GET /v2/team/app/manifests/1",
    ]


def test_a_push_sends_the_root_once_under_its_tag(
    server: RegistryServer, repository: Opener
) -> None:
    copy(Shelf(IMAGE), "", RegistryTarget(repository("team/app")), "1")
    puts = [each for each in asked(server) if each.startswith("PUT") and "manifests" in each]
    assert puts == ["PUT /v2/team/app/manifests/1"]


def test_the_manifests_below_an_index_are_sent_by_digest(
    server: RegistryServer, repository: Opener
) -> None:
    copy(Shelf(an_index([IMAGE, ARM])), "", RegistryTarget(repository("team/app")), "1")
    puts = [each for each in asked(server) if each.startswith("PUT") and "manifests" in each]
    assert puts == ["PUT /v2/team/app/manifests/…"] * 2 + ["PUT /v2/team/app/manifests/1"]


@pytest.mark.parametrize("name", ["", None])
def test_without_a_tag_the_root_is_sent_by_digest(
    server: RegistryServer, repository: Opener, name: str | None
) -> None:
    copy(Shelf(IMAGE), "", RegistryTarget(repository("team/app")), name)
    assert server.tags("team/app") == []
    assert RegistrySource(repository("team/app")).resolve(str(IMAGE.root.digest)) == IMAGE.root


def test_a_second_push_moves_no_blob(server: RegistryServer, repository: Opener) -> None:
    target = RegistryTarget(repository("team/app"))
    copy(Shelf(IMAGE), "", target, "1")
    server.requests.clear()
    events: list[Event] = []
    copy(Shelf(IMAGE), "", target, "2", on_event=events.append)
    assert len([each for each in events if isinstance(each, Existed)]) == 2
    assert not [each for each in asked(server) if each.startswith(("POST", "PATCH"))]
    assert server.tags("team/app") == ["1", "2"]


def test_a_push_to_a_new_repository_mounts_what_another_has(
    server: RegistryServer, repository: Opener
) -> None:
    copy(Shelf(IMAGE), "", RegistryTarget(repository("team/app")), "1")
    server.requests.clear()
    events: list[Event] = []
    target = RegistryTarget(
        repository("team/other"), mount_from=lambda _digest: ["team/other", "team/none", "team/app"]
    )
    copy(Shelf(IMAGE), "", target, "1", on_event=events.append)
    mounted = [each for each in events if isinstance(each, Mounted)]
    assert {each.origin for each in mounted} == {"team/app"}
    assert len(mounted) == 2
    assert sum(each.received for each in server.requests if "/blobs/" in each.path) == 0


def test_a_blob_that_cannot_be_mounted_is_uploaded(
    server: RegistryServer, repository: Opener
) -> None:
    server.options.mounts = False
    target = RegistryTarget(repository("team/other"), mount_from=lambda _digest: ["team/app"])
    copy(Shelf(IMAGE), "", target, "1")
    assert RegistrySource(repository("team/other")).exists(IMAGE.root)


@pytest.mark.parametrize("name", ["1", "sha", "", "{host}/team/app:1", "{host}/team/app@{digest}"])
def test_a_name_is_a_tag_a_digest_or_a_whole_reference(
    server: RegistryServer, repository: Opener, name: str
) -> None:
    for tag in ("1", "sha", "latest"):
        server.add_raw_manifest(
            "team/app", tag, IMAGE.blobs[IMAGE.root.digest], IMAGE.root.media_type
        )
    asked_for = name.format(host=server.host, digest=IMAGE.root.digest)
    assert RegistrySource(repository("team/app")).resolve(asked_for) == IMAGE.root


def test_a_child_served_as_another_kind_is_refused(
    server: RegistryServer, repository: Opener
) -> None:
    index = an_index([IMAGE])
    copy(Shelf(index), "", RegistryTarget(repository("team/app")), "1")
    raw, _ = server.manifests["team/app", str(IMAGE.root.digest)]
    server.manifests["team/app", str(IMAGE.root.digest)] = (raw, mediatypes.DOCKER_MANIFEST)
    target = StoredImages(MemoryBlobs(), MemoryRefs())
    with pytest.raises(Invalid, match=mediatypes.DOCKER_MANIFEST.replace("+", r"\+")):
        copy(RegistrySource(repository("team/app")), "1", target)
    assert not target.exists(index.root)


def test_tags_and_referrers_are_listed(server: RegistryServer, repository: Opener) -> None:
    target = RegistryTarget(repository("team/app"))
    copy(Shelf(IMAGE), "", target, "1")
    note = a_referrer(IMAGE.root)
    copy(Shelf(note), "", target)
    source = RegistrySource(repository("team/app"))
    assert list(source.names()) == ["1"]
    assert [each.digest for each in source.referrers(IMAGE.root.digest).manifests] == [
        note.root.digest
    ]


def test_a_tag_is_given_to_what_is_here_and_deleted(
    server: RegistryServer, repository: Opener
) -> None:
    target = RegistryTarget(repository("team/app"))
    copy(Shelf(IMAGE), "", target, "1")
    target.tag("2", IMAGE.root)
    assert server.tags("team/app") == ["1", "2"]
    target.delete("1")
    assert server.tags("team/app") == ["2"]
    with pytest.raises(NotFound):
        target.delete("3")


def test_a_manifest_that_is_here_is_not_sent_again(
    server: RegistryServer, repository: Opener
) -> None:
    target = RegistryTarget(repository("team/app"))
    copy(Shelf(IMAGE), "", target, "1")
    raw = IMAGE.blobs[IMAGE.root.digest]
    assert target.put(IMAGE.root, opened(raw), ignore_bytes).moved == 0
    assert layer_of(IMAGE) in server.blobs


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
@pytest.mark.parametrize("status", [401, 403])
def test_whatever_a_push_is_refused_it_is_told_as_a_push(
    server: RegistryServer, repository: Opener, method: str, status: int
) -> None:
    server.fail(method, "/team/app/", Answer(status), times=9)
    with pytest.raises(Denied, match="^push access denied for .*/team/app: requested access"):
        copy(Shelf(IMAGE), "", RegistryTarget(repository("team/app")), "1")


def test_a_failed_look_before_an_upload_is_told_as_a_push(
    server: RegistryServer, repository: Opener
) -> None:
    server.fail("HEAD", "/blobs/", Answer(400), times=9)
    with pytest.raises(Invalid, match="^cannot push blob .*answered with status 400"):
        copy(Shelf(IMAGE), "", RegistryTarget(repository("team/app")), "1")
