"""Reading archives: which view is taken, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nacre.content.layout import REF_NAME
from nacre.content.memory import MemoryBlobs, MemoryRefs
from nacre.content.refs import RefNotFound
from nacre.content.target import ignore_bytes
from nacre.errors import Invalid, NotFound, Unsupported
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import InvalidManifest, make_index, make_manifest
from nacre.oci.platform import Platform
from nacre.testing.builders import Content, a_layer, an_image, an_index
from nacre.testing.targets import Shelf, opened
from nacre.transports.archive import reading_archive
from nacre.transports.archive_target import writing_archive
from nacre.transports.copy import copy
from nacre.transports.members import InvalidArchive
from nacre.transports.naming import IMAGE_NAME
from nacre.transports.stored import StoredImages
from nacre.transports.walk import PRESENT
from tests.unit.transports.tars import Member, a_tar, unpacked

IMAGE = an_image()
ARM = an_image(platform=Platform("linux", "arm64"))
NAME = "docker.io/team/app:1"
LAYER = a_layer({"a": b"a"})
CONFIG = json.dumps({"rootfs": {"type": "layers", "diff_ids": [Digest.of(LAYER)]}}).encode()


def blobs_of(*images: Content) -> list[Member]:
    """Return the members that hold the blobs of images."""
    found = {digest: data for image in images for digest, data in image.blobs.items()}
    return [(f"blobs/sha256/{digest.encoded}", data) for digest, data in found.items()]


def index_of(*entries: Descriptor) -> Member:
    return "index.json", make_index(entries).raw


def docker_item(image: Content, *names: str) -> dict[str, Any]:
    fields = json.loads(image.blobs[image.root.digest])
    path = {part: f"blobs/{part.replace(':', '/')}" for part in map(str, image.blobs)}
    return {
        "Config": path[fields["config"]["digest"]],
        "RepoTags": names,
        "Layers": [path[layer["digest"]] for layer in fields["layers"]],
    }


def listing(*items: dict[str, Any]) -> Member:
    return "manifest.json", json.dumps(items).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "image.tar"


def names_in(file: Path, *members: Member) -> list[str]:
    file.write_bytes(a_tar(*members))
    with reading_archive(file, spool=file.parent) as source:
        return list(source.names())


def test_a_layout_is_preferred_so_that_digests_survive(file: Path) -> None:
    members = (*blobs_of(IMAGE), index_of(IMAGE.root), listing(docker_item(IMAGE, "team/app:1")))
    file.write_bytes(a_tar(*members))
    with reading_archive(file, spool=file.parent) as source:
        assert source.resolve("team/app:1") == IMAGE.root


def test_a_layout_that_lacks_blobs_gives_way_to_the_docker_view(file: Path) -> None:
    image = an_image(docker=True)
    without_root = blobs_of(image)[:-1]
    members = (*without_root, index_of(image.root), listing(docker_item(image, "team/app:1")))
    file.write_bytes(a_tar(*members))
    target = StoredImages(MemoryBlobs(), MemoryRefs())
    with reading_archive(file, spool=file.parent) as source:
        assert copy(source, "team/app:1", target).digest != image.root.digest


def test_an_index_of_which_one_platform_is_here_is_complete_enough(file: Path) -> None:
    index = an_index([IMAGE, ARM])
    root = (f"blobs/sha256/{index.root.digest.encoded}", index.blobs[index.root.digest])
    file.write_bytes(a_tar(*blobs_of(ARM), root, index_of(index.root)))
    target = StoredImages(MemoryBlobs(), MemoryRefs())
    with reading_archive(file, spool=file.parent) as source:
        kept = copy(source, "", target, platforms=PRESENT, sparse=True)
    assert kept == index.root
    assert target.exists(ARM.root)


def test_names_of_both_listings_are_known(file: Path) -> None:
    entry = IMAGE.root.annotated(**{IMAGE_NAME: "docker.io/team/app:2", REF_NAME: "2"})
    item = docker_item(IMAGE, "team/app:1", "team/app:2")
    found = names_in(file, *blobs_of(IMAGE), index_of(entry), listing(item))
    assert found == ["docker.io/team/app:1", "docker.io/team/app:2"]


def test_an_image_that_only_the_docker_listing_knows_is_not_lost(file: Path) -> None:
    members = (
        *blobs_of(IMAGE, ARM),
        index_of(IMAGE.root.annotated(**{REF_NAME: NAME})),
        listing(docker_item(IMAGE, "team/app:1"), docker_item(ARM, "team/arm:1")),
    )
    assert names_in(file, *members) == [NAME, "docker.io/team/arm:1"]


def test_the_tar_of_a_root_file_system_is_told_apart(file: Path) -> None:
    file.write_bytes(a_tar(("etc/passwd", b"root")))
    with (
        pytest.raises(InvalidArchive, match=r"neither index\.json nor manifest\.json") as caught,
        reading_archive(file, spool=file.parent),
    ):
        pass
    assert "import" in caught.value.remedy


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with (
        pytest.raises(NotFound, match="there is no file"),
        reading_archive(tmp_path / "none.tar", spool=tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    "members",
    [
        [("index.json", b"{}")],
        [("index.json", b'{"schemaVersion":2,"manifests":[],"manifests":[]}')],
        [("index.json", b'{"schemaVersion":2,"manifests":[],"layers":[]}')],
        [("index.json", b'{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x"}]}')],
        [("index.json", b" " * (4 * 1024 * 1024 + 1))],
        [index_of(), ("oci-layout", b"[]")],
    ],
)
def test_a_malformed_index_is_refused(file: Path, members: list[Member]) -> None:
    file.write_bytes(a_tar(*members))
    with pytest.raises(Invalid), reading_archive(file, spool=file.parent):
        pass


def test_a_layout_of_another_version_is_unsupported(file: Path) -> None:
    file.write_bytes(a_tar(index_of(), ("oci-layout", b'{"imageLayoutVersion":"2.0.0"}')))
    with pytest.raises(Unsupported), reading_archive(file, spool=file.parent):
        pass


def test_an_unknown_name_is_told_with_those_that_are_there(file: Path) -> None:
    with writing_archive(file, docker=True) as target:
        copy(Shelf(IMAGE), "", target, NAME)
    with reading_archive(file, spool=file.parent) as source:
        with pytest.raises(RefNotFound) as caught:
            source.resolve("team/other")
        assert NAME in caught.value.remedy


def test_what_is_read_can_be_written_again_byte_for_byte(file: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar"
    with writing_archive(file, docker=True) as target:
        copy(Shelf(an_index([IMAGE, ARM])), "", target, NAME)
    with (
        reading_archive(file, spool=tmp_path) as source,
        writing_archive(again, docker=True) as target,
    ):
        copy(source, NAME, target, NAME)
    assert again.read_bytes() == file.read_bytes()
    assert unpacked(again)["oci-layout"] == b'{"imageLayoutVersion":"1.0.0"}'


def test_indexes_nested_without_end_are_refused(file: Path) -> None:
    made = IMAGE
    for _ in range(1500):
        made = an_index([made])
    file.write_bytes(a_tar(*blobs_of(made), index_of(made.root), listing(docker_item(IMAGE))))
    target = StoredImages(MemoryBlobs(), MemoryRefs())
    with (
        reading_archive(file, spool=file.parent) as source,
        pytest.raises(InvalidManifest, match="nested"),
    ):
        copy(source, "", target)


def test_indexes_that_list_one_image_a_million_times_are_read_once(file: Path) -> None:
    inner = an_index([IMAGE] * 1000)
    outer = an_index([inner] * 1000)
    item = docker_item(IMAGE, "team/app:1")
    assert names_in(file, *blobs_of(outer), index_of(outer.root), listing(item)) == [NAME]


def test_an_image_named_by_sha512_keeps_its_digests(file: Path) -> None:
    config, layer = (
        Descriptor(media_type, Digest.of(data, "sha512"), len(data))
        for media_type, data in (("application/vnd.oci.image.config.v1+json", CONFIG),
                                 ("application/vnd.oci.image.layer.v1.tar", LAYER))
    )  # fmt: skip
    manifest = make_manifest(config, [layer])
    root = manifest.descriptor
    blobs = {config.digest: CONFIG, layer.digest: LAYER, root.digest: manifest.raw}
    with writing_archive(file, docker=True) as target:
        for part in (config, layer, root):
            target.put(part, opened(blobs[part.digest]), ignore_bytes)
        target.tag(NAME, root)
    with reading_archive(file, spool=file.parent) as source:
        assert source.resolve(NAME) == root
