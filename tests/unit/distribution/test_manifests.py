"""Manifests are what was asked for, or an error."""

from __future__ import annotations

import json

import pytest

from nacre.distribution.errors import ContentUnknown, InvalidReply, ManifestNotFound
from nacre.distribution.repository import Repository
from nacre.errors import Invalid, NotFound, Unsupported
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import make_index, make_manifest
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, DropAfter, Extend, Options, Patch
from tests.unit.distribution.conftest import Kit

CONFIG = Descriptor.of(mediatypes.OCI_CONFIG, b"{}")
LAYER = Descriptor.of(mediatypes.OCI_LAYER_GZIP, b"layer")
IMAGE = make_manifest(CONFIG, [LAYER])
INDEX = make_index([IMAGE.descriptor])


@pytest.fixture(autouse=True)
def _with_the_image(server: RegistryServer) -> None:
    server.add_manifest("team/app", "v1", IMAGE)
    server.add_manifest("team/app", "all", INDEX)


def routes(server: RegistryServer) -> list[tuple[str, str]]:
    return [(seen.method, seen.path.rpartition("/")[2]) for seen in server.requests]


def test_a_tag_is_resolved_in_one_request(repository: Repository, server: RegistryServer) -> None:
    assert repository.resolve("v1") == IMAGE.descriptor
    assert routes(server) == [("HEAD", "v1")]
    assert server.requests[0].headers["accept"] == mediatypes.MANIFEST_ACCEPT


def test_a_digest_is_resolved(repository: Repository) -> None:
    assert repository.resolve(str(IMAGE.descriptor.digest)) == IMAGE.descriptor


def test_a_sha512_digest_stays_one(repository: Repository, server: RegistryServer) -> None:
    digest = Digest.of(IMAGE.raw, "sha512")
    server.manifests["team/app", digest] = (IMAGE.raw, IMAGE.media_type)
    assert repository.resolve(digest).digest == digest
    assert repository.manifest(digest).raw == IMAGE.raw


@pytest.mark.parametrize(
    "missing",
    [
        {"Docker-Content-Digest": None},
        {"Content-Type": None},
        {"Content-Type": "application/octet-stream"},
        {"Content-Length": None},
    ],
)
def test_headers_that_do_not_suffice_are_made_up_for_by_get(
    repository: Repository, server: RegistryServer, missing: dict[str, str | None]
) -> None:
    server.fail("HEAD", "/manifests/", Patch(missing))
    assert repository.resolve("v1") == IMAGE.descriptor


