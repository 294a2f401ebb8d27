"""The local store as it lies is an image layout that other tools read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nacre.oci.digest import Digest
from nacre.testing.builders import an_index
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import ARM, GZIP, digest_of, image_id, inspected, skopeo_copy
from tests.conftest import RegistryStarter
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool

NAME = "docker.io/library/hello:1"


@pytest.fixture
def store(nacre_cli: NacreCli, tmp_path: Path) -> Path:
    """The folder of a store that has one image by two names."""
    copy(Shelf(GZIP), "", LayoutStore(tmp_path / "layout"), "it")
    nacre_cli("image", "copy", f"oci:{tmp_path / 'layout'}:it", "hello:1")
    nacre_cli("tag", "hello:1", "localhost:5000/team/hello:2")
    [found] = nacre_cli.root.rglob("oci-layout")
    return found.parent


def test_skopeo_inspects_an_image_by_its_whole_name(skopeo: Tool, store: Path) -> None:
    document = json.loads(skopeo("inspect", f"oci:{store}:{NAME}"))
    assert document["Digest"] == GZIP.root.digest
    assert digest_of(skopeo, f"oci:{store}:localhost:5000/team/hello:2") == GZIP.root.digest


def test_skopeo_copies_out_of_it(skopeo: Tool, store: Path, tmp_path: Path) -> None:
    skopeo_copy(skopeo, f"oci:{store}:{NAME}", f"oci:{tmp_path / 'out'}:it")
    assert LayoutStore(tmp_path / "out").resolve("it").digest == GZIP.root.digest


def test_podman_and_buildah_pull_out_of_it(podman: Tool, buildah: Tool, store: Path) -> None:
    for tool in (podman, buildah):
        assert f"sha256:{tool('pull', '--quiet', f'oci:{store}:{NAME}').strip()}" == image_id(GZIP)


def test_umoci_lists_describes_and_unpacks_it(umoci: Tool, store: Path, tmp_path: Path) -> None:
    assert set(umoci("ls", "--layout", store).split()) == {NAME, "localhost:5000/team/hello:2"}
    stat = json.loads(umoci("stat", "--json", "--image", f"{store}:{NAME}"))
    assert [step["created_by"] for step in stat["history"]] == ["layer 0", "layer 1", "layer 2"]
    umoci("unpack", "--rootless", "--image", f"{store}:{NAME}", tmp_path / "bundle")
    assert (tmp_path / "bundle/rootfs/etc/issue").read_text() == "nacre\n"


def test_what_is_removed_is_gone_for_others_too(
    skopeo: Tool, nacre_cli: NacreCli, store: Path
) -> None:
    nacre_cli("rmi", "hello:1")
    assert skopeo.attempt("inspect", f"oci:{store}:{NAME}").returncode != 0
    assert digest_of(skopeo, f"oci:{store}:localhost:5000/team/hello:2") == GZIP.root.digest


def test_an_index_of_which_one_platform_is_here(
    skopeo: Tool, nacre_cli: NacreCli, docker_registry: RegistryStarter, tmp_path: Path
) -> None:
    index = an_index([GZIP, ARM])
    name = f"{docker_registry().host}/team/hello:multi"
    copy(Shelf(index), "", LayoutStore(tmp_path / "layout"), "it")
    nacre_cli("image", "copy", f"oci:{tmp_path / 'layout'}:it", f"docker://{name}")
    nacre_cli("pull", "--platform", "linux/arm64", name)
    [found] = nacre_cli.root.rglob("oci-layout")
    where = f"oci:{found.parent}:{name}"
    assert digest_of(skopeo, where) == index.root.digest
    config = skopeo("--override-arch", "arm64", "inspect", "--config", "--raw", where)
    assert Digest.of(config.encode()) == image_id(ARM)


def test_an_imported_image_lies_there_uncompressed_and_is_read(
    skopeo: Tool, debian: NacreCli
) -> None:
    [found] = debian.root.rglob("oci-layout")
    where = f"oci:{found.parent}:docker.io/library/debian:base"
    config = skopeo("inspect", "--config", "--raw", where)
    ours = inspected(debian, "debian:base")
    assert digest_of(skopeo, where) == ours["Descriptor"]["digest"]
    assert json.loads(config)["rootfs"]["diff_ids"] == ours["RootFS"]["Layers"]
