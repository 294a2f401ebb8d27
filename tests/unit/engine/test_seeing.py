from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nacre.engine.catalogue import NoSuchImage
from nacre.engine.images import Images
from nacre.engine.seeing import NotAFile
from nacre.errors import NacreError, NotFound
from nacre.images.image import NotAnImage
from nacre.images.layers import LayerNotHere
from nacre.layers.union import BadLayer, NoSuchPath
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import make_manifest
from nacre.testing.builders import Content, a_layer, an_image, an_index
from tests.unit.engine.stock import ARM, Stock, image_of
from tests.unit.layers.stacks import file, folder, gone, hardlink, symlink, tar_of

BASE = tar_of(
    [
        folder("etc"),
        file("etc/motd", b"hello"),
        file("etc/old", b"old"),
        symlink("bin", "usr/bin"),
        file("usr/bin/sh", b"#!" * 5000),
    ]
)
TOP = tar_of(
    [gone("etc/old"), file("etc/motd", b"hello, world"), hardlink("etc/again", "etc/motd")]
)
IMAGE = an_image([BASE, TOP])
TARS = {Digest.of(BASE), Digest.of(TOP)}


@pytest.fixture
def images(stock: Stock) -> Images:
    stock.keep(IMAGE, "app:1")
    return stock.images


def test_files_of_an_image_are_listed(images: Images) -> None:
    assert [one.path for one in images.files("app:1", "/etc").files] == ["/etc/again", "/etc/motd"]
    assert [one.path for one in images.files("app:1").files] == ["/bin", "/etc", "/usr"]


def test_a_layer_is_listed_alone(images: Images) -> None:
    found = images.files("app:1", layer=1, recursive=True).files
    assert [one.path for one in found] == ["/etc", "/etc/.wh.old", "/etc/again", "/etc/motd"]


@pytest.mark.parametrize("path", ["/bin/sh", "usr/bin/sh", "/usr/bin/../bin/sh"])
def test_a_file_is_read(images: Images, path: str) -> None:
    with images.open_file("app:1", path) as stream:
        assert stream.read() == b"#!" * 5000


@pytest.mark.parametrize(("path", "what"), [("/etc", "directory"), ("/bin", "directory")])
def test_what_is_no_file_is_not_read(images: Images, path: str, what: str) -> None:
    with pytest.raises(NotAFile, match=f"{path} is no file but a {what}"):
        images.open_file("app:1", path).__enter__()


def test_files_are_copied_out(images: Images, tmp_path: Path) -> None:
    taken = images.copy_files("app:1", "/etc", tmp_path)
    assert taken is not None
    assert (tmp_path / "etc/motd").read_bytes() == b"hello, world"
    assert (tmp_path / "etc/again").samefile(tmp_path / "etc/motd")


@pytest.mark.parametrize("path", ["/etc/.", "etc/."])
def test_what_is_in_a_directory_is_copied_out(images: Images, tmp_path: Path, path: str) -> None:
    images.copy_files("app:1", path, str(tmp_path))
    assert (tmp_path / "motd").exists()


def test_the_whole_tree_is_copied_out(images: Images, tmp_path: Path) -> None:
    images.copy_files("app:1", "/", tmp_path)
    assert (tmp_path / "usr/bin/sh").exists()
    images.copy_files("app:1", "/", tmp_path / "new")
    assert (tmp_path / "new/usr/bin/sh").exists()


def test_a_link_is_copied_as_a_link_unless_followed(images: Images, tmp_path: Path) -> None:
    images.copy_files("app:1", "/bin", tmp_path)
    assert os.readlink(tmp_path / "bin") == "usr/bin"
    images.copy_files("app:1", "/bin", tmp_path / "real", follow=True)
    assert (tmp_path / "real/sh").exists()


def test_a_stream_gets_a_tar(images: Images) -> None:
    out = io.BytesIO()
    assert images.copy_files("app:1", "/etc", out) is None
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        assert tar.getnames() == ["etc", "etc/again", "etc/motd"]


