from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.store import BlobNotFound, CorruptBlob
from nacre.errors import AlreadyExists, NacreError, Unavailable
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.testing.builders import put
from tests.unit.processes import child

DATA = bytes(range(256)) * 10_000
BLOB = Descriptor.of("application/octet-stream", DATA)
PART = f"ingest/sha256-{BLOB.digest.encoded}.part"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def blobs(root: Path) -> FilesystemBlobs:
    return FilesystemBlobs(root)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def interrupted(blobs: FilesystemBlobs, count: int) -> None:
    with blobs.ingest(BLOB) as ingest:
        ingest.write(DATA[:count])


def path_of(root: Path, digest: Digest) -> Path:
    return root / "blobs" / digest.algorithm / digest.encoded


def test_a_blob_lies_where_the_image_layout_says(root: Path, blobs: FilesystemBlobs) -> None:
    put(blobs, BLOB, DATA)
    assert files(root) == {"oci-layout", "index.json", f"blobs/sha256/{BLOB.digest.encoded}"}
    assert path_of(root, BLOB.digest).read_bytes() == DATA
    assert json.loads((root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}


def test_folders_are_private_unless_told_otherwise(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        for name, mode, expected in (("store", 0o700, 0o700), ("layout", 0o777, 0o755)):
            put(FilesystemBlobs(tmp_path / name, mode=mode), BLOB, DATA)
            folders = [tmp_path / name, *(tmp_path / name).rglob("*/")]
            modes = {stat.S_IMODE(path.stat().st_mode) for path in folders if path.is_dir()}
            assert modes == {expected}
        assert stat.S_IMODE(path_of(tmp_path / "layout", BLOB.digest).stat().st_mode) == 0o644
    finally:
        os.umask(umask)


def test_reading_writes_nothing(root: Path, blobs: FilesystemBlobs) -> None:
    assert not blobs.exists(BLOB)
    assert list(blobs) == []
    with pytest.raises(BlobNotFound, match=str(root)):
        blobs.open(BLOB)
    blobs.delete(BLOB.digest)
    blobs.empty_trash()
    assert blobs.sweep_ingests() == 0
    assert blobs.discard([BLOB.digest]) == 0
    assert not root.exists()


def test_a_stream_is_an_unbuffered_file(blobs: FilesystemBlobs) -> None:
    put(blobs, BLOB, DATA)
    with blobs.stream(BLOB, 100) as stream:
        buffer = bytearray(50)
        assert stream.readinto(buffer) == 50  # type: ignore[attr-defined]
        assert buffer == DATA[100:150]
        assert os.lseek(stream.fileno(), 0, os.SEEK_CUR) == 150


def test_a_blob_is_on_the_disk_before_it_is_seen_and_its_name_afterwards(
    root: Path, blobs: FilesystemBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def watched(file: int) -> None:
        fsync(file)
        synced.append((os.readlink(f"/proc/self/fd/{file}"), blobs.exists(BLOB)))

    with blobs.ingest(BLOB) as ingest:
        ingest.write(DATA)
        monkeypatch.setattr(os, "fsync", watched)
        ingest.commit("x")
    assert (str(root / PART), False) in synced
    assert synced[-1] == (str(root / "blobs" / "sha256"), True)


def test_what_is_being_written_is_a_part(root: Path, blobs: FilesystemBlobs) -> None:
    with blobs.ingest(BLOB) as ingest:
        ingest.write(DATA[:1000])
        assert (root / PART).read_bytes() == DATA[:1000]
    assert (root / PART).read_bytes() == DATA[:1000]


def test_nothing_is_left_of_an_ingest_without_bytes(root: Path, blobs: FilesystemBlobs) -> None:
    with blobs.ingest(BLOB):
        pass
    assert files(root) == {"oci-layout", "index.json"}


def test_nothing_is_left_of_content_nobody_foretold(root: Path, blobs: FilesystemBlobs) -> None:
    with blobs.ingest() as ingest:
        ingest.write(DATA)
        assert len(list((root / "ingest").glob(f"tmp-{os.getpid()}-*"))) == 1
    assert files(root) == {"oci-layout", "index.json"}


def test_a_part_longer_than_the_blob_starts_afresh(root: Path, blobs: FilesystemBlobs) -> None:
    interrupted(blobs, 10)
    (root / PART).write_bytes(DATA + b"x")
    with blobs.ingest(BLOB) as ingest:
        assert ingest.offset == 0


def test_a_whole_part_of_wrong_bytes_starts_afresh(root: Path, blobs: FilesystemBlobs) -> None:
    interrupted(blobs, 10)
    (root / PART).write_bytes(bytes(len(DATA)))
    with blobs.ingest(BLOB) as ingest:
        assert ingest.offset == 0


def test_a_whole_part_of_right_bytes_need_only_be_committed(
    root: Path, blobs: FilesystemBlobs
) -> None:
    interrupted(blobs, len(DATA))
    with blobs.ingest(BLOB) as ingest:
        assert ingest.offset == len(DATA)
        ingest.commit("x")
    assert blobs.exists(BLOB)
    assert not (root / PART).exists()


def test_a_damaged_part_is_found_out_and_can_be_written_again(
    root: Path, blobs: FilesystemBlobs
) -> None:
    interrupted(blobs, 10)
    (root / PART).write_bytes(b"something!")
    with blobs.ingest(BLOB) as ingest:
        ingest.write(DATA[10:])
        with pytest.raises(CorruptBlob):
            ingest.commit("x")
        assert ingest.offset == 0
        ingest.write(DATA)
        ingest.commit("x")
    with blobs.open(BLOB) as stream:
        assert stream.read() == DATA


def test_a_blob_that_lost_its_end_is_replaced(root: Path, blobs: FilesystemBlobs) -> None:
    put(blobs, BLOB, DATA)
    os.truncate(path_of(root, BLOB.digest), 100)
    assert not blobs.exists(BLOB)
    put(blobs, BLOB, DATA)
    assert path_of(root, BLOB.digest).read_bytes() == DATA


def test_a_blob_that_is_there_is_not_written_again(root: Path, blobs: FilesystemBlobs) -> None:
    put(blobs, BLOB, DATA)
    before = path_of(root, BLOB.digest).stat()
    with blobs.ingest() as ingest:
        ingest.write(DATA)
        ingest.commit("x")
    assert path_of(root, BLOB.digest).stat() == before


def test_a_damaged_blob_is_found_out_when_read(root: Path, blobs: FilesystemBlobs) -> None:
    put(blobs, BLOB, DATA)
    path_of(root, BLOB.digest).write_bytes(bytes(len(DATA)))
    with blobs.open(BLOB) as stream, pytest.raises(CorruptBlob, match=str(BLOB.digest)):
        stream.read()


def test_a_blob_may_be_a_symbolic_link(root: Path, blobs: FilesystemBlobs, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(DATA)
    path_of(root, BLOB.digest).parent.mkdir(parents=True)
    path_of(root, BLOB.digest).symlink_to(tmp_path / "elsewhere")
    with blobs.open(BLOB) as stream:
        assert stream.read() == DATA


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_blob_that_is_no_file_is_corrupt(root: Path, blobs: FilesystemBlobs, kind: str) -> None:
    path = path_of(root, BLOB.digest)
    path.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(CorruptBlob, match="is not a file"):
        blobs.open(BLOB)


def test_only_blobs_are_listed(root: Path, blobs: FilesystemBlobs) -> None:
    put(blobs, BLOB, DATA)
    for junk in ("sha256/README", "sha256/.hidden", "md5/d41d8cd98f00b204e9800998ecf8427e", "file"):
        path = root / "blobs" / junk
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    assert list(blobs) == [BLOB.digest]


def test_what_is_discarded_is_gone_at_once_and_freed_later(
    root: Path, blobs: FilesystemBlobs
) -> None:
    put(blobs, BLOB, DATA)
    assert blobs.discard([BLOB.digest, Digest.of(b"never was")]) == len(DATA)
    assert not blobs.exists(BLOB)
    assert list(blobs) == []
    assert len(list((root / "trash").iterdir())) == 1
    FilesystemBlobs(root).empty_trash()
    assert list((root / "trash").iterdir()) == []


def test_a_blob_can_come_back_while_it_is_in_the_trash(blobs: FilesystemBlobs) -> None:
    put(blobs, BLOB, DATA)
    blobs.discard([BLOB.digest])
    put(blobs, BLOB, DATA)
    blobs.discard([BLOB.digest])
    put(blobs, BLOB, DATA)
    blobs.empty_trash()
    assert blobs.exists(BLOB)


def test_sweeping_keeps_what_can_be_resumed(root: Path, blobs: FilesystemBlobs) -> None:
    interrupted(blobs, 1000)
    (root / "ingest" / "tmp-1-00112233aabbccdd").write_bytes(b"12345")
    assert blobs.sweep_ingests() == 5
    assert files(root) == {"oci-layout", "index.json", PART}


def test_sweeping_everything_leaves_no_folder(root: Path, blobs: FilesystemBlobs) -> None:
    interrupted(blobs, 1000)
    assert blobs.sweep_ingests(resumable=True) == 1000
    assert not (root / "ingest").exists()
    interrupted(blobs, 10)


def test_single_ingests_can_be_forgotten(root: Path, blobs: FilesystemBlobs) -> None:
    interrupted(blobs, 1000)
    blobs.forget_ingests([Digest.of(b"other")])
    assert (root / PART).exists()
    with blobs.ingest(BLOB):
        blobs.forget_ingests([BLOB.digest])
    assert (root / PART).exists()
    blobs.forget_ingests([BLOB.digest])
    assert files(root) == {"oci-layout", "index.json"}


def test_sweeping_spares_open_ingests(blobs: FilesystemBlobs) -> None:
    with blobs.ingest(BLOB) as expected, blobs.ingest() as other:
        for ingest in (expected, other):
            ingest.write(DATA[:10])
        assert blobs.sweep_ingests(resumable=True) == 0
        for ingest in (expected, other):
            ingest.write(DATA[10:])
            ingest.commit("x")
    assert blobs.exists(BLOB)


def test_whoever_waits_for_an_ingest_can_give_up(blobs: FilesystemBlobs) -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    with (
        blobs.ingest(BLOB),
        pytest.raises(KeyboardInterrupt),
        blobs.ingest(BLOB, waiting=give_up),
    ):
        pass


def test_an_error_of_the_caller_stays_as_it_is(blobs: FilesystemBlobs) -> None:
    with pytest.raises(ConnectionResetError), blobs.ingest(BLOB):
        raise ConnectionResetError


def test_a_full_disk_is_told_and_gets_its_space_back(root: Path) -> None:
    with child("fill", root, 1_000_000) as process:
        assert process.finish() == f"DiskFull: no space left on the file system of {root}"
    assert files(root) == {"oci-layout", "index.json"}


def test_a_file_in_place_of_the_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blobs = FilesystemBlobs(tmp_path / "file")
    assert not blobs.exists(BLOB)
    assert list(blobs) == []
    with pytest.raises(Unavailable, match="cannot use"):
        put(blobs, BLOB, DATA)


def test_a_store_of_somebody_else_is_told(root: Path, blobs: FilesystemBlobs) -> None:
    put(blobs, BLOB, DATA)
    blobs.sweep_ingests()
    locked = [root, root / "blobs" / "sha256"]
    for folder in locked:
        folder.chmod(0o555)
    path_of(root, BLOB.digest).chmod(0)
    try:
        with child("trespass", root, BLOB.digest, BLOB.size) as process:
            outcomes = process.finish().splitlines()
    finally:
        for folder in locked:
            folder.chmod(0o700)
    assert [outcome.split(": ")[:2] for outcome in outcomes] == [
        ["read", "Denied"],
        ["write", "Denied"],
        ["delete", "Denied"],
        ["discard", "Denied"],
    ]
    assert blobs.exists(BLOB)


def test_an_existing_blob_is_refused_without_touching_its_part(
    root: Path, blobs: FilesystemBlobs
) -> None:
    put(blobs, BLOB, DATA)
    with pytest.raises(AlreadyExists, match=str(BLOB.digest)), blobs.ingest(BLOB):
        pass
    assert not (root / PART).exists()


def test_every_error_is_one_of_nacre(root: Path, blobs: FilesystemBlobs) -> None:
    (root / "blobs").mkdir(parents=True)
    (root / "blobs" / "sha256").symlink_to(root / "nowhere")
    with pytest.raises(NacreError):
        put(blobs, BLOB, DATA)
    assert PART not in files(root)


@pytest.mark.parametrize("name", ["main.go", "notes.part", "tmp-1", "sha256-12.part"])
def test_what_others_keep_in_a_folder_of_such_a_name_stays(
    root: Path, blobs: FilesystemBlobs, name: str
) -> None:
    for folder in ("ingest", "trash"):
        (root / folder / "folder").mkdir(parents=True)
        (root / folder / name).write_text("precious")
    blobs.sweep_ingests(resumable=True)
    blobs.empty_trash()
    for folder in ("ingest", "trash"):
        assert (root / folder / name).read_text() == "precious"
        assert (root / folder / "folder").is_dir()


def test_a_pipe_in_place_of_a_part_does_not_hang(root: Path, blobs: FilesystemBlobs) -> None:
    (root / "ingest").mkdir(parents=True)
    os.mkfifo(root / "ingest" / "tmp-1-0123456789abcdef")
    assert blobs.sweep_ingests() == 0
