"""Import, save, load, copy and tag: images that come and go without a registry."""

from __future__ import annotations

import gzip
import io
import json
import stat
from pathlib import Path

import pytest

from nacre.engine.catalogue import NoSuchImage
from nacre.engine.importing import InvalidRootfs
from nacre.errors import Invalid, NotFound
from nacre.images.edit import InvalidChange
from nacre.oci.digest import Digest
from nacre.oci.reference import InvalidReference
from nacre.testing.builders import LINUX, Content, a_layer, an_index
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer
from tests.unit.engine.stock import ARM, Stock, id_of, image_of

ROOTFS = a_layer({"etc": None, "etc/motd": b"hello"})


# Import.


@pytest.mark.parametrize("data", [ROOTFS, gzip.compress(ROOTFS)], ids=["plain", "gzip"])
def test_an_import_has_one_layer_named_by_its_tar(data: bytes, stock: Stock) -> None:
    image = stock.images.import_(io.BytesIO(data), "app:1")
    assert image.tags == ("app:1",)
    assert image.view.diff_ids == (Digest.of(ROOTFS),)
    assert [layer.digest for layer in image.view.layers] == [Digest.of(ROOTFS)]
    assert image.view.platform == LINUX


def test_an_import_for_another_platform(stock: Stock) -> None:
    image = stock.images.import_(io.BytesIO(ROOTFS), platform="linux/arm/v7")
    assert str(image.view.platform) == "linux/arm/v7"
    assert image.is_dangling