def test_a_registry_without_head_is_asked_by_get(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("HEAD", "/manifests/", Answer(405))
    assert repository.resolve("v1") == IMAGE.descriptor


def test_a_missing_manifest_is_told_as_docker_does(repository: Repository) -> None:
    with pytest.raises(
        ManifestNotFound, match=r"manifest for .*/team/app:no not found: manifest unknown: manifest"
    ):
        repository.resolve("no")


def test_a_missing_digest_is_told_in_one_request(
    repository: Repository, server: RegistryServer
) -> None:
    with pytest.raises(ManifestNotFound, match="not found: manifest unknown"):
        repository.resolve(Digest.of(b"missing"))
    assert len(server.requests) == 1


def test_a_descriptor_for_another_digest_is_refused(
    repository: Repository, server: RegistryServer
) -> None:
    other = Digest.of(b"other")
    server.fail("HEAD", "/manifests/", Patch({"Docker-Content-Digest": other}))
    with pytest.raises(InvalidReply, match=f"answered with {other} when asked for"):
        repository.resolve(str(IMAGE.descriptor.digest))


def test_a_stated_digest_must_be_one(repository: Repository, server: RegistryServer) -> None:
    server.fail("HEAD", "/manifests/", Patch({"Docker-Content-Digest": "sha256:../../x"}))
    with pytest.raises(InvalidReply, match=r"invalid digest"):
        repository.resolve("v1")


def test_a_manifest_is_read_as_it_lies(repository: Repository) -> None:
    assert repository.manifest("v1") == IMAGE
    assert repository.manifest("all") == INDEX


def test_a_manifest_by_digest_must_hash_to_it(
    repository: Repository, server: RegistryServer
) -> None:
    asked = Digest.of(b"asked")
    server.manifests["team/app", asked] = (IMAGE.raw, IMAGE.media_type)
    with pytest.raises(Invalid, match=f"not {asked} as promised"):
        repository.manifest(asked)


def test_a_manifest_by_tag_must_hash_to_what_the_registry_states(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/manifests/", Patch({"Docker-Content-Digest": Digest.of(b"other")}))
    with pytest.raises(Invalid, match=r"as promised"):
        repository.manifest("v1")


def test_a_manifest_without_a_stated_digest_is_fine(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/manifests/", Patch({"Docker-Content-Digest": None}))
    assert repository.manifest("v1") == IMAGE


@pytest.mark.parametrize("known_length", [True, False])
def test_a_manifest_over_4_mib_is_not_read_to_its_end(
    repository: Repository, server: RegistryServer, known_length: bool
) -> None:
    server.add_raw_manifest("team/app", "huge", b" " * (4 * 1024 * 1024), mediatypes.OCI_MANIFEST)
    if known_length:
        server.add_raw_manifest(
            "team/app", "huge", b" " * (50 * 1024 * 1024), mediatypes.OCI_MANIFEST
        )
    else:
        server.fail("GET", "/manifests/", Extend(b" "))
    with pytest.raises(InvalidReply, match=r"is larger than 4194304 bytes"):
        repository.manifest("huge")
    with pytest.raises(InvalidReply, match=r"is larger than 4194304 bytes|is invalid"):
        repository.resolve("huge") if known_length else repository.manifest("huge")


def test_a_manifest_that_ends_early_is_not_taken_for_whole(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/manifests/", DropAfter(20), times=100)
    with pytest.raises(Exception, match=r"ended after 20 of"):
        repository.manifest("v1")


@pytest.mark.parametrize(
    ("media_type", "why"),
    [
        (mediatypes.OCI_INDEX, "but was served as"),
        (mediatypes.DOCKER_MANIFEST, "but was served as"),
        ("text/html", "not the media type of a manifest"),
    ],
)
def test_a_media_type_that_contradicts_the_manifest_is_refused(
    repository: Repository, server: RegistryServer, media_type: str, why: str
) -> None:
    server.fail("GET", "/manifests/", Patch({"Content-Type": media_type}))
    with pytest.raises(InvalidReply, match=why):
        repository.manifest("v1")


def test_a_manifest_that_is_two_things_is_refused(
    repository: Repository, server: RegistryServer
) -> None:
    both = json.dumps({**INDEX.fields, **IMAGE.fields}).encode()
    server.add_raw_manifest("team/app", "both", both, mediatypes.OCI_MANIFEST)
    with pytest.raises(InvalidReply, match=r"both layers and manifests"):
        repository.manifest("both")


@pytest.mark.parametrize(
    "media_type",
    [None, "application/json", "application/vnd.oci.image.manifest.v1+json; charset=utf-8"],
)
def test_a_vague_media_type_is_made_up_for_by_the_manifest(
    repository: Repository, server: RegistryServer, media_type: str | None
) -> None:
    server.fail("GET", "/manifests/", Patch({"Content-Type": media_type}))
    assert repository.manifest("v1") == IMAGE


def test_a_manifest_is_pushed_as_it_lies(repository: Repository, server: RegistryServer) -> None:
    repository.put_manifest("v2", IMAGE.raw, IMAGE.media_type)
    assert server.manifests["team/app", "v2"] == (IMAGE.raw, IMAGE.media_type)


def test_a_manifest_kept_under_another_digest_is_noticed(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("PUT", "/manifests/", Patch({"Docker-Content-Digest": Digest.of(b"other")}))
    with pytest.raises(InvalidReply, match=r"which is not the digest of what was pushed"):
        repository.put_manifest("v2", IMAGE.raw, IMAGE.media_type)


def test_a_manifest_that_the_registry_refuses_is_an_error(repository: Repository) -> None:
    with pytest.raises(InvalidReply, match=r"manifest invalid"):
        repository.put_manifest("v2", b"{}", IMAGE.media_type)


def test_a_manifest_is_deleted_by_digest_and_by_tag(repository: Repository) -> None:
    repository.delete_manifest("v1")
    repository.delete_manifest(str(IMAGE.descriptor.digest))
    for reference in ("v1", str(IMAGE.descriptor.digest)):
        with pytest.raises(NotFound):
            repository.delete_manifest(reference)


def test_a_registry_that_cannot_delete_tags_says_so(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("DELETE", "/manifests/", Answer(400))
    with pytest.raises(Unsupported, match=r"does not delete tags"):
        repository.delete_manifest("v1")


def test_a_huge_error_reply_is_not_read_to_its_end(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/manifests/", Answer(400, {}, b'{"errors": [' + b" " * 100_000_000))
    with pytest.raises(InvalidReply, match=r"answered with status 400$"):
        repository.manifest("v1")
    assert server.requests == [] or server.requests[0].sent < 100_000_000


def test_deletes_that_are_off_are_named(kit: Kit) -> None:
    server = kit.server(Options(deletes=False))
    with pytest.raises(Unsupported, match=r"does not allow it"):
        kit.repository(server).delete_manifest(str(IMAGE.descriptor.digest))


UNSEEN = Answer(
    400,
    body=json.dumps(
        {
            "errors": [
                {"code": "DIGEST_INVALID", "message": "provided digest did not match"},
                {"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"},
            ]
        }
    ).encode(),
)


def test_content_that_is_not_seen_yet_is_waited_for(
    kit: Kit, repository: Repository, server: RegistryServer
) -> None:
    """docker-registry writes a blob's link anew for each push, and who reads it then sees none."""
    server.fail("PUT", "/manifests/", UNSEEN, times=2)
    repository.put_manifest("v2", IMAGE.raw, IMAGE.media_type)
    assert repository.resolve("v2") == IMAGE.descriptor
    assert kit.time.slept == [0.375, 0.75]


def test_content_that_stays_unseen_is_an_error(
    kit: Kit, repository: Repository, server: RegistryServer
) -> None:
    server.fail("PUT", "/manifests/", UNSEEN, times=100)
    with pytest.raises(ContentUnknown, match="lacks content it refers to.*blob unknown") as caught:
        repository.put_manifest("v2", IMAGE.raw, IMAGE.media_type)
    assert caught.value.remedy == "push it again"
    assert len(server.seen("PUT", "/manifests/")) == 4
