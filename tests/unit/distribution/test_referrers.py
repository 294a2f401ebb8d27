"""Who speaks about a manifest, with the API or without."""

from __future__ import annotations

import json

import pytest

from nacre.distribution.errors import InvalidReply
from nacre.distribution.repository import Repository
from nacre.oci import mediatypes, wire
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest, make_index, make_manifest
from nacre.oci.strictjson import encode
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, Options
from tests.unit.distribution.conftest import Kit

EMPTY = Descriptor.of(mediatypes.OCI_EMPTY, b"{}")
SUBJECT = make_manifest(Descriptor.of(mediatypes.OCI_CONFIG, b"{}"), [])


def about(subject: Manifest | Index, artifact_type: str, note: str = "") -> Manifest:
    """Return an artifact that speaks about another manifest."""
    fields = {
        **make_manifest(EMPTY, []).fields,
        "artifactType": artifact_type,
        "subject": subject.descriptor.to_json(),
        "annotations": {"note": note},
    }
    return Manifest(encode(fields), mediatypes.OCI_MANIFEST, fields)


SBOM = about(SUBJECT, "application/sbom", "one")
SIGNATURE = about(SUBJECT, "application/signature", "two")


def push(repository: Repository, document: Manifest) -> None:
    repository.put_manifest(document.descriptor.digest, document.raw, document.media_type)


@pytest.fixture(params=[True, False], ids=["api", "tag-schema"])
def any_server(request: pytest.FixtureRequest, kit: Kit) -> RegistryServer:
    return kit.server(Options(referrers=request.param))


def test_referrers_are_found(kit: Kit, any_server: RegistryServer) -> None:
    repository = kit.repository(any_server)
    push(repository, SBOM)
    push(repository, SIGNATURE)
    push(repository, SBOM)
    found = repository.referrers(SUBJECT.descriptor.digest).manifests
    assert {item.digest for item in found} == {SBOM.descriptor.digest, SIGNATURE.descriptor.digest}
    assert len(found) == 2
    assert {item.artifact_type for item in found} == {"application/sbom", "application/signature"}
    assert {item.annotations["note"] for item in found} == {"one", "two"}


def test_referrers_are_filtered(kit: Kit, any_server: RegistryServer) -> None:
    repository = kit.repository(any_server)
    push(repository, SBOM)
    push(repository, SIGNATURE)
    (found,) = repository.referrers(SUBJECT.descriptor.digest, "application/sbom").manifests
    assert found.digest == SBOM.descriptor.digest


def test_nobody_speaks_about_an_unknown_manifest(kit: Kit, any_server: RegistryServer) -> None:
    assert kit.repository(any_server).referrers(Digest.of(b"?")).manifests == ()


def test_the_stand_in_is_kept_only_where_the_api_is_missing(
    kit: Kit, any_server: RegistryServer
) -> None:
    push(kit.repository(any_server), SBOM)
    tag = wire.referrers_tag(SUBJECT.descriptor.digest)
    assert (tag in any_server.tags("team/app")) is not any_server.options.referrers


def test_a_manifest_without_a_subject_keeps_no_stand_in(kit: Kit) -> None:
    server = kit.server(Options(referrers=False))
    kit.repository(server).put_manifest("v1", SUBJECT.raw, SUBJECT.media_type)
    assert server.tags("team/app") == ["v1"]


def test_the_filter_is_sent(repository: Repository, server: RegistryServer) -> None:
    repository.referrers(SUBJECT.descriptor.digest, "a/b+c")
    assert server.requests[0].path.endswith("?artifactType=a%2Fb%2Bc")


def test_a_list_in_pages_is_joined(repository: Repository, server: RegistryServer) -> None:
    pages = [make_index([SBOM.descriptor]), make_index([SIGNATURE.descriptor])]
    link = {"Link": f'</v2/team/app/referrers/{SUBJECT.descriptor.digest}?p=2>; rel="next"'}
    server.fail("GET", "/referrers/", Answer(200, link, pages[0].raw))
    server.fail("GET", "/referrers/", Answer(200, {}, pages[1].raw))
    found = repository.referrers(SUBJECT.descriptor.digest).manifests
    assert [item.digest for item in found] == [SBOM.descriptor.digest, SIGNATURE.descriptor.digest]


@pytest.mark.parametrize("page", [{}, {"manifests": 5}, {"manifests": [{"size": -1}]}])
def test_a_list_that_is_no_index_is_refused(
    repository: Repository, server: RegistryServer, page: dict[str, object]
) -> None:
    server.fail("GET", "/referrers/", Answer(200, {}, json.dumps(page).encode()))
    with pytest.raises(InvalidReply):
        repository.referrers(SUBJECT.descriptor.digest)
