"""Docker archives: images from what `docker save` wrote, old and new."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from nacre.content.documents import read_document
from nacre.content.memory import MemoryBlobs, MemoryRefs
from nacre.content.store import CorruptBlob
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest
from nacre.oci.reference import parse
from nacre.testing.builders import a_layer
from nacre.transports.archive import ArchiveSource, reading_archive
from nacre.transports.copy import copy
from nacre.transports.docker_archive import docker_files
from nacre.transports.members import InvalidArchive, NoSuchMember
from nacre.transports.stored import StoredImages
from tests.unit.transports.tars import Member, a_tar

BASE, TOP = a_layer({"base": b"1"}), a_layer({"top": b"2"})


def config_of(*layers: bytes) -> bytes:
    ids = [Digest.of(layer) for layer in layers]
    return json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": ids}}
    ).encode()


CONFIG = config_of(BASE, TOP)


def listing(*items: dict[str, Any]) -> Member:
    return "manifest.json", json.dumps(items).encode()


def item(*layers: str, config: str = "config.json", tags: Any = ("team/app:1",)) -> dict[str, Any]:
    return {"Config": config, "RepoTags": tags, "Layers": layers}


@contextmanager
def archive(folder: Path, *members: Member) -> Iterator[ArchiveSource]:
    path = folder / "saved.tar"
    path.write_bytes(a_tar(*members))
    with reading_archive(path, spool=folder) as source:
        yield source


def copied(source: ArchiveSource, name: str = "") -> tuple[StoredImages, Manifest]:
    target = StoredImages(MemoryBlobs(), MemoryRefs())
    document = read_document(target, copy(source, name, target))
    assert isinstance(document, Manifest)
    return target, document


ORDINARY = (
    ("config.json", CONFIG),
    ("one/layer.tar", BASE),
    ("two/layer.tar", TOP),
    listing(item("one/layer.tar", "two/layer.tar")),
)


def test_config_and_layers_are_taken_as_they_are(tmp_path: Path) -> None:
    with archive(tmp_path, *ORDINARY) as source:
        _, document = copied(source)
    assert document.config.digest == Digest.of(CONFIG)
    assert [layer.digest for layer in document.layers] == [Digest.of(BASE), Digest.of(TOP)]
    assert {layer.media_type for layer in document.layers} == {mediatypes.OCI_LAYER_TAR}


def test_the_same_files_give_the_same_manifest(tmp_path: Path) -> None:
    roots = []
    for members in (ORDINARY, ORDINARY[::-1]):
        with archive(tmp_path, *members) as source:
            roots.append(source.resolve("team/app:1"))
    assert roots[0] == roots[1]


def test_a_layer_shared_by_symbolic_link_is_read_through_it(tmp_path: Path) -> None:
    twice = config_of(BASE, BASE)
    with archive(
        tmp_path,
        ("config.json", twice),
        ("one/layer.tar", BASE),
        ("two/layer.tar", "../one/layer.tar"),
        listing(item("one/layer.tar", "two/layer.tar")),
    ) as source:
        _, document = copied(source)
    assert [layer.digest for layer in document.layers] == [Digest.of(BASE)] * 2


@pytest.mark.parametrize(
    ("pack", "media_type"),
    [(gzip.compress, mediatypes.OCI_LAYER_GZIP), (zstd.compress, mediatypes.OCI_LAYER_ZSTD)],
)
def test_a_compressed_layer_is_kept_as_it_is(tmp_path: Path, pack: Any, media_type: str) -> None:
    packed = pack(BASE)
    with archive(
        tmp_path,
        ("config.json", config_of(BASE)),
        ("one/layer.tar", packed),
        listing(item("one/layer.tar")),
    ) as source:
        _, document = copied(source)
    [layer] = document.layers
    assert (layer.media_type, layer.digest) == (media_type, Digest.of(packed))


def test_an_xz_layer_is_refused(tmp_path: Path) -> None:
    import lzma

    with (
        pytest.raises(InvalidArchive, match="compressed by xz"),
        archive(
            tmp_path,
            ("config.json", config_of(BASE)),
            ("l", lzma.compress(BASE)),
            listing(item("l")),
        ),
    ):
        pass


def test_wrong_layer_bytes_are_refused(tmp_path: Path) -> None:
    members = [(n, TOP if n == "one/layer.tar" else c) for n, c in ORDINARY]
    with archive(tmp_path, *members) as source, pytest.raises(CorruptBlob):
        copied(source)


def test_a_layer_named_after_another_digest_is_refused(tmp_path: Path) -> None:
    name = f"blobs/sha256/{Digest.of(b'other').encoded}"
    with (
        archive(
            tmp_path,
            ("config.json", config_of(BASE)),
            (name, gzip.compress(BASE)),
            listing(item(name)),
        ) as source,
        pytest.raises(CorruptBlob),
    ):
        copied(source)


@pytest.mark.parametrize("layers", [("one/layer.tar",), ("one/layer.tar",) * 3])
def test_a_layer_count_mismatch_is_refused(tmp_path: Path, layers: tuple[str, ...]) -> None:
    members = [*ORDINARY[:-1], listing(item(*layers))]
    with pytest.raises(InvalidArchive, match="diff_ids"), archive(tmp_path, *members):
        pass


@pytest.mark.parametrize(
    "listed",
    [
        b"{}",
        b"null",
        b"[",
        b'[], "more": []',
        b'["x"]',
        b'[{"Layers": []}]',
        b'[{"Config": 1}]',
        b'[{"Config": "config.json", "Layers": "x"}]',
        b'[{"Config": "config.json", "Layers": [1]}]',
        b'[{"Config": "config.json", "Layers": [], "RepoTags": ["Bad Name"]}]',
        b'[{"Config": "config.json", "Layers": [], "RepoTags": ["x"], "RepoTags": ["y"]}]',
    ],
)
def test_a_malformed_listing_is_refused(tmp_path: Path, listed: bytes) -> None:
    with (
        pytest.raises(InvalidArchive, match=r"saved\.tar"),
        archive(tmp_path, ("config.json", CONFIG), ("manifest.json", listed)),
    ):
        pass


@pytest.mark.parametrize("name", ["../x", "/etc/passwd"])
@pytest.mark.parametrize("part", ["config", "layer"])
def test_a_listing_that_names_what_lies_outside_is_refused(
    tmp_path: Path, name: str, part: str
) -> None:
    listed = item(name, "x", config="config.json") if part == "layer" else item(config=name)
    with (
        pytest.raises(InvalidArchive, match="lies outside"),
        archive(tmp_path, ("config.json", CONFIG), listing(listed)),
    ):
        pass


def test_a_listed_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(NoSuchMember, match="two/layer"),
        archive(tmp_path, *ORDINARY[:2], ORDINARY[3]),
    ):
        pass


def test_names_are_whole_references_and_several_images_are_told_apart(tmp_path: Path) -> None:
    with archive(
        tmp_path,
        ("a.json", config_of(BASE)),
        ("b.json", config_of(TOP)),
        ("one/layer.tar", BASE),
        ("two/layer.tar", TOP),
        listing(
            item("one/layer.tar", config="a.json", tags=["nginx", "h:5000/x:2"]),
            item("two/layer.tar", config="b.json", tags=None),
        ),
    ) as source:
        assert list(source.names()) == ["docker.io/library/nginx:latest", "h:5000/x:2"]
        assert copied(source, "nginx")[1].layers[0].digest == Digest.of(BASE)
        assert len({entry.digest for entry in source.entries}) == 2
        unnamed = source.entries[-1]
        assert copied(source, str(unnamed.digest))[1].layers[0].digest == Digest.of(TOP)


def test_what_is_written_lists_each_image_with_its_sorted_names() -> None:
    image = read_manifest()
    files = docker_files([(image, [parse("team/b:2"), parse("nginx:1"), parse("nginx:2")])])
    [listed] = json.loads(files["manifest.json"])
    top = image.layers[-1].digest.encoded
    assert listed["RepoTags"] == ["nginx:1", "nginx:2", "team/b:2"]
    assert listed["Config"] == f"blobs/sha256/{image.config.digest.encoded}"
    assert listed["Layers"] == [f"blobs/sha256/{top}"]
    assert json.loads(files["repositories"]) == {
        "nginx": {"1": top, "2": top},
        "team/b": {"2": top},
    }


def test_an_image_without_a_name_is_listed_without() -> None:
    files = docker_files([(read_manifest(), [])])
    assert json.loads(files["manifest.json"])[0]["RepoTags"] is None


def read_manifest() -> Manifest:
    from nacre.testing.builders import an_image
    from nacre.testing.targets import Shelf

    image = an_image()
    document = read_document(Shelf(image), image.root)
    assert isinstance(document, Manifest)
    return document


def test_a_stream_is_read_like_a_file(tmp_path: Path) -> None:
    with reading_archive(io.BytesIO(a_tar(*ORDINARY)), spool=tmp_path) as source:
        assert copied(source)[1].config.digest == Digest.of(CONFIG)
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_is_listed_often_is_read_once(tmp_path: Path) -> None:
    """Else a small archive would keep its reader busy for hours."""
    layers = ["layer.tar.gz"] * 500
    config = config_of(*[BASE] * 500)
    many = [item(*layers, tags=[f"team/app:{number}"]) for number in range(500)]
    packed = gzip.compress(BASE)
    with archive(
        tmp_path, ("config.json", config), ("layer.tar.gz", packed), listing(*many)
    ) as source:
        assert len({entry.digest for entry in source.entries}) == 1
        assert len(list(source.names())) == 500


def test_configs_are_read_where_they_lie(tmp_path: Path) -> None:
    with archive(tmp_path, *ORDINARY) as source:
        document = read_document(source, source.resolve(""))
        assert isinstance(document, Manifest)
        with source.stream(document.config) as stream:
            assert not isinstance(stream, io.BytesIO)
            assert stream.read() == CONFIG
