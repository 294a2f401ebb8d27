"""Digests: nothing changes a byte on a way through several places, whoever does each step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nacre.oci import manifest as manifests
from nacre.oci import wire
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index
from nacre.oci.mediatypes import OCI_INDEX
from nacre.oci.platform import Platform
from nacre.testing.builders import Content, a_layer, an_image, an_index
from nacre.testing.targets import Shelf, a_referrer
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import (
    ARM,
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

NAME = "docker.io/team/hello:1"
ARM_V7 = an_image([a_layer({"arm": b"7"})], platform=Platform("linux", "arm", "v7"))
INDEX = an_index([GZIP, ARM, ARM_V7])
DOCKER_LIST = an_index([DOCKER], docker=True)
INNER = an_index([GZIP, ARM_V7])
NESTED = an_index([INNER, ARM])


class Places:
    """Places for copies, each new, written as both nacre and skopeo write them."""

    def __init__(self, folder: Path, host: str, nacre: NacreCli) -> None:
        self._folder = folder
        self._nacre = nacre
        self._host = host
        self._count = 0

    def new(self, kind: str) -> str:
        self._count += 1
        if kind == "docker":
            return f"docker://{self._host}/team/hello{self._count}:1"
        return f"{kind}:{self._folder / f'{kind}{self._count}'}:{NAME}"

    def filled(self, image: Content) -> str:
        """Return a new layout that has the image; one of Docker's types is in the registry."""
        layout = self._folder / "start"
        copy(Shelf(image), "", LayoutStore(layout), NAME)
        start = f"oci:{layout}:{NAME}"
        # skopeo finds only manifests of OCI's own types in a layout.
        if not image.root.media_type.startswith("application/vnd.docker."):
            return start
        there = self.new("docker")
        self._nacre("image", "copy", "--all-platforms", start, there)
        return there


@pytest.fixture
def places(tmp_path: Path, docker_registry: RegistryStarter, nacre_cli: NacreCli) -> Places:
    return Places(tmp_path, docker_registry().host, nacre_cli)


def everything(skopeo: Tool, where: str) -> list[str]:
    """Return the digests of a manifest and all that it refers to."""
    raw = raw_manifest(skopeo, where)
    fields = json.loads(raw)
    parts = [fields["config"], *fields["layers"]] if "config" in fields else fields["manifests"]
    return [Digest.of(raw), *(part["digest"] for part in parts)]


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        pytest.param(GZIP, "oci", id="gzip-layout"),
        pytest.param(GZIP, "oci-archive", id="gzip-archive"),
        pytest.param(GZIP, "docker", id="gzip-registry"),
        pytest.param(PLAIN, "oci", id="plain-layout"),
        pytest.param(PLAIN, "oci-archive", id="plain-archive"),
        pytest.param(PLAIN, "docker", id="plain-registry"),
        pytest.param(MIXED, "oci", id="mixed-layout"),
        pytest.param(MIXED, "oci-archive", id="mixed-archive"),
        pytest.param(MIXED, "docker", id="mixed-registry"),
        pytest.param(DOCKER, "docker", id="docker-registry"),
    ],
)
class TestOneImage:
    """From a layout through a place of a kind to another such place."""

    def test_by_nacre_and_then_by_skopeo(
        self, skopeo: Tool, nacre_cli: NacreCli, places: Places, image: Content, kind: str
    ) -> None:
        start, middle, end = places.filled(image), places.new(kind), places.new(kind)
        nacre_cli("image", "copy", start, middle)
        skopeo_copy(skopeo, middle, end, "--preserve-digests")
        assert everything(skopeo, start) == everything(skopeo, middle) == everything(skopeo, end)
        assert raw_manifest(skopeo, end) == image.blobs[image.root.digest]

    def test_by_skopeo_and_then_by_nacre(
        self, skopeo: Tool, nacre_cli: NacreCli, places: Places, image: Content, kind: str
    ) -> None:
        start, middle, end = places.filled(image), places.new(kind), places.new(kind)
        skopeo_copy(skopeo, start, middle, "--preserve-digests")
        nacre_cli("image", "copy", middle, end)
        assert raw_manifest(skopeo, end) == image.blobs[image.root.digest]
        assert everything(skopeo, start) == everything(skopeo, middle) == everything(skopeo, end)


