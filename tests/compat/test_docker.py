"""Docker's engine: what nacre writes it reads, and what it writes nacre reads, ID for ID."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from nacre.testing.builders import Content
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import ARM, DOCKER, GZIP, PLAIN, TREE, image_id, inspected
from tests.conftest import RegistryStarter
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool

NAME = "team/hello:1"
DOCKERFILE = """\
FROM scratch
LABEL one=1
COPY motd /etc/motd
ENV GREETING=hello
COPY motd /etc/issue
CMD ["/hello"]
"""


@pytest.fixture
def built(docker: Tool, tmp_path: Path) -> str:
    """The ID of an image that Docker built as ``team/built:1``."""
    context = tmp_path / "context"
    context.mkdir()
    (context / "motd").write_text("hello from docker\n")
    (context / "Dockerfile").write_text(DOCKERFILE)
    docker("build", "--tag", "team/built:1", context)
    return str(inspected(docker, "team/built:1")["Id"])


def take(nacre: NacreCli, image: Content, name: str = NAME) -> None:
    """Give the local store an image, by way of a layout."""
    layout = nacre.home / "layout"
    copy(Shelf(image), "", LayoutStore(layout), "it")
    nacre("image", "copy", "--quiet", f"oci:{layout}:it", name)


@pytest.mark.parametrize("image", [GZIP, PLAIN, DOCKER], ids=["gzip", "plain", "docker types"])
class TestDockerReads:
    def test_what_nacre_saved(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path, image: Content
    ) -> None:
        take(nacre_cli, image)
        nacre_cli("save", "--output", tmp_path / "image.tar", NAME)
        assert docker("load", "--input", tmp_path / "image.tar") == f"Loaded image: {NAME}\n"
        assert inspected(docker, NAME)["Id"] == image_id(image)

    def test_what_nacre_copied_to_a_docker_archive(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path, image: Content
    ) -> None:
        file = tmp_path / "image.tar"
        take(nacre_cli, image)
        nacre_cli("image", "copy", NAME, f"docker-archive:{file}:other/name:2")
        docker("load", "--input", file)
        assert inspected(docker, "other/name:2")["Id"] == image_id(image)

    def test_what_nacre_pushed(
        self, docker: Tool, nacre_cli: NacreCli, docker_registry: RegistryStarter, image: Content
    ) -> None:
        name = f"{docker_registry().host}/{NAME}"
        take(nacre_cli, image, name)
        nacre_cli("push", name)
        said = docker("pull", name)
        ours = inspected(nacre_cli, name)
        theirs = inspected(docker, name)
        assert theirs["Id"] == ours["Id"] == image_id(image)
        assert theirs["RepoDigests"] == ours["RepoDigests"]
        assert f"Digest: {ours['RepoDigests'][0].partition('@')[2]}\n" in said


def test_docker_loads_from_a_pipe(docker: Tool, nacre_cli: NacreCli) -> None:
    take(nacre_cli, GZIP)
    with nacre_cli.started("save", NAME) as saving:
        loading = [*docker.argv, "load"]
        subprocess.run(loading, env=docker.env, stdin=saving.stdout, check=True)
    assert saving.returncode == 0
    assert inspected(docker, NAME)["Id"] == image_id(GZIP)


def test_docker_loads_several_images_and_names(
    docker: Tool, nacre_cli: NacreCli, tmp_path: Path
) -> None:
    names = [NAME, "team/hello:again", "team/arm:1"]
    take(nacre_cli, GZIP)
    nacre_cli("tag", NAME, "team/hello:again")
    take(nacre_cli, ARM, "team/arm:1")
    nacre_cli("save", "--output", tmp_path / "images.tar", *names)
    docker("load", "--input", tmp_path / "images.tar")
    ids = [inspected(docker, name)["Id"] for name in names]
    assert ids == [image_id(GZIP), image_id(GZIP), image_id(ARM)]


class TestNacreReads:
    def test_what_docker_saved(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path, built: str
    ) -> None:
        docker("save", "--output", tmp_path / "built.tar", "team/built:1")
        said = nacre_cli("load", "--input", tmp_path / "built.tar")
        assert said == "Loaded image: team/built:1\n"
        assert inspected(nacre_cli, "team/built:1")["Id"] == built
        assert nacre_cli("image", "verify", "--all") == "team/built:1: OK\n"

    def test_what_docker_saved_through_a_pipe(
        self, docker: Tool, nacre_cli: NacreCli, built: str
    ) -> None:
        argv = [*docker.argv, "save", "team/built:1"]
        with subprocess.Popen(argv, env=docker.env, stdout=subprocess.PIPE) as saving:
            loaded = subprocess.run(
                nacre_cli.argv("load"),
                env=nacre_cli.env,
                stdin=saving.stdout,
                stdout=subprocess.PIPE,
                check=True,
            )
        assert loaded.stdout == b"Loaded image: team/built:1\n"
        assert inspected(nacre_cli, "team/built:1")["Id"] == built

    def test_an_image_that_docker_saved_by_its_id(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path, built: str
    ) -> None:
        docker("save", "--output", tmp_path / "built.tar", built)
        said = nacre_cli("load", "--input", tmp_path / "built.tar")
        assert said == f"Loaded image ID: {built}\n"

    def test_layers_that_docker_saved_as_links_to_others(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path
    ) -> None:
        """A layer that several images have is in the archive once."""
        (tmp_path / "tree.tar").write_bytes(TREE)
        for tag in ("1", "2"):
            docker("import", "--message", tag, tmp_path / "tree.tar", f"team/same:{tag}")
        docker("save", "--output", tmp_path / "same.tar", "team/same:1", "team/same:2")
        with tarfile.open(tmp_path / "same.tar") as archive:
            members = archive.getmembers()
            listed = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        layers = {layer for image in listed for layer in image["Layers"]}
        regular = [each for each in members if each.name in layers and each.isreg()]
        assert len(regular) == 1, "Docker kept the layer twice, so this shows nothing"
        nacre_cli("load", "--input", tmp_path / "same.tar")
        for tag in ("1", "2"):
            theirs = inspected(docker, f"team/same:{tag}")
            assert inspected(nacre_cli, f"team/same:{tag}")["Id"] == theirs["Id"]
        nacre_cli("image", "verify", "--all")

    def test_what_docker_pushed(
        self, docker: Tool, nacre_cli: NacreCli, docker_registry: RegistryStarter, built: str
    ) -> None:
        name = f"{docker_registry().host}/team/built:1"
        docker("tag", "team/built:1", name)
        pushed = docker("push", name)
        pulled = nacre_cli("pull", name)
        ours = inspected(nacre_cli, name)
        assert ours["Id"] == built
        assert ours["RepoDigests"] == inspected(docker, name)["RepoDigests"]
        digest = ours["Descriptor"]["digest"]
        assert f"digest: {digest} size: {ours['Descriptor']['size']}\n" in pushed
        assert f"Digest: {digest}\n" in pulled
        nacre_cli("image", "verify", name)

    def test_what_docker_made_of_an_image_of_nacres(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path
    ) -> None:
        take(nacre_cli, PLAIN)
        nacre_cli("save", "--output", tmp_path / "ours.tar", NAME)
        docker("load", "--input", tmp_path / "ours.tar")
        docker("save", "--output", tmp_path / "theirs.tar", NAME)
        nacre_cli("rmi", NAME)
        nacre_cli("load", "--input", tmp_path / "theirs.tar")
        assert inspected(nacre_cli, NAME)["Id"] == image_id(PLAIN)
