from __future__ import annotations

import gzip
import json

import pytest

from nacre.engine.catalogue import NoSuchImage
from nacre.oci import mediatypes
from nacre.testing.builders import a_layer, an_image, an_index
from nacre.transports.events import Event, Existed, Mounted, Stored
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer
from tests.unit.engine.stock import ARM, Stock, id_of, image_of


def manifest_at(server: RegistryServer, repository: str, tag: str) -> dict[str, object]:
    raw, _ = server.manifests[repository, tag]
    fields: dict[str, object] = json.loads(raw)
    return fields


def test_what_is_compressed_goes_as_it_is(stock: Stock, server: RegistryServer) -> None:
    image = image_of("a")
    root = stock.keep(image, f"{server.host}/app:1")
    pushed = stock.images.push(f"{server.host}/app:1")
    assert pushed.descriptor == root
    assert server.manifests["app", "1"] == (image.blobs[root.digest], root.media_type)


def test_plain_layers_are_compressed_and_the_image_id_stays(
    stock: Stock, server: RegistryServer
) -> None:
    tars = [a_layer({"a": b"a"}), a_layer({"b": b"b"})]
    image = an_image(tars, compressed=False)
    stock.keep(image, f"{server.host}/app:1")
    stock.images.push(f"{server.host}/app:1")
    manifest = manifest_at(server, "app", "1")
    layers = manifest["layers"]
    assert isinstance(layers, list)
    assert [each["mediaType"] for each in layers] == [mediatypes.OCI_LAYER_GZIP] * 2
    assert [gzip.decompress(server.blobs[each["digest"]]) for each in layers] == tars
    assert manifest["config"] == {
        "mediaType": mediatypes.OCI_CONFIG,
        "digest": id_of(image),
        "size": len(server.blobs[id_of(image)]),
    }
    assert stock.images.get(f"{server.host}/app:1").id == id_of(image)


def test_the_second_push_compresses_nothing_and_moves_nothing(
    stock: Stock, server: RegistryServer
) -> None:
    stock.keep(image_of("a", compressed=False), f"{server.host}/app:1")
    first = stock.images.push(f"{server.host}/app:1")
    before = stock.blobs()
    server.requests.clear()
    events: list[Event] = []
    second = stock.images.push(f"{server.host}/app:1", on_event=events.append)
    assert second.descriptor == first.descriptor
    assert stock.blobs() == before
    assert not server.seen("POST")
    assert any(isinstance(event, Existed) for event in events)


def test_the_compressed_form_outlives_pruning_while_the_image_is_here(
    stock: Stock, server: RegistryServer
) -> None:
    stock.keep(image_of("a", compressed=False), f"{server.host}/app:1")
    first = stock.images.push(f"{server.host}/app:1")
    before = stock.blobs()
    stock.engine.system.prune()
    assert stock.blobs() == before
    assert stock.images.push(f"{server.host}/app:1").descriptor == first.descriptor
    stock.images.remove(f"{server.host}/app:1")
    assert not stock.blobs()


def test_a_push_to_a_neighbour_mounts(stock: Stock, server: RegistryServer) -> None:
    stock.keep(image_of("a"), f"{server.host}/one:1", f"{server.host}/two:1")
    stock.images.push(f"{server.host}/one:1")
    server.requests.clear()
    events: list[Event] = []
    stock.images.push(f"{server.host}/two:1", on_event=events.append)
    assert {event.origin for event in events if isinstance(event, Mounted)} == {"one"}
    assert not any(isinstance(event, Stored) for event in events)
    assert all(seen.received == 0 for seen in server.seen("PATCH") + server.seen("POST"))


def test_what_was_pushed_is_known_by_its_digest(stock: Stock, server: RegistryServer) -> None:
    name = f"{server.host}/app"
    stock.keep(image_of("a", compressed=False), f"{name}:1")
    pushed = stock.images.push(f"{name}:1")
    assert stock.images.get(f"{name}:1").repo_digests == (f"{name}@{pushed.descriptor.digest}",)
    assert stock.images.get(f"{name}@{pushed.descriptor.digest}").tags == (f"{name}:1",)


def test_a_pull_of_what_was_pushed_is_the_same_image(stock: Stock, server: RegistryServer) -> None:
    name = f"{server.host}/app:1"
    image = image_of("a", compressed=False)
    stock.keep(image, name)
    stock.images.push(name)
    stock.images.remove(name)
    stock.images.pull(name)
    assert stock.images.get(name).id == id_of(image)


def test_a_sparse_index_goes_with_what_is_here(stock: Stock, server: RegistryServer) -> None:
    here, there = image_of("here"), image_of("there", platform=ARM)
    publish(server, "app", "1", an_index([there, here]))
    stock.images.pull(f"{server.host}/app:1")
    stock.images.tag(f"{server.host}/app:1", f"{server.host}/copy:1")
    pushed = stock.images.push(f"{server.host}/copy:1")
    assert pushed.descriptor.digest == here.root.digest
    assert server.tags("copy") == ["1"]
    assert there.root.digest not in server.repositories["copy"]


def test_a_whole_index_goes_as_it_is(stock: Stock, server: RegistryServer) -> None:
    index = an_index([image_of("1"), image_of("2", platform=ARM)])
    root = stock.keep(index, f"{server.host}/app:1")
    assert stock.images.push(f"{server.host}/app:1").descriptor.digest == root.digest
    assert set(index.blobs) - {root.digest} <= {
        *server.repositories["app"],
        *(reference for _, reference in server.manifests),
    }


def test_one_platform_of_an_index_can_be_pushed(stock: Stock, server: RegistryServer) -> None:
    one, two = image_of("1"), image_of("2", platform=ARM)
    stock.keep(an_index([one, two]), f"{server.host}/app:1")
    pushed = stock.images.push(f"{server.host}/app:1", platform="linux/arm64")
    assert pushed.descriptor.digest == two.root.digest


def test_plain_layers_below_an_index_are_compressed_too(
    stock: Stock, server: RegistryServer
) -> None:
    one = image_of("1", compressed=False)
    two = image_of("2", platform=ARM, compressed=False)
    stock.keep(an_index([one, two]), f"{server.host}/app:1")
    pushed = stock.images.push(f"{server.host}/app:1")
    index = manifest_at(server, "app", "1")
    children = index["manifests"]
    assert isinstance(children, list)
    assert [each["platform"]["architecture"] for each in children] == ["amd64", "arm64"]
    for child in children:
        layers = manifest_at(server, "app", child["digest"])["layers"]
        assert isinstance(layers, list)
        assert layers[0]["mediaType"] == mediatypes.OCI_LAYER_GZIP
    assert pushed.descriptor.is_index


def test_an_unknown_image_is_not_pushed(stock: Stock, server: RegistryServer) -> None:
    with pytest.raises(NoSuchImage):
        stock.images.push(f"{server.host}/app:1")
    assert not server.seen()
