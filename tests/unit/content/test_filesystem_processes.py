"""Several processes at one store of blobs, some of which are killed."""

from __future__ import annotations

import random
import time
from pathlib import Path

from nacre.content.filesystem import FilesystemBlobs
from nacre.oci.descriptor import Descriptor
from tests.unit.children import content
from tests.unit.processes import child

SEED, SIZE = 7, 3_000_000


def part_of(root: Path, descriptor: Descriptor) -> Path:
    return root / "ingest" / f"sha256-{descriptor.digest.encoded}.part"


def wait_for_size(path: Path, size: int) -> None:
    while not path.exists() or path.stat().st_size < size:
        time.sleep(0.0005)


def test_two_processes_write_a_blob_once(tmp_path: Path) -> None:
    descriptor, data = content(SEED, SIZE)
    with (
        child("ingest", tmp_path, SEED, SIZE, 0.01) as first,
        child("ingest", tmp_path, SEED, SIZE, 0) as second,
    ):
        told = sorted([first.finish(), second.finish()])
    assert told == ["already exists", "offset 0\ncommitted"]
    with FilesystemBlobs(tmp_path).open(descriptor) as stream:
        assert stream.read() == data


def test_whoever_waits_takes_over_from_a_process_that_is_killed(tmp_path: Path) -> None:
    descriptor, _ = content(SEED, SIZE)
    with child("ingest", tmp_path, SEED, SIZE, 0.05) as first:
        assert first.line() == "offset 0"
        with child("ingest", tmp_path, SEED, SIZE, 0) as second:
            wait_for_size(part_of(tmp_path, descriptor), 300_000)
            assert second.is_running()
            first.kill()
            offset, last = second.finish().splitlines()
    assert int(offset.removeprefix("offset ")) >= 300_000
    assert last == "committed"


def test_a_blob_survives_being_killed_at_any_point(tmp_path: Path) -> None:
    descriptor, data = content(SEED, SIZE)
    part, reached = part_of(tmp_path, descriptor), 0
    chance = random.Random(1)
    for _ in range(6):
        goal = reached + chance.randrange(1, SIZE // 8)
        with child("ingest", tmp_path, SEED, SIZE, 0.002) as process:
            assert process.line() == f"offset {reached}"
            wait_for_size(part, goal)
            process.kill()
        reached = part.stat().st_size
        assert reached >= goal
        assert not FilesystemBlobs(tmp_path).exists(descriptor)
        assert part.read_bytes() == data[:reached]
    with child("ingest", tmp_path, SEED, SIZE, 0) as process:
        assert process.finish() == f"offset {reached}\ncommitted"
    with FilesystemBlobs(tmp_path).open(descriptor) as stream:
        assert stream.read() == data


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    blobs = FilesystemBlobs(tmp_path)
    with child("ingest_without_end", tmp_path) as process:
        assert process.line() == "writing"
        assert blobs.sweep_ingests() == 0
        process.kill()
        assert blobs.sweep_ingests() == 1000
    assert list(blobs) == []
