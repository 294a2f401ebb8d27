"""Collections while others pull: nothing that somebody relies on is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.gc import garbage, reachable
from nacre.engine.state import State
from nacre.oci.descriptor import Descriptor
from nacre.testing import Content, an_image
from nacre.testing.builders import put
from tests.unit.processes import child

IMAGE = an_image()


class _Failure(Exception):
    pass


@pytest.fixture
def blobs(tmp_path: Path) -> FilesystemBlobs:
    return FilesystemBlobs(tmp_path)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path) as state:
        yield state


def parts_of(image: Content) -> list[Descriptor]:
    return [Descriptor("x", digest, len(data)) for digest, data in image.blobs.items()]


def collect(root: Path) -> None:
    """Collect as another process would."""
    blobs = FilesystemBlobs(root)
    with State(root) as state, state.collecting() as roots:
        blobs.discard(garbage(blobs, reachable(roots, blobs)))
    blobs.empty_trash()


def test_an_image_without_a_name_stays(
    tmp_path: Path, blobs: FilesystemBlobs, state: State
) -> None:
    state.add_image(IMAGE.into(blobs))
    collect(tmp_path)
    assert set(blobs) == set(IMAGE.blobs)


def test_a_removed_image_goes(tmp_path: Path, blobs: FilesystemBlobs, state: State) -> None:
    state.tag("a", IMAGE.into(blobs))
    state.remove_image(IMAGE.root.digest)
    collect(tmp_path)
    assert list(blobs) == []


def test_a_pull_survives_a_collection_after_each_blob(
    tmp_path: Path, blobs: FilesystemBlobs, state: State
) -> None:
    with state.lease() as lease:
        for part in parts_of(IMAGE):
            lease.hold([part])
            collect(tmp_path)
            put(blobs, part, IMAGE.blobs[part.digest])
            collect(tmp_path)
        state.tag("a", IMAGE.root)
    collect(tmp_path)
    assert set(blobs) == set(IMAGE.blobs)


def test_blobs_found_and_held_in_time_stay(
    tmp_path: Path, blobs: FilesystemBlobs, state: State
) -> None:
    IMAGE.into(blobs)
    with state.lease() as lease:
        lease.hold(parts_of(IMAGE))
        collect(tmp_path)
        assert all(blobs.exists(part) for part in parts_of(IMAGE))


def test_to_hold_a_manifest_is_to_hold_what_it_refers_to(
    tmp_path: Path, blobs: FilesystemBlobs, state: State
) -> None:
    IMAGE.into(blobs)
    with state.lease() as lease:
        lease.hold([IMAGE.root])
        collect(tmp_path)
    assert set(blobs) == set(IMAGE.blobs)


def test_blobs_that_went_before_they_were_held_are_seen_to_be_gone(
    tmp_path: Path, blobs: FilesystemBlobs, state: State
) -> None:
    IMAGE.into(blobs)
    with state.lease() as lease:
        collect(tmp_path)
        lease.hold(parts_of(IMAGE))
        assert not any(blobs.exists(part) for part in parts_of(IMAGE))


def test_a_pull_that_was_killed_is_collected(
    tmp_path: Path, blobs: FilesystemBlobs, state: State
) -> None:
    IMAGE.into(blobs)
    part = parts_of(IMAGE)[0]
    with child("hold", tmp_path, part.digest, part.size) as process:
        assert process.line() == "held"
        collect(tmp_path)
        assert list(blobs) == [part.digest]
        process.kill()
    collect(tmp_path)
    assert list(blobs) == []


def test_a_collection_that_was_cut_short_is_finished_by_the_next(
    tmp_path: Path, blobs: FilesystemBlobs, state: State
) -> None:
    IMAGE.into(blobs)
    with pytest.raises(_Failure), state.collecting() as roots:  # noqa: PT012
        blobs.discard(garbage(blobs, reachable(roots, blobs)))
        raise _Failure
    collect(tmp_path)
    assert list((tmp_path / "trash").iterdir()) == []


def test_pulls_and_collections_at_full_speed(tmp_path: Path) -> None:
    store, enough = tmp_path / "store", tmp_path / "enough"
    with (
        child("pull", store, "one", enough) as one,
        child("pull", store, "two", enough) as two,
        child("collect", store, 20, enough) as collector,
    ):
        collected = int(collector.finish())
        moved = sum(int(each.finish()) for each in (one, two))
    # What is collected had been moved before; every image was, again and again.
    assert 20 <= collected <= moved
