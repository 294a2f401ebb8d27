"""Registries: what nacre pushes others pull, and what they push nacre pulls, digest for digest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.testing.builders import Content
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import (
    DOCKER,
    GZIP,
    MIXED,
    PLAIN,
    digest_of,
    image_id,
    inspected,
    raw_manifest,
    skopeo_copy,
)
from tests.conftest import RegistryStarter
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool

IMAGES = pytest.mark.parametrize("image", [GZIP, DOCKER], ids=["oci", "docker"])
Push = Callable[[Content], str]


@pytest.fixture
def name(docker_registry: RegistryStarter) -> str:
    """A name at a registry of its own."""
    return f"{docker_registry().host}/team/hello:1"


@pytest.fixture
def push(nacre_cli: NacreCli, name: str, tmp_path: Path) -> Push:
    """A function by which nacre pushes an image; it returns the image's name."""

    def pushed(image: Content) -> str:
        copy(Shelf(image), "", LayoutStore(tmp_path / "layout"), "it")
        nacre_cli("image", "copy", f"oci:{tmp_path / 'layout'}:it", name)
        nacre_cli("push", name)
        return name

    return pushed


class TestOthersPullWhatNacrePushed:
    @IMAGES
    def test_skopeo_inspects_it(self, skopeo: Tool, push: Push, image: Content) -> None:
        where = f"docker://{push(image)}"
        assert raw_manifest(skopeo, where) == image.blobs[image.root.digest]
        document = json.loads(skopeo("inspect", "--tls-verify=false", where))
        assert document["Digest"] == image.root.digest
        assert document["RepoTags"] == ["1"]

    @IMAGES
    def test_skopeo_copies_it(
        self, skopeo: Tool, push: Push, tmp_path: Path, image: Content
    ) -> None:
        skopeo_copy(skopeo, f"docker://{push(image)}", f"dir:{tmp_path / 'folder'}")
        assert Digest.of((tmp_path / "folder/manifest.json").read_bytes()) == image.root.digest

    @IMAGES
    def test_podman_pulls_it(self, podman: Tool, push: Push, image: Content) -> None:
        name = push(image)
        podman("pull", "--quiet", "--tls-verify=false", name)
        document = inspected(podman, name)
        assert f"sha256:{document['Id']}" == image_id(image)
        assert document["Digest"] == image.root.digest

    @IMAGES
    def test_buildah_pulls_it(self, buildah: Tool, push: Push, image: Content) -> None:
        said = buildah("pull", "--quiet", "--tls-verify=false", push(image))
        assert f"sha256:{said.strip()}" == image_id(image)

    def test_a_plain_image_is_compressed_on_the_way(
        self, skopeo: Tool, podman: Tool, push: Push
    ) -> None:
        name = push(PLAIN)
        manifest = json.loads(raw_manifest(skopeo, f"docker://{name}"))
        assert {layer["mediaType"] for layer in manifest["layers"]} == {mediatypes.OCI_LAYER_GZIP}
        assert manifest["config"]["digest"] == image_id(PLAIN)
        podman("pull", "--quiet", "--tls-verify=false", name)
        assert f"sha256:{inspected(podman, name)['Id']}" == image_id(PLAIN)

    def test_layers_of_several_kinds_are_as_they_were(
        self, podman: Tool, nacre_cli: NacreCli, name: str, tmp_path: Path
    ) -> None:
        """Only a push compresses; a copy moves a plain and a zstd layer as they are."""
        copy(Shelf(MIXED), "", LayoutStore(tmp_path / "layout"), "it")
        nacre_cli("image", "copy", f"oci:{tmp_path / 'layout'}:it", f"docker://{name}")
        podman("pull", "--quiet", "--tls-verify=false", name)
        document = inspected(podman, name)
        assert f"sha256:{document['Id']}" == image_id(MIXED)
        assert document["Digest"] == MIXED.root.digest


