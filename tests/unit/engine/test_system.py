from __future__ import annotations

from nacre.testing.builders import a_layer, an_image
from tests.servers.registry_server import RegistryServer
from tests.unit.engine.stock import Stock, image_of


def test_each_byte_is_counted_where_it_lies(stock: Stock) -> None:
    layers = [a_layer({f"{at}": bytes([at]) * 5000}) for at in range(2)]
    base, app = an_image(layers[:1]), an_image(layers)
    stock.keep(base, "base")
    stock.keep(app, "app")
    use = stock.engine.system.disk_use()
    by_tag = {each.image.tags[0]: each for each in use.images}
    shared = sum(len(data) for digest, data in base.blobs.items() if digest in app.blobs)
    assert shared > 0
    for tag, image in (("base:latest", base), ("app:latest", app)):
        total = sum(map(len, image.blobs.values()))
        assert by_tag[tag].shared == shared
        assert by_tag[tag].unique == total - shared
    assert use.size == sum(map(len, {**base.blobs, **app.blobs}.values()))
    assert use.unreferenced == 0


def test_what_nobody_refers_to_is_what_pruning_frees(stock: Stock) -> None:
    stock.keep(image_of("1"), "one")
    stock.keep(image_of("2"), "two")
    stock.images.remove("two", prune=False)
    promised = stock.engine.system.disk_use().unreferenced
    assert promised > 0
    assert stock.engine.system.prune().reclaimed == promised
    assert stock.engine.system.disk_use().unreferenced == 0


def test_the_form_that_was_pushed_belongs_to_its_image(
    stock: Stock, server: RegistryServer
) -> None:
    name = f"{server.host}/app:1"
    stock.keep(image_of("a", compressed=False), name)
    stock.images.push(name)
    use = stock.engine.system.disk_use()
    assert use.unreferenced == 0
    assert use.images[0].unique == use.size
    assert stock.engine.system.prune().reclaimed == 0


def test_an_empty_store_uses_nothing(stock: Stock) -> None:
    use = stock.engine.system.disk_use()
    assert (use.images, use.size, use.unreferenced) == ((), 0, 0)
