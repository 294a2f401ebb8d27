"""Image layouts: what nacre writes others read, and the other way round, digest for digest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nacre.content.documents import read_config, read_document
from nacre.oci.manifest import Index, Manifest
from nacre.oci.platform import Platform
from nacre.testing.builders import Content, a_layer, an_image, an_index
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.peers.tools import Tool

TREE = a_layer({"etc": None, "etc/motd": b"hello\n", "etc/link": "motd"})
IMAGE = an_image([TREE, a_layer({"data": b"x" * 300_000})])
ARM = an_image([TREE], platform=Platform("linux", "arm64"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "layout"


def written(folder: Path, image: Content, name: str) -> None:
    copy(Shelf(image), "", LayoutStore(folder), name)


def digest_of(skopeo: Tool, where: str) -> str:
    return str(json.loads(skopeo("inspect", where))["Digest"])


def test_skopeo_reads_a_named_image(skopeo: Tool, folder: Path) -> None:
    written(folder, IMAGE, "v1")
    assert digest_of(skopeo, f"oci:{folder}:v1") == IMAGE.root.digest


def test_skopeo_reads_the_only_image_without_its_name(skopeo: Tool, folder: Path) -> None:
    written(folder, IMAGE, "")
    assert digest_of(skopeo, f"oci:{folder}") == IMAGE.root.digest


def test_skopeo_reads_an_index_with_all_it_lists(
    skopeo: Tool, folder: Path, tmp_path: Path
) -> None:
    index = an_index([IMAGE, ARM])
    written(folder, index, "multi")
    other = tmp_path / "other"
    skopeo("--insecure-policy", "copy", "--all", f"oci:{folder}:multi", f"oci:{other}:multi")
    assert LayoutStore(other).resolve("multi").digest == index.root.digest


def test_umoci_reads_and_changes_what_nacre_wrote(umoci: Tool, folder: Path) -> None:
    written(folder, IMAGE, "v1")
    umoci("config", "--image", f"{folder}:v1", "--tag", "v2", "--config.user", "nobody")
    umoci("tag", "--image", f"{folder}:v1", "v3")
    layout = LayoutStore(folder)
    assert list(layout.names()) == ["v1", "v2", "v3"]
    assert layout.resolve("v1") == layout.resolve("v3") == IMAGE.root.bare()
    changed = read_document(layout, layout.resolve("v2"))
    assert isinstance(changed, Manifest)
    assert read_config(layout, changed).run["User"] == "nobody"


def test_umoci_finds_nothing_to_collect_and_nothing_amiss(umoci: Tool, folder: Path) -> None:
    written(folder, IMAGE, "v1")
    before = sorted(path for path in folder.rglob("*"))
    umoci("gc", "--layout", folder)
    assert sorted(path for path in folder.rglob("*")) == before


def test_umoci_unpacks_what_nacre_wrote(umoci: Tool, folder: Path, tmp_path: Path) -> None:
    written(folder, IMAGE, "v1")
    bundle = tmp_path / "bundle"
    umoci("unpack", "--rootless", "--image", f"{folder}:v1", bundle)
    assert (bundle / "rootfs/etc/motd").read_text() == "hello\n"


@pytest.mark.parametrize("format_", ["oci", "v2s2"])
def test_nacre_reads_what_skopeo_wrote(
    skopeo: Tool, folder: Path, tmp_path: Path, format_: str
) -> None:
    written(folder, IMAGE, "v1")
    theirs = tmp_path / "theirs"
    skopeo("--insecure-policy", "copy", "-f", format_, f"oci:{folder}:v1", f"dir:{tmp_path / 'd'}")
    skopeo("--insecure-policy", "copy", f"dir:{tmp_path / 'd'}", f"oci:{theirs}:v1")
    layout = LayoutStore(theirs)
    again = LayoutStore(tmp_path / "again")
    root = copy(layout, "v1", again, "v1")
    assert root.digest == digest_of(skopeo, f"oci:{theirs}:v1")
    assert digest_of(skopeo, f"oci:{tmp_path / 'again'}:v1") == root.digest


def test_nacre_reads_what_umoci_wrote(umoci: Tool, tmp_path: Path, folder: Path) -> None:
    theirs, file = tmp_path / "theirs", tmp_path / "motd"
    file.write_text("hello from umoci\n")
    umoci("init", "--layout", theirs)
    umoci("new", "--image", f"{theirs}:new")
    umoci("insert", "--rootless", "--image", f"{theirs}:new", file, "/etc/motd")
    root = copy(LayoutStore(theirs), "new", LayoutStore(folder), "new")
    assert root == LayoutStore(theirs).resolve("")
    umoci("unpack", "--rootless", "--image", f"{folder}:new", tmp_path / "bundle")
    assert (tmp_path / "bundle/rootfs/etc/motd").read_text() == "hello from umoci\n"


def test_nacre_reads_an_index_that_skopeo_wrote(skopeo: Tool, folder: Path, tmp_path: Path) -> None:
    index, theirs = an_index([IMAGE, ARM]), tmp_path / "theirs"
    written(folder, index, "multi")
    skopeo("--insecure-policy", "copy", "--all", f"oci:{folder}:multi", f"oci:{theirs}:multi")
    target = LayoutStore(tmp_path / "arm")
    root = copy(LayoutStore(theirs), "multi", target, "arm", platforms=[Platform("linux", "arm64")])
    assert root.digest == ARM.root.digest
    assert isinstance(
        read_document(LayoutStore(theirs), LayoutStore(theirs).resolve("multi")), Index
    )


def test_both_add_to_one_layout(skopeo: Tool, folder: Path, tmp_path: Path) -> None:
    written(folder, IMAGE, "ours")
    written(tmp_path / "arm", ARM, "x")
    skopeo("--insecure-policy", "copy", f"oci:{tmp_path / 'arm'}:x", f"oci:{folder}:theirs")
    written(folder, an_image(), "ours again")
    layout = LayoutStore(folder)
    assert list(layout.names()) == ["ours", "ours again", "theirs"]
    assert layout.resolve("theirs").digest == ARM.root.digest
    assert digest_of(skopeo, f"oci:{folder}:ours") == IMAGE.root.digest