@pytest.mark.parametrize("image", [GZIP, PLAIN], ids=["gzip", "plain"])
def test_a_docker_archive_keeps_the_image_id_both_ways(
    skopeo: Tool, nacre_cli: NacreCli, places: Places, image: Content
) -> None:
    """Such an archive has no manifest: the config is what stays the same."""
    ours, theirs = places.new("docker-archive"), places.new("docker-archive")
    nacre_cli("image", "copy", places.filled(image), ours)
    skopeo_copy(skopeo, ours, theirs)
    nacre_cli("image", "copy", theirs, "back:1")
    assert inspected(nacre_cli, "back:1")["Id"] == image_id(image)
    config = skopeo("inspect", "--config", "--raw", theirs)
    assert Digest.of(config.encode()) == image_id(image)


def test_the_store_keeps_what_came_from_a_registry(
    skopeo: Tool, nacre_cli: NacreCli, places: Places
) -> None:
    there, back = places.new("docker"), places.new("docker")
    skopeo_copy(skopeo, places.filled(DOCKER), there)
    there, back = there.removeprefix("docker://"), back.removeprefix("docker://")
    nacre_cli("pull", there)
    nacre_cli("tag", there, back)
    nacre_cli("push", back)
    assert everything(skopeo, f"docker://{back}") == everything(skopeo, f"docker://{there}")


class TestIndex:
    @pytest.mark.parametrize(
        ("index", "kind"),
        [
            pytest.param(INDEX, "oci", id="layout"),
            pytest.param(INDEX, "oci-archive", id="archive"),
            pytest.param(INDEX, "docker", id="registry"),
            pytest.param(DOCKER_LIST, "docker", id="docker-list-registry"),
        ],
    )
    def test_all_platforms_keep_its_digest_both_ways(
        self, skopeo: Tool, nacre_cli: NacreCli, places: Places, index: Content, kind: str
    ) -> None:
        start, middle, end = places.filled(index), places.new(kind), places.new(kind)
        nacre_cli("image", "copy", "--all-platforms", start, middle)
        skopeo_copy(skopeo, middle, end, "--all", "--preserve-digests")
        last = places.new(kind)
        nacre_cli("image", "copy", "--all-platforms", end, last)
        for where in (middle, end, last):
            assert raw_manifest(skopeo, where) == index.blobs[index.root.digest]

    @pytest.mark.parametrize(
        ("platform", "options"),
        [
            ("linux/arm64", ("--override-arch=arm64",)),
            ("linux/amd64", ("--override-arch=amd64",)),
            ("linux/arm/v7", ("--override-arch=arm", "--override-variant=v7")),
            ("linux/arm/v8", ("--override-arch=arm", "--override-variant=v8")),
        ],
    )
    def test_a_platform_is_the_one_that_skopeo_chooses(
        self,
        skopeo: Tool,
        nacre_cli: NacreCli,
        places: Places,
        platform: str,
        options: tuple[str, ...],
    ) -> None:
        start, ours, theirs = places.filled(INDEX), places.new("oci"), places.new("oci")
        nacre_cli("image", "copy", "--platform", platform, start, ours)
        skopeo("--insecure-policy", *options, "copy", start, theirs)
        assert digest_of(skopeo, ours) == digest_of(skopeo, theirs)

    def test_an_index_of_indexes_goes_through_a_registry(
        self, skopeo: Tool, nacre_cli: NacreCli, places: Places, tmp_path: Path
    ) -> None:
        """skopeo copies no such thing, but it reads what nacre copied, level by level."""
        there, back = places.new("docker"), tmp_path / "back"
        nacre_cli("image", "copy", places.filled(NESTED), there)
        nacre_cli("image", "copy", there, f"oci:{back}:it")
        assert raw_manifest(skopeo, there) == NESTED.blobs[NESTED.root.digest]
        layout = LayoutStore(back)
        assert layout.resolve("it").digest == NESTED.root.digest
        repository = there.rpartition(":")[0]
        for each in (NESTED, INNER, GZIP, ARM_V7, ARM):
            digest = each.root.digest
            assert digest_of(skopeo, f"{repository}@{digest}") == digest

    def test_that_nacre_created_is_chosen_from_by_others(
        self, skopeo: Tool, podman: Tool, nacre_cli: NacreCli, places: Places, tmp_path: Path
    ) -> None:
        name = places.new("docker").removeprefix("docker://")
        for image, member in ((GZIP, "team/hello:amd64"), (ARM, "team/hello:arm64")):
            copy(Shelf(image), "", LayoutStore(tmp_path / "layout"), member)
            nacre_cli("image", "copy", f"oci:{tmp_path / 'layout'}:{member}", member)
        nacre_cli("manifest", "create", name, "team/hello:amd64", "team/hello:arm64")
        nacre_cli("manifest", "push", name)
        raw = raw_manifest(skopeo, f"docker://{name}")
        assert json.loads(nacre_cli("manifest", "inspect", name)) == json.loads(raw)
        for architecture, image in (("amd64", GZIP), ("arm64", ARM)):
            config = skopeo(
                "--override-arch",
                architecture,
                "inspect",
                "--tls-verify=false",
                "--config",
                "--raw",
                f"docker://{name}",
            )
            assert Digest.of(config.encode()) == image_id(image)
        podman("pull", "--quiet", "--tls-verify=false", "--arch", "arm64", name)
        assert f"sha256:{inspected(podman, name)['Id']}" == image_id(ARM)

    @pytest.mark.parametrize("tool", ["podman", "buildah"])
    def test_that_others_created_is_pulled_whole(
        self,
        skopeo: Tool,
        nacre_cli: NacreCli,
        places: Places,
        request: pytest.FixtureRequest,
        tool: str,
    ) -> None:
        theirs: Tool = request.getfixturevalue(tool)
        where = places.new("docker")
        name = where.removeprefix("docker://")
        theirs("manifest", "create", name)
        for image in (GZIP, ARM):
            member = places.new("docker")
            nacre_cli("image", "copy", places.filled(image), member)
            theirs("manifest", "add", "--tls-verify=false", name, member)
        theirs("manifest", "push", "--all", "--tls-verify=false", name, where)
        nacre_cli("pull", "--all-platforms", name)
        nacre_cli("image", "verify", "--all")
        document = inspected(nacre_cli, name)
        assert document["Descriptor"]["digest"] == digest_of(skopeo, where)
        assert document["Id"] == image_id(GZIP)
        [arm] = json.loads(nacre_cli("image", "inspect", "--platform", "linux/arm64", name))
        assert arm["Id"] == image_id(ARM)