def test_two_images_are_compared(stock: Stock, images: Images) -> None:
    stock.keep(an_image([BASE]), "app:0")
    found = images.diff("app:0", "app:1")
    assert [(one.change, one.path, one.size_after - one.size_before) for one in found] == [
        ("A", "/etc/again", 12),
        ("C", "/etc/motd", 7),
        ("D", "/etc/old", -3),
    ]


def test_a_path_is_blamed_on_a_line_of_the_history(images: Images) -> None:
    found = images.blame("app:1", "/etc/motd")
    assert [(one.layer, one.change, one.step.created_by) for one in found] == [
        (1, "C", "layer 1"),
        (0, "A", "layer 0"),
    ]


def test_layers_are_told(images: Images) -> None:
    found = images.layers("app:1")
    assert [(one.size, one.wasted) for one in found.layers] == [(10_008, 8), (12, 0)]
    assert found.efficiency.score < 1


def test_an_export_is_the_whole_tree_and_the_same_each_time(images: Images, tmp_path: Path) -> None:
    images.export("app:1", tmp_path / "a.tar")
    out = io.BytesIO()
    images.export("app:1", out)
    assert (tmp_path / "a.tar").read_bytes() == out.getvalue()
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert set(tar.getnames()) == {
            "bin", "etc", "etc/again", "etc/motd", "usr", "usr/bin", "usr/bin/sh",
        }  # fmt: skip


def test_an_exported_image_can_be_imported_and_does_not_differ(images: Images) -> None:
    out = io.BytesIO()
    images.export("app:1", out)
    images.import_(io.BytesIO(out.getvalue()), "app:flat")
    assert images.diff("app:1", "app:flat") == []


def test_a_failed_export_leaves_no_file(stock: Stock, images: Images, tmp_path: Path) -> None:
    images.files("app:1")
    _spoil(stock, IMAGE)
    with pytest.raises(NacreError):
        images.export("app:1", tmp_path / "a.tar")
    assert not list(tmp_path.glob("*.tar*"))


# Nothing is changed by looking.


def test_looking_leaves_no_more_than_tables(stock: Stock, images: Images, tmp_path: Path) -> None:
    before = stock.blobs()
    images.files("app:1")
    images.layers("app:1")
    images.export("app:1", tmp_path / "a.tar")
    assert stock.blobs() == before
    assert set(stock.store.tocs) == TARS


# What cannot be seen is told.

ASKING: dict[str, Callable[[Images, str, str], object]] = {
    "files": lambda images, name, path: images.files(name, path),
    "open": lambda images, name, path: images.open_file(name, path).__enter__(),
    "copy": lambda images, name, path: images.copy_files(name, path, io.BytesIO()),
    "blame": lambda images, name, path: images.blame(name, path),
    "layers": lambda images, name, _path: images.layers(name),
    "export": lambda images, name, _path: images.export(name, io.BytesIO()),
    "diff": lambda images, name, _path: images.diff(name, name),
}
with_path = pytest.mark.parametrize("ask", ["files", "open", "copy", "blame"])
every = pytest.mark.parametrize("ask", ASKING)


@every
def test_an_image_that_is_not_here(images: Images, ask: str) -> None:
    with pytest.raises(NoSuchImage, match="No such image: nope"):
        ASKING[ask](images, "nope", "/")


@with_path
def test_a_path_that_is_not_there(images: Images, ask: str) -> None:
    with pytest.raises(NoSuchPath, match="/etc/nope"):
        ASKING[ask](images, "app:1", "/etc/nope")


@every
def test_a_layer_that_is_not_here(stock: Stock, images: Images, ask: str) -> None:
    for layer in images.get("app:1").view.layers:
        stock.store.blobs.delete(layer.digest)
    with pytest.raises(LayerNotHere) as raised:
        ASKING[ask](images, "app:1", "/etc/motd")
    assert raised.value.remedy


@every
def test_something_that_is_no_image(stock: Stock, ask: str) -> None:
    config = Descriptor.of("application/vnd.example+json", b"{}")
    manifest = make_manifest(config, [], media_type=mediatypes.OCI_MANIFEST)
    root = manifest.descriptor
    stock.keep(Content(root, {config.digest: b"{}", root.digest: manifest.raw}), "chart:1")
    with pytest.raises(NotAnImage):
        ASKING[ask](stock.images, "chart:1", "/")


