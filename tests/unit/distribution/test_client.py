"""The client finds the place of each name."""

from __future__ import annotations

from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import make_manifest
from nacre.oci.reference import parse
from tests.peers.tools import wait_until
from tests.servers.registry_server import RegistryServer
from tests.unit.distribution.conftest import Kit, content_of

IMAGE = make_manifest(Descriptor.of(mediatypes.OCI_CONFIG, b"{}"), [])
DATA = b"data"
BLOB = Descriptor.of("a/b", DATA)


def test_a_relocated_domain_is_pulled_and_pushed_elsewhere(
    kit: Kit, server: RegistryServer
) -> None:
    client = kit.client({"docker.io": {"location": f"{server.host}/hub"}})
    repository = client.repository(parse("nginx"))
    repository.upload(BLOB, content_of(DATA), lambda _: None)
    repository.put_manifest("v1", IMAGE.raw, IMAGE.media_type)
    assert ("hub/library/nginx", "v1") in server.manifests
    assert repository.resolve("v1") == IMAGE.descriptor
    assert (repository.domain, repository.path) == ("docker.io", "library/nginx")
    assert str(repository) == "nginx"


def test_a_mount_within_a_relocated_domain_names_its_place(
    kit: Kit, server: RegistryServer
) -> None:
    server.add_blob("hub/library/base", DATA)
    client = kit.client({"docker.io": {"location": f"{server.host}/hub"}})
    assert client.repository(parse("nginx")).mount(BLOB.digest, "library/base")


def test_mirrors_come_before_the_origin(kit: Kit) -> None:
    mirror, origin = kit.server(), kit.server()
    client = kit.client({origin.host: {"mirrors": [f"{mirror.host}/copy"]}})
    reference = parse(f"{origin.host}/team/app")
    hosts = [repository.host for repository in client.pull_repositories(reference)]
    assert hosts == [mirror.host, origin.host]
    mirror.add_manifest("copy/team/app", "v1", IMAGE)
    first = client.pull_repositories(reference)[0]
    assert first.resolve("v1") == IMAGE.descriptor
    assert first.domain == origin.host


def test_without_mirrors_there_is_the_origin_alone(kit: Kit, server: RegistryServer) -> None:
    (only,) = kit.client().pull_repositories(parse(f"{server.host}/a/b"))
    assert only.host == server.host


def test_repositories_of_a_host_share_connections(kit: Kit, server: RegistryServer) -> None:
    client = kit.client()
    for path in ("a/b", "c/d"):
        client.repository(parse(f"{server.host}/{path}")).has_blob(BLOB.digest)
    assert server.connections == 1


def test_a_closed_client_leaves_no_connection(kit: Kit, server: RegistryServer) -> None:
    client = kit.client()
    with client:
        client.repository(parse(f"{server.host}/a/b")).has_blob(BLOB.digest)
        assert server.open_connections == 1
    wait_until(lambda: server.open_connections == 0, "the connection to end")