def test_an_import_with_changes_and_a_message(stock: Stock) -> None:
    image = stock.images.import_(
        io.BytesIO(ROOTFS),
        "app",
        changes=["EXPOSE 80", "ENV A=1", 'CMD ["/bin/sh"]'],
        message="a base",
    )
    found = stock.images.inspect("app")
    assert found["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert found["Config"]["Cmd"] == ["/bin/sh"]
    assert stock.images.history("app")[0].comment == "a base"
    assert image.id == stock.images.get("app").id


def test_a_senseless_change_is_refused_before_the_tar_is_read(stock: Stock) -> None:
    source = io.BytesIO(ROOTFS)
    with pytest.raises(InvalidChange):
        stock.images.import_(source, "app", changes=["RUN x"])
    assert source.tell() == 0
    assert not stock.blobs()


def test_an_import_twice_is_two_names_of_one_layer(stock: Stock) -> None:
    stock.images.import_(io.BytesIO(ROOTFS), "one")
    stock.images.import_(io.BytesIO(ROOTFS), "two")
    layers = {layer.digest for image in stock.images.list() for layer in image.view.layers}
    assert layers == {Digest.of(ROOTFS)}


NO_TARS = {
    "nothing": b"",
    "one byte": b"x",
    "noise": b"x" * 5000,
    "cut short": ROOTFS[:700],
    "nothing, compressed": gzip.compress(b""),
}


@pytest.mark.parametrize("data", NO_TARS.values(), ids=NO_TARS)
def test_what_is_no_tar_is_not_imported(data: bytes, stock: Stock) -> None:
    with pytest.raises(InvalidRootfs) as raised:
        stock.images.import_(io.BytesIO(data), "app")
    assert raised.value.remedy
    assert not stock.blobs()
    assert not stock.images.list()


# Save and load.


def test_what_is_saved_is_loaded_with_its_names(stock: Stock, tmp_path: Path) -> None:
    one, two = image_of("1"), image_of("2")
    stock.keep(one, "one:1", "also:1")
    stock.keep(two, "two:1")
    stock.images.save(["one:1", "two:1"], tmp_path / "out.tar")
    other = Stock(tmp_path / "other")
    loaded = other.images.load(tmp_path / "out.tar")
    assert {(each.id, each.name) for each in loaded} == {
        (id_of(one), "one:1"),
        (id_of(two), "two:1"),
    }
    assert other.tags() == {"one:1": id_of(one), "two:1": id_of(two)}
    assert not [each for report in other.images.verify() for each in report.problems]
    other.close()


def test_an_image_saved_by_its_id_has_no_name(stock: Stock, tmp_path: Path) -> None:
    image = image_of("1")
    stock.keep(image, "one:1")
    stock.images.save([id_of(image)], tmp_path / "out.tar")
    other = Stock(tmp_path / "other")
    assert [(each.id, each.name) for each in other.images.load(tmp_path / "out.tar")] == [
        (id_of(image), "")
    ]
    assert other.images.list()[0].is_dangling
    other.close()


def test_the_same_images_give_the_same_archive(stock: Stock, tmp_path: Path) -> None:
    stock.keep(image_of("1"), "one:1")
    stock.images.save(["one:1"], tmp_path / "a.tar")
    stream = io.BytesIO()
    stock.images.save(["one:1"], stream)
    assert (tmp_path / "a.tar").read_bytes() == stream.getvalue()


def test_a_load_moves_names_to_what_the_archive_says(stock: Stock, tmp_path: Path) -> None:
    old, new = image_of("old"), image_of("new")
    other = Stock(tmp_path / "other")
    other.keep(new, "app:1")
    other.images.save(["app:1"], tmp_path / "out.tar")
    other.close()
    stock.keep(old, "app:1")
    stock.images.load(tmp_path / "out.tar")
    assert stock.tags() == {"app:1": id_of(new)}
    assert stock.images.get(id_of(old)).is_dangling


def test_a_sparse_index_is_saved_and_copied_with_what_is_here(
    stock: Stock, server: RegistryServer, tmp_path: Path
) -> None:
    here, there = image_of("here"), image_of("there", platform=ARM)
    publish(server, "app", "1", an_index([there, here]))
    name = f"{server.host}/app:1"
    stock.images.pull(name)
    stock.images.save([name], tmp_path / "out.tar")
    stock.images.copy(name, f"oci:{tmp_path}/layout:1")
    other = Stock(tmp_path / "other")
    assert [each.id for each in other.images.load(tmp_path / "out.tar")] == [id_of(here)]
    other.images.copy(f"oci:{tmp_path}/layout:1", "copied:1")
    assert other.images.get("copied:1").id == id_of(here)
    other.close()


def test_one_platform_of_an_index_can_be_saved(stock: Stock, tmp_path: Path) -> None:
    one, two = image_of("1"), image_of("2", platform=ARM)
    stock.keep(an_index([one, two]), "app:1")
    stock.images.save(["app:1"], tmp_path / "out.tar", platform="linux/arm64")
    other = Stock(tmp_path / "other")
    [loaded] = other.images.load(tmp_path / "out.tar")
    assert loaded.id == id_of(two)
    other.close()


def test_all_platforms_are_saved_of_a_whole_index(stock: Stock, tmp_path: Path) -> None:
    index = an_index([image_of("1"), image_of("2", platform=ARM)])
    stock.keep(index, "app:1")
    stock.images.save(["app:1"], tmp_path / "out.tar")
    other = Stock(tmp_path / "other")
    other.images.load(tmp_path / "out.tar")
    assert other.blobs() == set(index.blobs)
    other.close()


@pytest.mark.parametrize("also", [[], ["latest"]], ids=["", "with latest"])
def test_a_repository_is_saved_with_all_its_tags(
    also: list[str], stock: Stock, tmp_path: Path
) -> None:
    stock.keep(image_of("1"), "app:1", *(f"app:{tag}" for tag in also))
    stock.keep(image_of("2"), "app:2", "team/app:3")
    stock.images.save(["app", "app:1"], tmp_path / "out.tar")
    other = Stock(tmp_path / "other")
    loaded = [each.name for each in other.images.load(tmp_path / "out.tar")]
    assert sorted(loaded) == sorted(f"app:{tag}" for tag in ["1", "2", *also])
    assert other.tags() == {tag: stock.tags()[tag] for tag in loaded}
    other.close()


def test_an_archive_is_for_its_owner_only(stock: Stock, tmp_path: Path) -> None:
    stock.keep(image_of("1"), "app:1")
    out = tmp_path / "out.tar"
    out.touch(mode=0o666)
    out.chmod(0o666)
    stock.images.save(["app:1"], out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_one_platform_of_an_archive_can_be_loaded(stock: Stock, tmp_path: Path) -> None:
    one, two = image_of("1"), image_of("2", platform=ARM)
    index = an_index([one, two])
    stock.keep(index, "app:1")
    stock.images.save(["app:1"], tmp_path / "out.tar")
    other = Stock(tmp_path / "other")
    [loaded] = other.images.load(tmp_path / "out.tar", platform="linux/arm64")
    assert (loaded.id, loaded.name) == (id_of(two), "app:1")
    assert other.blobs() == {*two.blobs, index.root.digest}
    other.close()


@pytest.mark.parametrize("content", [image_of("1"), an_index([image_of("1")])])
def test_an_archive_that_lacks_a_platform_is_not_loaded(
    content: Content, stock: Stock, tmp_path: Path
) -> None:
    stock.keep(content, "app:1")
    stock.images.save(["app:1"], tmp_path / "out.tar")
    other = Stock(tmp_path / "other")
    with pytest.raises(NotFound, match="linux/s390x"):
        other.images.load(tmp_path / "out.tar", platform="linux/s390x")
    assert not other.images.list()
    assert not other.blobs()
    other.close()


def test_an_unknown_image_is_not_saved(stock: Stock, tmp_path: Path) -> None:
    with pytest.raises(NoSuchImage):
        stock.images.save(["nobody"], tmp_path / "out.tar")
    assert not (tmp_path / "out.tar").exists()


# Tag and copy.


def test_a_tag_is_another_name_for_the_same_image(stock: Stock) -> None:
    image = image_of("1")
    stock.keep(image, "one:1")
    stock.images.tag(id_of(image)[7:19], "team/two")
    assert stock.tags() == {"one:1": id_of(image), "team/two:latest": id_of(image)}
    listed = json.loads((stock.store.root / "index.json").read_text())["manifests"]
    assert len(listed) == 2


def test_a_tag_with_a_digest_is_refused(stock: Stock) -> None:
    stock.keep(image_of("1"), "one:1")
    with pytest.raises(InvalidReference, match="digest"):
        stock.images.tag("one:1", f"two@sha256:{'0' * 64}")


@pytest.mark.parametrize("name", ["sha256:new", "library/sha256", "sha512:new"])
def test_a_name_that_looks_like_a_digest_is_refused(name: str, stock: Stock) -> None:
    stock.keep(image_of("1"), "one:1")
    source = io.BytesIO(ROOTFS)
    with pytest.raises(InvalidReference, match="refusing to create an ambiguous tag"):
        stock.images.tag("one:1", name)
    with pytest.raises(InvalidReference, match="refusing to create an ambiguous tag"):
        stock.images.import_(source, name)
    with pytest.raises(InvalidReference, match="refusing to create an ambiguous tag"):
        stock.images.copy("one:1", name)
    assert source.tell() == 0
    assert set(stock.tags()) == {"one:1"}
    stock.images.tag("one:1", f"here.test/{name}")  # there it is a repository like others


def test_a_name_in_an_archive_that_looks_like_a_digest_is_passed_over(
    stock: Stock, tmp_path: Path
) -> None:
    image = image_of("1")
    stock.keep(image, "one:1")
    stock.images.copy("one:1", f"docker-archive:{tmp_path}/out.tar:sha256:new")
    other = Stock(tmp_path / "other")
    [loaded] = other.images.load(tmp_path / "out.tar")
    assert (loaded.id, loaded.name) == (id_of(image), "")
    assert other.images.list()[0].is_dangling
    other.close()


def test_a_tag_given_while_the_image_is_removed_is_refused_or_whole(stock: Stock) -> None:
    image = image_of("1")
    stock.keep(image, "one:1")
    stock.images.remove("one:1")
    with pytest.raises(NoSuchImage):
        stock.images.tag("one:1", "two:1")
    assert not stock.images.list()


def test_a_copy_from_registry_to_registry_passes_the_store_by(
    stock: Stock, server: RegistryServer
) -> None:
    index = an_index([image_of("1"), image_of("2", platform=ARM)])
    publish(server, "app", "1", index)
    [root] = stock.images.copy(f"docker://{server.host}/app:1", f"docker://{server.host}/copy:2")
    assert root.digest == index.root.digest
    assert server.tags("copy") == ["2"]
    assert not stock.blobs()


def test_a_copy_of_all_tags(stock: Stock, server: RegistryServer) -> None:
    for tag in ("1", "2"):
        publish(server, "app", tag, image_of(tag))
    stock.images.copy(f"docker://{server.host}/app", "local/app", all_tags=True)
    assert set(stock.tags()) == {"local/app:1", "local/app:2"}


def test_what_lies_at_an_address_is_imported(stock: Stock, server: RegistryServer) -> None:
    server.fail("GET", "/rootfs.tar.gz", Answer(200, body=gzip.compress(ROOTFS)))
    image = stock.images.import_(f"{server.url}/rootfs.tar.gz?key=pearl", "app:1")
    assert image.tags == ("app:1",)
    assert image.view.config.history[0].comment == f"Imported from {server.url}/rootfs.tar.gz"


def test_an_address_that_gives_half_a_tar_leaves_nothing(
    stock: Stock, server: RegistryServer
) -> None:
    for half in (ROOTFS[:700], b"<html>not found</html>"):
        server.fail("GET", "/rootfs.tar", Answer(200, body=half))
        with pytest.raises(Invalid, match="/rootfs.tar is not a sound tar"):
            stock.images.import_(f"{server.url}/rootfs.tar", "app:1")
    assert not stock.images.list()
    assert not stock.blobs()