class TestNacrePullsWhatOthersPushed:
    @pytest.fixture
    def layout(self, tmp_path: Path) -> str:
        copy(Shelf(GZIP), "", LayoutStore(tmp_path / "theirs"), "it")
        return f"oci:{tmp_path / 'theirs'}:it"

    def pulled(self, nacre: NacreCli, name: str) -> Digest:
        """Pull and check an image; return the digest that nacre says it has."""
        said = nacre("pull", name)
        nacre("image", "verify", name)
        document = inspected(nacre, name)
        digest = Digest(document["Descriptor"]["digest"])
        assert f"Digest: {digest}\n" in said
        assert document["RepoDigests"] == [f"{name.rpartition(':')[0]}@{digest}"]
        return digest

    @pytest.mark.parametrize(
        ("options", "media_type", "layer_type"),
        [
            (("--format=oci",), mediatypes.OCI_MANIFEST, mediatypes.OCI_LAYER_GZIP),
            (("--format=v2s2",), mediatypes.DOCKER_MANIFEST, mediatypes.DOCKER_LAYER_GZIP),
            (
                ("--dest-compress-format=zstd", "--dest-compress"),
                mediatypes.OCI_MANIFEST,
                mediatypes.OCI_LAYER_ZSTD,
            ),
        ],
        ids=["oci", "docker", "zstd"],
    )
    def test_by_skopeo(
        self,
        *,
        skopeo: Tool,
        nacre_cli: NacreCli,
        name: str,
        tmp_path: Path,
        layout: str,
        options: tuple[str, ...],
        media_type: str,
        layer_type: str,
    ) -> None:
        if "--dest-compress" in options:  # only what is not compressed yet is compressed anew
            copy(Shelf(PLAIN), "", LayoutStore(tmp_path / "plain"), "it")
            layout = f"oci:{tmp_path / 'plain'}:it"
        skopeo_copy(skopeo, layout, f"docker://{name}", *options)
        manifest = json.loads(raw_manifest(skopeo, f"docker://{name}"))
        assert manifest["mediaType"] == media_type
        assert {layer["mediaType"] for layer in manifest["layers"]} == {layer_type}
        assert self.pulled(nacre_cli, name) == digest_of(skopeo, f"docker://{name}")

    @pytest.mark.parametrize("format_", ["oci", "v2s2"])
    def test_by_podman(
        self,
        *,
        skopeo: Tool,
        podman: Tool,
        nacre_cli: NacreCli,
        name: str,
        layout: str,
        format_: str,
    ) -> None:
        image = podman("pull", "--quiet", layout).strip()
        podman("push", "--quiet", "--tls-verify=false", "--format", format_, image, name)
        assert self.pulled(nacre_cli, name) == digest_of(skopeo, f"docker://{name}")

    @pytest.mark.parametrize("format_", ["oci", "docker"])
    def test_by_buildah(
        self,
        *,
        skopeo: Tool,
        buildah: Tool,
        nacre_cli: NacreCli,
        name: str,
        tmp_path: Path,
        format_: str,
    ) -> None:
        (tmp_path / "motd").write_text("hello from buildah\n")
        (tmp_path / "Dockerfile").write_text(
            "FROM scratch\nCOPY motd /etc/motd\nLABEL made.by=buildah\nCOPY motd /etc/issue\n"
        )
        buildah("bud", "--quiet", "--layers", "--format", format_, "--tag", name, tmp_path)
        buildah("push", "--quiet", "--tls-verify=false", name)
        assert self.pulled(nacre_cli, name) == digest_of(skopeo, f"docker://{name}")
        ours, theirs = inspected(nacre_cli, name), json.loads(buildah("inspect", name))
        assert ours["Id"] == f"sha256:{theirs['FromImageID']}"
        assert ours["Config"]["Labels"]["made.by"] == "buildah"
        steps = nacre_cli("history", "--no-trunc", "--format", "{{.CreatedBy}}", name)
        config = json.loads(theirs["Config"])
        assert steps.splitlines() == [step["created_by"] for step in config["history"][::-1]]