@every
def test_layers_that_make_no_tree(stock: Stock, ask: str) -> None:
    stock.keep(an_image([tar_of([hardlink("a", "nowhere")])]), "bad:1")
    with pytest.raises(BadLayer):
        ASKING[ask](stock.images, "bad:1", "/a")


def test_a_platform_that_is_not_here(stock: Stock) -> None:
    stock.keep(an_index([image_of("a"), image_of("b", platform=ARM)]), "multi:1")
    with stock.images.open_file("multi:1", "/text", platform="linux/arm64") as stream:
        assert stream.read() == b"b"
    with pytest.raises(NotFound):
        stock.images.files("multi:1", platform="linux/s390x")


# Tables and raw tars go with their images.


def tables(stock: Stock) -> set[Digest]:
    return set(stock.store.tocs)


def test_tables_go_with_the_last_image_that_has_the_layer(stock: Stock, images: Images) -> None:
    stock.keep(an_image([BASE]), "app:0")
    images.files("app:1")
    assert tables(stock) == TARS
    images.remove("app:1")
    assert tables(stock) == {Digest.of(BASE)}
    images.remove("app:0")
    assert tables(stock) == set()


def test_tables_without_an_image_go_with_the_next_prune(stock: Stock, images: Images) -> None:
    images.files("app:1")
    images.remove("app:1", prune=False)
    assert tables(stock) == TARS
    size = sum(map(stock.store.tocs.size, TARS)) + sum(map(len, IMAGE.blobs.values()))
    assert stock.engine.system.prune().reclaimed == size
    assert tables(stock) == set()


def test_a_raw_tar_stays_with_its_image_and_goes_with_it(stock: Stock, images: Images) -> None:
    path = stock.store.layers.tar(Digest.of(BASE))
    stock.engine.system.prune()
    assert path.read_bytes() == BASE
    images.remove("app:1")
    assert stock.blobs() == set()
    assert not path.exists()


def test_disk_use_counts_a_raw_tar_to_its_image(stock: Stock, images: Images) -> None:
    before = stock.engine.system.disk_use()
    stock.store.layers.tar(Digest.of(BASE))
    after = stock.engine.system.disk_use()
    assert after.size - before.size == len(BASE)
    assert after.unreferenced == 0
    assert after.images[0].unique - before.images[0].unique == len(BASE)


def test_a_raw_tar_disturbs_nobody(stock: Stock, images: Images, tmp_path: Path) -> None:
    images.save(["app:1"], tmp_path / "before.tar")
    index = (stock.store.root / "index.json").read_bytes()
    for layer in TARS:
        stock.store.layers.tar(layer)
    images.save(["app:1"], tmp_path / "after.tar")
    assert (tmp_path / "before.tar").read_bytes() == (tmp_path / "after.tar").read_bytes()
    assert (stock.store.root / "index.json").read_bytes() == index
    assert [one.problems for one in images.verify()] == [()]
    assert images.diff("app:1", "app:1") == []


def test_what_came_in_for_nothing_leaves_no_table(stock: Stock) -> None:
    tar = a_layer({"a": b"1"})
    image = an_image([tar])

    def fails() -> None:
        with stock.store.writing() as local:
            for digest, data in image.blobs.items():
                part = Descriptor(mediatypes.OCI_LAYER_GZIP, digest, len(data))
                if data[:2] == b"\x1f\x8b":
                    local.put(part, lambda at, data=data: io.BytesIO(data[at:]), lambda _: None)  # type: ignore[misc]
            stock.store.layers.toc(Digest.of(tar))
            assert tables(stock) == {Digest.of(tar)}
            raise NotFound("the image is incomplete")

    with pytest.raises(NotFound):
        fails()
    assert stock.blobs() == set()
    assert tables(stock) == set()


def _spoil(stock: Stock, image: Content) -> None:
    for digest, data in image.blobs.items():
        if data[:2] == b"\x1f\x8b":
            stock.store.blobs.path(digest).write_bytes(data[: len(data) // 2])
