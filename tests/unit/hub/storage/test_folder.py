"""Blobs in a folder, beyond what every place for bytes promises."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest

from nacre.errors import NotFound
from nacre.hub.errors import Busy, OutOfSpace
from nacre.hub.storage.folder import FolderPlace

WRONG_KEYS = [
    "",
    "..",
    "../b",
    "/etc/passwd",
    "b/ab/../../../etc/passwd",
    "b/ab/" + "a" * 32,  # in another key's folder
    "b/ab/ab" + "0" * 31,
    "b/AB/AB" + "0" * 30,
    "b/ab/ab" + "0" * 30 + "\n",
]


@pytest.fixture
def place(tmp_path: Path) -> FolderPlace:
    (tmp_path / "blobs").mkdir()
    return FolderPlace(tmp_path / "blobs")


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_what_is_no_key_is_never_part_of_a_path(place: FolderPlace, key: str) -> None:
    with pytest.raises(NotFound):
        place.path(key)
    with pytest.raises(NotFound), place.append(key, 0):
        pass
    with pytest.raises(NotFound):
        place.open(key)
    with pytest.raises(NotFound):
        place.seal(key)
    assert list(place.delete([key])) == [key]


def test_a_link_in_a_keys_place_is_not_followed(place: FolderPlace, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    key = place.new_key()
    path = place.path(key)
    assert path is not None
    path.parent.mkdir(parents=True)
    path.symlink_to(victim)
    with pytest.raises(Busy), place.append(key, 0) as writing:
        writing.write(b"x")
    with pytest.raises(Busy):
        place.open(key)
    assert list(place) == []
    place.delete([key])
    assert victim.read_bytes() == b"precious"


def test_blobs_are_for_their_owner_only(place: FolderPlace, tmp_path: Path) -> None:
    key = place.new_key()
    place.seal(key)
    path = place.path(key)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_full_disk_is_out_of_space_and_the_upload_can_go_on(place: FolderPlace) -> None:
    key = place.new_key()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(OutOfSpace), place.append(key, 0) as writing:
            writing.write(b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    with place.append(key, 4096) as writing:
        writing.write(b"y")
    with place.open(key) as file:
        assert file.read() == b"x" * 4096 + b"y"


def test_a_disk_that_refuses_is_busy(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"no folder")
    place = FolderPlace(tmp_path / "blobs")
    with pytest.raises(Busy), place.append(place.new_key(), 0):
        pass
    with pytest.raises(Busy):
        place.seal(place.new_key())


def test_what_cannot_be_deleted_is_told(place: FolderPlace) -> None:
    key, other = place.new_key(), place.new_key()
    path = place.path(key)
    assert path is not None
    path.mkdir(parents=True)
    place.seal(other)
    assert list(place.delete([key, other])) == [key]


def test_strange_files_are_passed_over(place: FolderPlace, tmp_path: Path) -> None:
    key = place.new_key()
    place.seal(key)
    (tmp_path / "blobs" / "b" / "lost+found").mkdir()
    (tmp_path / "blobs" / "b" / key[2:4] / "strange").write_bytes(b"?")
    assert [kept.key for kept in place] == [key]


def test_a_place_that_was_never_written_to_is_empty(place: FolderPlace, tmp_path: Path) -> None:
    assert list(place) == []
    assert list((tmp_path / "blobs").iterdir()) == []


def refuses_everything(place: FolderPlace, key: str) -> None:
    with pytest.raises(Busy), place.append(place.new_key(), 0):
        pass
    for asked in (place.seal, place.size, place.open):
        with pytest.raises(Busy):
            asked(key)
    for about in (place.check, lambda: list(place)):
        with pytest.raises(Busy):
            about()
    assert list(place.delete([key])) == [key], "what could not be deleted stays on the trash"


def test_a_folder_that_went_away_is_not_made_again(place: FolderPlace, tmp_path: Path) -> None:
    key = place.new_key()
    place.seal(key)
    away = (tmp_path / "blobs").rename(tmp_path / "away")
    refuses_everything(place, key)
    assert not (tmp_path / "blobs").exists()
    away.rename(tmp_path / "blobs")
    place.check()
    assert place.size(key) == 0


def test_another_folder_of_the_name_is_not_taken_for_it(place: FolderPlace, tmp_path: Path) -> None:
    key = place.new_key()
    place.seal(key)
    (tmp_path / "blobs").rename(tmp_path / "away")
    (tmp_path / "blobs").mkdir()
    refuses_everything(place, key)
    assert list((tmp_path / "blobs").iterdir()) == []


def test_bytes_whose_folder_was_moved_while_they_were_written_are_not_sealed(
    place: FolderPlace, tmp_path: Path
) -> None:
    key = place.new_key()
    with place.append(key, 0) as writing:
        (tmp_path / "blobs").rename(tmp_path / "away")
        writing.write(b"data")
    with pytest.raises(Busy):
        place.seal(key)


def test_a_folder_that_was_missing_at_first_is_used_once_it_is_there(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "blobs")
    refuses_everything(place, place.new_key())
    (tmp_path / "blobs").mkdir()
    place.seal(place.new_key())


@pytest.mark.parametrize("harm", ["a folder", "a link"])
def test_what_is_no_file_has_no_bytes(place: FolderPlace, harm: str) -> None:
    key = place.new_key()
    place.seal(key)
    path = place.path(key)
    assert path is not None
    path.unlink()
    if harm == "a folder":
        path.mkdir()
    else:
        path.symlink_to("/etc/hostname")
    assert place.size(key) is None
