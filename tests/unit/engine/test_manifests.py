from __future__ import annotations

import json

import pytest

from nacre.errors import Conflict, NotFound
from nacre.testing.builders import an_index
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer
from tests.unit.engine.stock import ARM, Stock, image_of


def test_an_index_is_made_of_local_images_with_their_platforms(stock: Stock) -> None:
    stock.keep(image_of("1"), "one")
    stock.keep(image_of("2", platform=ARM), "two")
    made = stock.engine.manifests.create("both:1", ["one", "two"])
    fields = json.loads(stock.engine.manifests.raw("both:1"))
    assert "both:1" in made.tags
    assert [each["platform"] for each in fields["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]


def test_what_an_index_lists_is_taken_into_the_new_one(stock: Stock) -> None:
    one, two = image_of("1"), image_of("2", platform=ARM)
    stock.keep(an_index([one]), "index")
    stock.keep(two, "two")
    stock.engine.manifests.create("both", ["index", "two"])
    fields = json.loads(stock.engine.manifests.raw("both"))
    assert [each["digest"] for each in fields["manifests"]] == [one.root.digest, two.root.digest]


def test_the_parts_of_a_new_index_stay_without_names_of_their_own(stock: Stock) -> None:
    one = image_of("1")
    stock.keep(one, "one")
    stock.engine.manifests.create("both", ["one"])
    stock.images.remove("one")
    assert set(one.blobs) <= stock.blobs()
    assert not list(next(stock.images.verify(["both"])).problems)


def test_a_member_that_is_not_here_is_pulled(stock: Stock, server: RegistryServer) -> None:
    image = image_of("1", platform=ARM)
    publish(server, "app", "1", image)
    stock.engine.manifests.create("both", [f"{server.host}/app:1"])
    assert set(image.blobs) <= stock.blobs()


def test_a_member_that_is_nowhere_leaves_no_index(stock: Stock, server: RegistryServer) -> None:
    stock.keep(image_of("1"), "one")
    before = stock.blobs()
    with pytest.raises(NotFound):
        stock.engine.manifests.create("both", ["one", f"{server.host}/app:1"])
    assert set(stock.tags()) == {"one:latest"}
    assert stock.blobs() == before


def test_a_name_that_is_taken_is_amended_only_when_so_asked(stock: Stock) -> None:
    stock.keep(image_of("1"), "one")
    stock.engine.manifests.create("both", ["one"])
    before = stock.engine.manifests.raw("both")
    with pytest.raises(Conflict, match="refusing to amend") as raised:
        stock.engine.manifests.create("both", ["one"])
    assert "--amend" in raised.value.remedy
    assert stock.engine.manifests.raw("both") == before
    stock.keep(image_of("2", platform=ARM), "two")
    stock.engine.manifests.create("both", ["one", "two"], amend=True)
    assert len(json.loads(stock.engine.manifests.raw("both"))["manifests"]) == 2


def test_an_index_is_pushed_whole(stock: Stock, server: RegistryServer) -> None:
    one, two = image_of("1"), image_of("2", platform=ARM)
    stock.keep(one, "one")
    stock.keep(two, "two")
    stock.engine.manifests.create("both", ["one", "two"])
    pushed = stock.engine.manifests.push("both", f"{server.host}/both:1")
    raw, _ = server.manifests["both", "1"]
    assert raw == stock.engine.manifests.raw("both")
    assert pushed.descriptor.is_index
    for image in (one, two):
        assert ("both", str(image.root.digest)) in server.manifests


def test_a_pushed_index_can_be_dropped(stock: Stock, server: RegistryServer) -> None:
    stock.keep(image_of("1"), "one")
    name = f"{server.host}/both:1"
    stock.engine.manifests.create(name, ["one"])
    stock.engine.manifests.push(name, purge=True)
    assert set(stock.tags()) == {"one:latest"}
    assert server.tags("both") == ["1"]


def test_the_raw_bytes_of_a_registrys_manifest(stock: Stock, server: RegistryServer) -> None:
    image = image_of("1")
    publish(server, "app", "1", image)
    assert stock.engine.manifests.raw(f"{server.host}/app:1") == image.blobs[image.root.digest]
    assert not stock.blobs()
