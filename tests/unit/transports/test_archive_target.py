"""Writing archives: the same bytes every time, whole or not at all."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
from pathlib import Path

import pytest

from nacre.content.store import CorruptBlob
from nacre.content.target import ignore_bytes
from nacre.errors import Conflict, NacreError, Unavailable
from nacre.oci.descriptor import Descriptor
from nacre.oci.platform import Platform
from nacre.testing.builders import Content, a_layer, an_image, an_index
from nacre.testing.targets import Shelf, a_referrer, opened
from nacre.transports.archive_target import writing_archive
from nacre.transports.copy import copy
from tests.unit.transports.tars import unpacked

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
IMAGE = an_image([a_layer({"a": b"1"}), a_layer({"b": b"2"})])
ARM = an_image([a_layer({"a": b"1"}), a_layer({"c": b"3"})], platform=ARM64)
BOTH = an_index([IMAGE, ARM])
NAME = "docker.io/library/app:1"


def written(
    *named: tuple[Content, str | None], docker: bool = True, platform: Platform | None = None
) -> bytes:
    out = io.BytesIO()
    with writing_archive(out, docker=docker, platform=platform) as target:
        for image, name in named:
            copy(Shelf(image), "", target, name, jobs=8)
    return out.getvalue()


def test_the_same_images_give_the_same_bytes() -> None:
    assert written((BOTH, NAME), (IMAGE, "x:1")) == written((BOTH, NAME), (IMAGE, "x:1"))


def test_no_times_owners_or_names_are_recorded() -> None:
    with tarfile.open(fileobj=io.BytesIO(written((BOTH, NAME)))) as tar:
        for info in tar:
            assert (info.mtime, info.uid, info.gid, info.uname, info.gname) == (0, 0, 0, "", "")
            assert info.mode == (0o755 if info.isdir() else 0o644)


def test_folders_come_before_what_is_in_them() -> None:
    with tarfile.open(fileobj=io.BytesIO(written((BOTH, NAME)))) as tar:
        seen = {""}
        for info in tar:
            assert os.path.dirname(info.name) in seen
            seen.add(info.name)


def test_every_blob_is_there_once_under_its_digest() -> None:
    raw = written((BOTH, NAME), (IMAGE, "x:1"))
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        names = tar.getnames()
    assert len(names) == len(set(names))
    for digest, data in BOTH.blobs.items():
        assert unpacked(raw)[f"blobs/sha256/{digest.encoded}"] == data


def test_names_are_listed_sorted_for_everybody() -> None:
    files = unpacked(written((IMAGE, "docker.io/library/b:1"), (IMAGE, NAME)))
    annotations = [each["annotations"] for each in json.loads(files["index.json"])["manifests"]]
    full = ["docker.io/library/app:1", "docker.io/library/b:1"]
    assert [each["org.opencontainers.image.ref.name"] for each in annotations] == full
    assert [each["io.containerd.image.name"] for each in annotations] == full
    [listed] = json.loads(files["manifest.json"])
    assert listed["RepoTags"] == ["app:1", "b:1"]


def test_without_docker_it_is_an_oci_archive_only() -> None:
    assert {"manifest.json", "repositories"}.isdisjoint(
        unpacked(written((IMAGE, NAME), docker=False))
    )


@pytest.mark.parametrize("name", ["", None])
def test_an_image_without_a_name_is_listed_without(name: str | None) -> None:
    files = unpacked(written((IMAGE, name)))
    assert json.loads(files["index.json"])["manifests"] == [IMAGE.root.bare().to_json()]
    assert json.loads(files["manifest.json"])[0]["RepoTags"] is None


def test_a_name_that_docker_would_refuse_is_for_oci_readers_alone() -> None:
    files = unpacked(written((IMAGE, "Upper Case")))
    [entry] = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "Upper Case"}
    assert json.loads(files["manifest.json"])[0]["RepoTags"] is None


class TestPlatformOfTheDockerArchive:
    def configs(self, raw: bytes) -> list[str]:
        listed = json.loads(unpacked(raw)["manifest.json"])
        return [item["Config"] for item in listed]

    def test_it_is_the_one_asked_for(self) -> None:
        assert self.configs(written((BOTH, NAME), platform=ARM64)) == self.configs(
            written((ARM, NAME))
        )

    def test_it_is_the_only_one_there_is(self) -> None:
        assert self.configs(written((an_index([ARM]), NAME))) == self.configs(written((ARM, NAME)))

    def test_an_image_that_is_listed_twice_is_one(self) -> None:
        twice = an_index([ARM, ARM])
        assert self.configs(written((twice, NAME))) == self.configs(written((ARM, NAME)))

    def test_it_is_none_when_nobody_can_tell(self) -> None:
        assert self.configs(written((BOTH, NAME))) == []

    def test_an_artifact_is_none(self) -> None:
        assert self.configs(written((IMAGE, NAME), (a_referrer(IMAGE.root), None))) == self.configs(
            written((IMAGE, NAME))
        )


def test_a_signature_is_listed_so_that_it_is_found() -> None:
    files = unpacked(written((IMAGE, NAME), (a_referrer(IMAGE.root), None)))
    listed = [each["digest"] for each in json.loads(files["index.json"])["manifests"]]
    assert listed == [IMAGE.root.digest, a_referrer(IMAGE.root).root.digest]


def test_a_blob_over_eight_gibibytes_has_its_true_size_in_the_header() -> None:
    from nacre.layers import tar
    from nacre.transports.tarball import Tarball

    class Short(io.BytesIO):
        """Takes the header and then no more, for want of nine gibibytes."""

    out = Short()
    Tarball(out, Path("x")).add("blob", 9 << 30, [])
    [entry] = tar.Scanner().feed(out.getvalue())
    assert entry.size == 9 << 30


class TestFiles:
    def test_a_file_appears_when_it_is_complete(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tar"
        with writing_archive(path, docker=True) as target:
            copy(Shelf(IMAGE), "", target, NAME)
            assert not path.exists()
        assert path.read_bytes() == written((IMAGE, NAME))
        assert list(tmp_path.iterdir()) == [path]

    def test_a_file_may_have_the_longest_name_there_is(self, tmp_path: Path) -> None:
        path = tmp_path / ("a" * 255)
        with writing_archive(path, docker=True) as target:
            copy(Shelf(IMAGE), "", target, NAME)
        assert list(tmp_path.iterdir()) == [path]

    def test_nothing_is_left_of_one_that_failed(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tar"
        path.write_bytes(b"before")
        source = Shelf(IMAGE)
        source.blobs[next(iter(IMAGE.blobs))] = b"?"
        with pytest.raises(CorruptBlob), writing_archive(path, docker=True) as target:
            copy(source, "", target, NAME)
        assert path.read_bytes() == b"before"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_spoilt_archive_takes_no_more(self) -> None:
        blob = Descriptor.of("a/b", b"right")
        with writing_archive(io.BytesIO(), docker=True) as target:
            with pytest.raises(CorruptBlob):
                target.put(blob, opened(b"wrong"), ignore_bytes)
            with pytest.raises(Conflict, match="standard output is incomplete"):
                target.put(blob, opened(b"right"), ignore_bytes)
            with pytest.raises(Conflict):
                target.finish()
            target._broken = False

    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        with (
            pytest.raises(NacreError, match="none"),
            writing_archive(tmp_path / "none" / "a.tar", docker=True),
        ):
            pass

    def test_a_full_disk_is_told(self) -> None:
        with (
            pytest.raises(Unavailable, match="no space left"),
            writing_archive(Path("/dev/full"), docker=True) as target,
        ):
            copy(Shelf(IMAGE), "", target, NAME)

    def test_a_pipe_is_written_to_as_it_is(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
        reader.start()
        with writing_archive(pipe, docker=True) as target:
            copy(Shelf(IMAGE), "", target, NAME)
        reader.join()
        assert read == [written((IMAGE, NAME))]

    def test_a_pipe_that_nobody_reads_is_told(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        out = os.fdopen(writing, "wb", buffering=0)
        with (
            out,
            pytest.raises(Unavailable, match="standard output: Broken pipe"),
            writing_archive(out, docker=True) as target,
        ):
            copy(Shelf(IMAGE), "", target, NAME)
