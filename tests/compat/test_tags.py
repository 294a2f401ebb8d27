"""Tags: long lists, copies of whole repositories, and deletion, as others see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre import Engine
from nacre.distribution.repository import Repository
from nacre.errors import NotFound, Unsupported
from nacre.oci import reference as references
from nacre.testing.builders import Content
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import ARM, GZIP, PLAIN, digest_of, skopeo_copy
from tests.conftest import RegistryStarter
from tests.peers.nacre import NacreCli
from tests.peers.registry import DockerRegistry
from tests.peers.tools import Tool
from tests.servers.registry_server import registry_server
from tests.servers.registry_values import Options

MANY = [f"t{number:04}" for number in range(1100)]
IMAGES = {"1": GZIP, "1.0": GZIP, "arm": ARM, "plain": PLAIN}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Nacre from Python: the command line shows no tags of registries and deletes none."""
    home = {"HOME": str(tmp_path / "home")}
    with Engine(root=tmp_path / "store", environment=home) as engine:
        yield engine


def repository(engine: Engine, name: str) -> Repository:
    return engine.registries.repository(references.parse(name))


def listed(skopeo: Tool, name: str) -> list[str]:
    document = json.loads(skopeo("list-tags", "--tls-verify=false", f"docker://{name}"))
    return list(document["Tags"])


def fill(skopeo: Tool, name: str, folder: Path) -> None:
    """Let skopeo push all images, each under its tag."""
    for tag, image in IMAGES.items():
        copy(Shelf(image), "", LayoutStore(folder), tag)
        skopeo_copy(skopeo, f"oci:{folder}:{tag}", f"docker://{name}:{tag}", "--preserve-digests")


def add_tags(registry: DockerRegistry, name: str, image: Content) -> None:
    """Give an image of the registry many tags at once, as the registry keeps them."""
    manifests = registry.folder / "data/docker/registry/v2/repositories" / name / "_manifests"
    for tag in MANY:
        for part in ("current", f"index/sha256/{image.root.digest.encoded}"):
            link = manifests / "tags" / tag / part / "link"
            link.parent.mkdir(parents=True)
            link.write_text(image.root.digest)


class TestManyTags:
    def test_of_a_registry_are_those_that_skopeo_lists(
        self, engine: Engine, skopeo: Tool, docker_registry: RegistryStarter, tmp_path: Path
    ) -> None:
        registry = docker_registry()
        name = f"{registry.host}/team/hello"
        fill(skopeo, name, tmp_path / "layout")
        add_tags(registry, "team/hello", GZIP)
        tags = [reference.tag for reference in engine.images.remote_tags(name)]
        assert sorted(tags) == sorted([*MANY, *IMAGES]) == sorted(listed(skopeo, name))

    def test_in_pages_are_those_that_skopeo_lists(self, engine: Engine, skopeo: Tool) -> None:
        """docker-registry 2.8 knows no pages, so this one is our own."""
        with registry_server(Options(tag_page=100)) as server:
            raw = GZIP.blobs[GZIP.root.digest]
            for tag in MANY:
                server.add_raw_manifest("team/hello", tag, raw, GZIP.root.media_type)
            name = f"{server.host}/team/hello"
            tags = [reference.tag for reference in engine.images.remote_tags(name)]
            assert tags == MANY == listed(skopeo, name)
            assert len(server.seen("GET", "/tags/list")) == 2 * len(MANY) / 100


class TestAllTags:
    def test_go_from_registry_to_registry(
        self, nacre_cli: NacreCli, skopeo: Tool, docker_registry: RegistryStarter, tmp_path: Path
    ) -> None:
        here, there = (f"{docker_registry().host}/team/hello" for _ in range(2))
        fill(skopeo, here, tmp_path / "layout")
        nacre_cli("image", "copy", "--all-tags", f"docker://{here}", f"docker://{there}")
        assert sorted(listed(skopeo, there)) == sorted(IMAGES)
        for tag, image in IMAGES.items():
            assert digest_of(skopeo, f"docker://{there}:{tag}") == image.root.digest

    def test_go_through_a_layout_that_skopeo_reads(
        self, nacre_cli: NacreCli, skopeo: Tool, docker_registry: RegistryStarter, tmp_path: Path
    ) -> None:
        here, there = (f"{docker_registry().host}/team/hello" for _ in range(2))
        fill(skopeo, here, tmp_path / "start")
        nacre_cli("image", "copy", "--all-tags", f"docker://{here}", f"oci:{tmp_path / 'out'}")
        for tag, image in IMAGES.items():
            assert digest_of(skopeo, f"oci:{tmp_path / 'out'}:{tag}") == image.root.digest
        nacre_cli("image", "copy", "--all-tags", f"oci:{tmp_path / 'out'}", f"docker://{there}")
        assert sorted(listed(skopeo, there)) == sorted(IMAGES)

    def test_are_pulled_and_pushed_as_docker_does(
        self, nacre_cli: NacreCli, skopeo: Tool, docker_registry: RegistryStarter, tmp_path: Path
    ) -> None:
        registry = docker_registry()
        here, there = f"{registry.host}/team/hello", f"{registry.host}/other/hello"
        fill(skopeo, here, tmp_path / "layout")
        nacre_cli("pull", "--all-tags", here)
        for tag in IMAGES:
            nacre_cli("tag", f"{here}:{tag}", f"{there}:{tag}")
        nacre_cli("push", "--all-tags", there)
        assert sorted(listed(skopeo, there)) == sorted(IMAGES)
        for tag in set(IMAGES) - {"plain"}:  # that one is compressed by a push
            assert digest_of(skopeo, f"docker://{there}:{tag}") == IMAGES[tag].root.digest


class TestDeletion:
    def test_by_nacre_is_seen_by_skopeo(
        self, engine: Engine, skopeo: Tool, docker_registry: RegistryStarter, tmp_path: Path
    ) -> None:
        name = f"{docker_registry(delete=True).host}/team/hello"
        fill(skopeo, name, tmp_path / "layout")
        repository(engine, name).delete_manifest(GZIP.root.digest)
        assert sorted(listed(skopeo, name)) == ["arm", "plain"]
        assert skopeo.attempt("inspect", "--tls-verify=false", f"docker://{name}:1").returncode
        with pytest.raises(NotFound):
            repository(engine, name).delete_manifest(GZIP.root.digest)

    def test_by_skopeo_is_seen_by_nacre(
        self,
        nacre_cli: NacreCli,
        skopeo: Tool,
        docker_registry: RegistryStarter,
        tmp_path: Path,
    ) -> None:
        name = f"{docker_registry(delete=True).host}/team/hello"
        fill(skopeo, name, tmp_path / "layout")
        skopeo("delete", "--tls-verify=false", f"docker://{name}:arm")
        assert f"{name}:arm" in nacre_cli.refused("pull", f"{name}:arm")

    def test_is_refused_to_both_where_the_registry_allows_none(
        self, engine: Engine, skopeo: Tool, docker_registry: RegistryStarter, tmp_path: Path
    ) -> None:
        name = f"{docker_registry().host}/team/hello"
        fill(skopeo, name, tmp_path / "layout")
        with pytest.raises(Unsupported):
            repository(engine, name).delete_manifest(ARM.root.digest)
        assert skopeo.attempt("delete", "--tls-verify=false", f"docker://{name}:arm").returncode
        assert sorted(listed(skopeo, name)) == sorted(IMAGES)
