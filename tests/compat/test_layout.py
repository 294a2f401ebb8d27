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
from tests.compat.images import (
    ARM,
    GZIP,
    MIXED,
    PLAIN,
    TREE,
    digest_of,
    image_id,
    inspected,
    skopeo_copy,
)
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool

IMAGE = an_image([TREE, a_layer({"data": b"x" * 300_000})])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "layout"


def written(folder: Path, image: Content, name: str) -> None:
    copy(Shelf(image), "", LayoutStore(folder), name)


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


@pytest.mark.root
def test_umoci_unpacks_it_with_its_owners_as_root(
    umoci: Tool, folder: Path, tmp_path: Path
) -> None:
    written(folder, IMAGE, "v1")
    umoci("unpack", "--image", f"{folder}:v1", tmp_path / "bundle")
    assert (tmp_path / "bundle/rootfs/etc/link").read_text() == "hello\n"


def test_umoci_lists_and_describes_what_nacre_wrote(umoci: Tool, folder: Path) -> None:
    written(folder, IMAGE, "v1")
    written(folder, ARM, "arm")
    assert sorted(umoci("ls", "--layout", folder).split()) == ["arm", "v1"]
    steps = json.loads(umoci("stat", "--json", "--image", f"{folder}:v1"))["history"]
    document = read_document(LayoutStore(folder), IMAGE.root)
    assert isinstance(document, Manifest)
    assert [step["layer"]["digest"] for step in steps] == [each.digest for each in document.layers]
    assert [step["created_by"] for step in steps] == ["layer 0", "layer 1"]


@pytest.mark.parametrize("image", [GZIP, PLAIN, MIXED], ids=["gzip", "plain", "mixed"])
@pytest.mark.parametrize("other", ["podman", "buildah"])
def test_podman_and_buildah_pull_from_it(
    request: pytest.FixtureRequest, folder: Path, other: str, image: Content
) -> None:
    tool: Tool = request.getfixturevalue(other)
    written(folder, image, "v1")
    found = tool("pull", "--quiet", f"oci:{folder}:v1").strip()
    assert f"sha256:{found}" == image_id(image)


def test_buildah_makes_a_container_of_it(buildah: Tool, folder: Path, tmp_path: Path) -> None:
    written(folder, IMAGE, "v1")
    container = buildah("from", f"oci:{folder}:v1").strip()
    buildah("config", "--user", "nobody", container)
    buildah("commit", "--quiet", container, f"oci:{tmp_path / 'theirs'}:v2")
    layout = LayoutStore(tmp_path / "theirs")
    changed = read_document(layout, layout.resolve("v2"))
    assert isinstance(changed, Manifest)
    config = read_config(layout, changed)
    original = read_document(Shelf(IMAGE), IMAGE.root)
    assert isinstance(original, Manifest)
    before = read_config(Shelf(IMAGE), original)
    assert config.run["User"] == "nobody"
    assert config.diff_ids[: len(before.diff_ids)] == before.diff_ids


def test_nacre_reads_zstd_layers_that_skopeo_wrote(
    skopeo: Tool, nacre_cli: NacreCli, folder: Path, tmp_path: Path
) -> None:
    plain = an_image([TREE], compressed=False)
    written(folder, plain, "v1")
    theirs = f"oci:{tmp_path / 'theirs'}:v1"
    options = ("--dest-compress", "--dest-compress-format=zstd")
    skopeo_copy(skopeo, f"oci:{folder}:v1", theirs, *options)
    nacre_cli("image", "copy", theirs, "hello:zstd")
    nacre_cli("image", "verify", "hello:zstd")
    ours = inspected(nacre_cli, "hello:zstd")
    assert ours["Id"] == image_id(plain)
    assert ours["Descriptor"]["digest"] == digest_of(skopeo, theirs)


def test_nacre_reads_layers_that_umoci_repacked(
    umoci: Tool, nacre_cli: NacreCli, folder: Path, tmp_path: Path
) -> None:
    written(folder, IMAGE, "v1")
    bundle = tmp_path / "bundle"
    umoci("unpack", "--rootless", "--image", f"{folder}:v1", bundle)
    (bundle / "rootfs/etc/issue").write_text("changed\n")
    (bundle / "rootfs/data").unlink()
    umoci("repack", "--image", f"{folder}:v2", "--history.comment", "by umoci", bundle)
    nacre_cli("image", "copy", f"oci:{folder}:v2", "hello:2")
    nacre_cli("image", "verify", "hello:2")
    steps = json.loads(umoci("stat", "--json", "--image", f"{folder}:v2"))["history"][::-1]
    form = "{{.CreatedBy}}|{{.Comment}}"
    ours = nacre_cli("history", "--no-trunc", "--format", form, "hello:2").splitlines()
    assert ours == [f"{step['created_by']}|{step.get('comment', '')}" for step in steps]
    assert ours[0].endswith("by umoci")
    assert len(inspected(nacre_cli, "hello:2")["RootFS"]["Layers"]) == 3


def test_nacre_reads_the_layout_that_podman_saved(
    podman: Tool, nacre_cli: NacreCli, folder: Path, tmp_path: Path
) -> None:
    written(folder, IMAGE, "v1")
    found = podman("pull", "--quiet", f"oci:{folder}:v1").strip()
    podman("save", "--format", "oci-dir", "--output", tmp_path / "saved", found)
    nacre_cli("image", "copy", f"oci:{tmp_path / 'saved'}", "hello:1")
    nacre_cli("image", "verify", "hello:1")
    assert inspected(nacre_cli, "hello:1")["Id"] == image_id(IMAGE)


def test_skopeos_own_kind_of_folder_is_refused_in_a_sentence(
    podman: Tool, nacre_cli: NacreCli, folder: Path, tmp_path: Path
) -> None:
    written(folder, IMAGE, "v1")
    found = podman("pull", "--quiet", f"oci:{folder}:v1").strip()
    podman("save", "--format", "docker-dir", "--output", tmp_path / "saved", found)
    said = nacre_cli.refused("image", "copy", f"dir:{tmp_path / 'saved'}", "hello:1")
    assert "transport dir" in said
    said = nacre_cli.refused("image", "copy", f"oci:{tmp_path / 'saved'}", "hello:1")
    assert "no OCI image layout" in said


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
