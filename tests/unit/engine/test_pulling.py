from __future__ import annotations

import pytest

from nacre.engine.settings import Settings
from nacre.errors import NotFound
from nacre.testing.builders import LINUX, an_index
from nacre.transports.events import Event, Existed, Warned
from nacre.transports.walk import NoSuchPlatform
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer, registry_server
from tests.servers.registry_values import Answer
from tests.unit.engine.stock import ARM, Stock, id_of, image_of


def test_news_is_news_once(stock: Stock, server: RegistryServer) -> None:
    image = image_of("a")
    publish(server, "app", "1", image)
    name = f"{server.host}/app:1"
    assert stock.images.pull(name).is_news
    server.requests.clear()
    assert not stock.images.pull(name).is_news
    layer = next(iter(image.blobs))
    assert not server.seen("GET", f"/blobs/{layer}")


def test_a_tag_that_moved_leaves_the_old_image_without_a_name(
    stock: Stock, server: RegistryServer
) -> None:
    old, new = image_of("old"), image_of("new")
    publish(server, "app", "1", old)
    name = f"{server.host}/app:1"
    stock.images.pull(name)
    publish(server, "app", "1", new)
    assert stock.images.pull(name).is_news
    assert stock.tags() == {name: id_of(new)}
    assert stock.images.get(id_of(old)).is_dangling


def test_a_digest_is_pulled_without_a_tag(stock: Stock, server: RegistryServer) -> None:
    image = image_of("a")
    publish(server, "app", "1", image)
    name = f"{server.host}/app@{image.root.digest}"
    assert stock.images.pull(name).is_news
    assert not stock.images.pull(name).is_news
    found = stock.images.get(name)
    assert found.is_dangling
    assert found.repo_digests == (name,)


def test_a_tag_beside_a_digest_is_a_remark(stock: Stock, server: RegistryServer) -> None:
    one, two = image_of("1"), image_of("2")
    publish(server, "app", "1", one)
    publish(server, "app", "2", two)
    stock.images.pull(f"{server.host}/app:2@{one.root.digest}")
    assert [image.id for image in stock.images.list()] == [id_of(one)]
    assert not stock.tags()


def test_of_an_index_only_this_machines_image_comes(stock: Stock, server: RegistryServer) -> None:
    here, there = image_of("here"), image_of("there", platform=ARM)
    index = an_index([there, here])
    publish(server, "app", "1", index)
    pulled = stock.images.pull(f"{server.host}/app:1")
    assert pulled.descriptor.digest == index.root.digest
    assert stock.blobs() == {index.root.digest, *here.blobs}
    assert stock.images.get(f"{server.host}/app:1").id == id_of(here)


def test_all_platforms_come_when_asked_for(stock: Stock, server: RegistryServer) -> None:
    index = an_index([image_of("1"), image_of("2", platform=ARM)])
    publish(server, "app", "1", index)
    stock.images.pull(f"{server.host}/app:1", platform="all")
    assert stock.blobs() == set(index.blobs)


def test_another_platform_is_added_to_a_sparse_index(stock: Stock, server: RegistryServer) -> None:
    index = an_index([image_of("1"), image_of("2", platform=ARM)])
    publish(server, "app", "1", index)
    name = f"{server.host}/app:1"
    stock.images.pull(name)
    stock.images.pull(name, platform="linux/arm64")
    assert stock.blobs() == set(index.blobs)
    assert stock.images.push(name).descriptor.digest == index.root.digest


def test_a_platform_that_is_not_on_offer(stock: Stock, server: RegistryServer) -> None:
    publish(server, "app", "1", an_index([image_of("1")]))
    with pytest.raises(NoSuchPlatform, match="linux/s390x"):
        stock.images.pull(f"{server.host}/app:1", platform="linux/s390x")
    assert not stock.blobs()


def test_a_layer_that_is_here_in_another_image_does_not_come_again(
    stock: Stock, server: RegistryServer
) -> None:
    image = image_of("a")
    publish(server, "one", "1", image)
    publish(server, "two", "1", image)
    stock.images.pull(f"{server.host}/one:1")
    server.requests.clear()
    events: list[Event] = []
    stock.images.pull(f"{server.host}/two:1", on_event=events.append)
    assert sum(isinstance(event, Existed) for event in events) >= 1
    assert not [seen for seen in server.seen("GET", "/blobs/") if id_of(image) not in seen.path]


def test_the_other_tool_sees_what_was_pulled(stock: Stock, server: RegistryServer) -> None:
    publish(server, "app", "1", image_of("a"))
    stock.images.pull(f"{server.host}/app:1")
    assert f"{server.host}/app:1" in (stock.store.root / "index.json").read_text()


def test_all_tags_of_a_repository_are_listed(stock: Stock, server: RegistryServer) -> None:
    for tag in ("1", "2", "edge"):
        publish(server, "app", tag, image_of(tag))
    names = [str(each) for each in stock.images.remote_tags(f"{server.host}/app")]
    assert names == [f"{server.host}/app:{tag}" for tag in ("1", "2", "edge")]


@pytest.mark.parametrize("trouble", ["absent", "broken"])
def test_a_mirror_in_trouble_is_told_of_and_passed_over(
    trouble: str, stock: Stock, server: RegistryServer
) -> None:
    image = image_of("a")
    publish(server, "app", "1", image)
    with registry_server() as mirror:
        if trouble == "broken":
            mirror.fail("GET", "/manifests/", Answer(500), times=100)
        other = Stock(stock.store.root.with_name("mirrored"))
        table = {server.host: {"mirrors": [mirror.host]}}
        settings = Settings(
            other.store.root, LINUX, registry=table, environment={}, keep="compressed"
        )
        engine = type(other.engine)(settings=settings)
        events: list[Event] = []
        engine.images.pull(f"{server.host}/app:1", on_event=events.append)
        assert engine.images.get(f"{server.host}/app:1").id == id_of(image)
        assert [event for event in events if isinstance(event, Warned)]
        assert mirror.seen("GET", "/manifests/")
        engine.close()
        other.close()


def test_nothing_of_a_failed_pull_is_left(stock: Stock, server: RegistryServer) -> None:
    image = image_of("a")
    publish(server, "app", "1", image)
    layer = next(iter(image.blobs))
    server.repositories["app"].discard(layer)
    with pytest.raises(NotFound):
        stock.images.pull(f"{server.host}/app:1")
    assert not stock.blobs()
    assert not stock.images.list()
    assert not stock.store.state.held()


def test_what_a_failed_pull_shares_with_other_images_stays(
    stock: Stock, server: RegistryServer
) -> None:
    here, broken = image_of("here"), image_of("broken")
    stock.keep(here, "here")
    publish(server, "app", "1", an_index([broken, here]))
    server.repositories["app"].discard(next(iter(broken.blobs)))
    with pytest.raises(NotFound):
        stock.images.pull(f"{server.host}/app:1", platform="all")
    assert stock.blobs() == set(here.blobs)