class TestReferrers:
    """docker-registry 2.8 has no referrers API: the specification's tag schema stands in."""

    def test_are_listed_under_a_tag_that_skopeo_reads(
        self, skopeo: Tool, nacre_cli: NacreCli, places: Places, tmp_path: Path
    ) -> None:
        notes = [a_referrer(GZIP.root), a_referrer(GZIP.root, "application/vnd.test.other")]
        start = self.source(tmp_path / "source", notes)
        there = places.new("docker")
        nacre_cli("image", "copy", "--referrers", start, there)
        repository = there.rpartition(":")[0]
        tag = wire.referrers_tag(GZIP.root.digest)
        listed = manifests.parse(raw_manifest(skopeo, f"{repository}:{tag}"), OCI_INDEX)
        assert isinstance(listed, Index)
        assert {entry.digest for entry in listed.manifests} == {each.root.digest for each in notes}
        assert {entry.artifact_type for entry in listed.manifests} == {
            "application/vnd.test.note",
            "application/vnd.test.other",
        }
        for note in notes:
            where = f"{repository}@{note.root.digest}"
            assert raw_manifest(skopeo, where) == note.blobs[note.root.digest]

    def test_go_on_to_the_next_place(
        self, nacre_cli: NacreCli, places: Places, tmp_path: Path
    ) -> None:
        note = a_referrer(GZIP.root)
        there = places.new("docker")
        nacre_cli("image", "copy", "--referrers", self.source(tmp_path / "source", [note]), there)
        nacre_cli("image", "copy", "--referrers", there, f"oci:{tmp_path / 'back'}:it")
        back = LayoutStore(tmp_path / "back")
        assert [each.digest for each in back.referrers(GZIP.root.digest).manifests] == [
            note.root.digest
        ]

    def test_stay_where_they_are_unless_asked_for(
        self, skopeo: Tool, nacre_cli: NacreCli, places: Places, tmp_path: Path
    ) -> None:
        there = places.new("docker")
        start = self.source(tmp_path / "source", [a_referrer(GZIP.root)])
        nacre_cli("image", "copy", start, there)
        tags = json.loads(skopeo("list-tags", "--tls-verify=false", there.rpartition(":")[0]))
        assert tags["Tags"] == ["1"]

    def source(self, folder: Path, notes: list[Content]) -> str:
        layout = LayoutStore(folder)
        copy(Shelf(GZIP), "", layout, "it")
        for note in notes:
            copy(Shelf(note), "", layout, "")
        return f"oci:{folder}:it"
