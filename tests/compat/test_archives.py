"""Archives: what nacre writes others read, and the other way round, digest for digest."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from nacre.content.documents import read_document
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest
from nacre.oci.platform import Platform
from nacre.testing.builders import Content, an_index
from nacre.testing.targets import Shelf
from nacre.transports.archive import reading_archive
from nacre.transports.archive_target import writing_archive
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import ARM, GZIP, PLAIN, image_id
from tests.peers.tools import Tool

NAME = "docker.io/team/hello:1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "image.tar"


def save(file: Path, image: Content, *names: str, docker: bool = True) -> None:
    amd64 = Platform("linux", "amd64")
    with writing_archive(file, docker=docker, platform=amd64) as target:
        for name in names:
            copy(Shelf(image), "", target, name)


def ids(podman: Tool) -> set[str]:
    return set(podman("images", "--quiet", "--no-trunc").split())


@pytest.mark.parametrize("image", [GZIP, PLAIN], ids=["gzip", "plain"])
class TestOthersRead:
    def test_skopeo_as_an_oci_archive(self, skopeo: Tool, file: Path, image: Content) -> None:
        save(file, image, NAME)
        for where in (f"oci-archive:{file}", f"oci-archive:{file}:{NAME}"):
            assert json.loads(skopeo("inspect", where))["Digest"] == image.root.digest

    def test_skopeo_as_a_docker_archive(self, skopeo: Tool, file: Path, image: Content) -> None:
        save(file, image, NAME)
        for where in (f"docker-archive:{file}", f"docker-archive:{file}:{NAME}"):
            raw = skopeo("inspect", "--config", "--raw", where)
            assert Digest.of(raw.encode()) == image_id(image)

    def test_podman_loads_it_with_its_name(self, podman: Tool, file: Path, image: Content) -> None:
        save(file, image, NAME)
        podman("load", "--input", file)
        assert ids(podman) == {image_id(image)}
        assert NAME in podman("images", "--format", "{{.Repository}}:{{.Tag}}")

    def test_podman_loads_it_from_a_pipe(self, podman: Tool, file: Path, image: Content) -> None:
        save(file, image, NAME)
        with file.open("rb") as archive:
            subprocess.run([*podman.argv, "load"], env=podman.env, stdin=archive, check=True)
        assert ids(podman) == {image_id(image)}

    def test_an_archive_without_a_name(self, podman: Tool, file: Path, image: Content) -> None:
        save(file, image, "")
        podman("load", "--input", file)
        assert ids(podman) == {image_id(image)}

    def test_buildah_pulls_from_it(self, buildah: Tool, file: Path, image: Content) -> None:
        save(file, image, NAME)
        assert buildah("pull", "--quiet", f"docker-archive:{file}").strip() in image_id(image)


def test_podman_loads_the_platform_that_a_docker_archive_is_for(podman: Tool, file: Path) -> None:
    save(file, an_index([ARM, GZIP]), NAME)
    podman("load", "--input", file)
    assert ids(podman) == {image_id(GZIP)}


def test_podman_loads_an_oci_archive_that_is_no_docker_archive(podman: Tool, file: Path) -> None:
    save(file, GZIP, NAME, docker=False)
    podman("load", "--input", file)
    assert ids(podman) == {image_id(GZIP)}


def test_podman_loads_several_images(podman: Tool, file: Path) -> None:
    with writing_archive(file, docker=True) as target:
        copy(Shelf(GZIP), "", target, NAME)
        copy(Shelf(ARM), "", target, "docker.io/team/arm:1")
    podman("load", "--input", file)
    assert ids(podman) == {image_id(GZIP), image_id(ARM)}


def test_gnu_tar_finds_nothing_to_complain_of(file: Path, tmp_path: Path) -> None:
    save(file, GZIP, NAME)
    listed = subprocess.run(["tar", "-tvf", file], capture_output=True, text=True, check=True)
    assert listed.stderr == ""
    assert "manifest.json" in listed.stdout


class TestNacreReads:
    """What others made of an image that came from a layout of ours, so its ID is known."""

    @pytest.fixture
    def layout(self, tmp_path: Path) -> str:
        copy(Shelf(GZIP), "", LayoutStore(tmp_path / "layout"), "v1")
        return f"oci:{tmp_path / 'layout'}:v1"

    def image_id(self, file: Path, name: str = "") -> Digest:
        """Return the ID of an image whose every byte could be copied."""
        target = LayoutStore(file.parent / "copied")
        with reading_archive(file, spool=file.parent) as source:
            root = copy(source, name, target)
        document = read_document(target, root)
        assert isinstance(document, Manifest)
        return document.config.digest

    def test_skopeos_oci_archive(self, skopeo: Tool, file: Path, layout: str) -> None:
        skopeo("--insecure-policy", "copy", layout, f"oci-archive:{file}:v2")
        with reading_archive(file, spool=file.parent) as source:
            assert list(source.names()) == ["v2"]
            assert source.resolve("v2").digest == GZIP.root.digest
        assert self.image_id(file, "v2") == image_id(GZIP)

    def test_skopeos_docker_archive(self, skopeo: Tool, file: Path, layout: str) -> None:
        skopeo("--insecure-policy", "copy", layout, f"docker-archive:{file}:{NAME}")
        with reading_archive(file, spool=file.parent) as source:
            assert list(source.names()) == [NAME]
        config = skopeo("inspect", "--config", "--raw", f"docker-archive:{file}")
        assert self.image_id(file, "team/hello:1") == Digest.of(config.encode())

    @pytest.mark.parametrize("format_", ["docker-archive", "oci-archive"])
    def test_what_podman_saved(
        self, podman: Tool, file: Path, tmp_path: Path, format_: str
    ) -> None:
        save(tmp_path / "ours.tar", GZIP, NAME)
        podman("load", "--input", tmp_path / "ours.tar")
        podman("save", "--format", format_, "--output", file, NAME)
        with reading_archive(file, spool=file.parent) as source:
            assert list(source.names()) == [NAME]
        self.image_id(file, NAME)

    def test_several_images_that_podman_saved(
        self, podman: Tool, file: Path, tmp_path: Path
    ) -> None:
        for image, name in ((GZIP, NAME), (ARM, "docker.io/team/arm:1")):
            save(tmp_path / "ours.tar", image, name)
            podman("load", "--input", tmp_path / "ours.tar")
        podman("save", "--multi-image-archive", "--output", file, NAME, "docker.io/team/arm:1")
        with reading_archive(file, spool=file.parent) as source:
            assert list(source.names()) == ["docker.io/team/arm:1", NAME]

    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
    def test_an_archive_compressed_as_a_whole(
        self, skopeo: Tool, file: Path, layout: str, pack: Callable[[bytes], bytes]
    ) -> None:
        skopeo("--insecure-policy", "copy", layout, f"docker-archive:{file}:{NAME}")
        plain = self.image_id(file)
        file.write_bytes(pack(file.read_bytes()))
        assert self.image_id(file) == plain
