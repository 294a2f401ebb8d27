"""What the kernel is asked to mount appears, and what it refuses is told in our words."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from nacre.erofs.inode import Device, Inode
from nacre.erofs.source import InodeTree
from nacre.erofs.writer import write_image
from nacre.errors import Conflict, Denied, NotFound, Unsupported
from nacre.layers.entry import Kind
from nacre.storage.mounting import (
    MountFailed,
    bind,
    mount_erofs,
    mount_overlay,
    mounts,
    unmount,
)
from tests.integration.mounts import small_disk
from tests.integration.ordinary_user import as_user
from tests.peers.mounting import nothing_stays_mounted

pytestmark = pytest.mark.root

# Everything that options, lists of mounts or the shell give a meaning to.
ODD = "a b,c:d\\e\\:f\n#\t'\"\N{SNOWMAN}"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing may stay mounted; ``at`` in it is an empty one."""
    (tmp_path / "at").mkdir()
    with nothing_stays_mounted(tmp_path):
        yield tmp_path


def image(path: Path, devices: int = 1) -> Path:
    """Write an image with the file ``x`` of three bytes on its first device."""
    children = {b"x": Inode(Kind.REG, size=3)} if devices else {}
    with path.open("wb") as out:
        write_image(
            out,
            InodeTree(Inode(Kind.DIR, 0o755, children=children)),
            [Device(b"%d" % number, 512) for number in range(devices)],
        )
    return path


def device(path: Path) -> Path:
    path.write_bytes(b"abc".ljust(512, b"\0"))
    return path


def folders(place: Path, count: int, name: str = "lower") -> list[Path]:
    """Make folders, each with a file that says which one it is."""
    made = [place / f"{name}{number}" for number in range(count)]
    for number, folder in enumerate(made):
        folder.mkdir()
        (folder / f"file{number}").write_text(str(number))
        (folder / "same").write_text(str(number))
    return made


def deep(place: Path) -> Path:
    """Make a folder whose path is longer than the newer calls take."""
    folder = place.joinpath(*["d" * 100] * 4)
    folder.mkdir(parents=True)
    return folder


def test_an_image_appears_read_only(place: Path) -> None:
    at = place / "at"
    mount_erofs(image(place / "i"), [device(place / "d")], at)
    (found,) = [mount for mount in mounts() if mount.point == at]
    assert (at / "x").read_bytes() == b"abc"
    assert (found.kind, found.source, found.root) == ("erofs", str(place / "i"), Path("/"))
    assert found.device == at.stat().st_dev
    with pytest.raises(OSError, match="Read-only"):
        (at / "y").touch()
    unmount(at)
    assert list(at.iterdir()) == []


@pytest.mark.parametrize("make", [lambda place: place / ODD, deep], ids=["odd", "deep"])
def test_an_image_with_any_path(place: Path, make: object) -> None:
    assert callable(make)
    folder: Path = make(place)
    folder.mkdir(exist_ok=True)
    at = folder / "at"
    at.mkdir()
    mount_erofs(image(folder / "i"), [device(folder / "d")], at)
    assert (at / "x").read_bytes() == b"abc"
    unmount(at)


def test_thousands_of_devices(place: Path) -> None:
    device(place / "d")
    mount_erofs(image(place / "i", 5000), [place / "d"] * 5000, place / "at")
    assert (place / "at" / "x").read_bytes() == b"abc"
    unmount(place / "at")


def test_a_wrong_number_of_devices(place: Path) -> None:
    with pytest.raises(MountFailed, match="cannot mount .*: Invalid argument") as caught:
        mount_erofs(image(place / "i"), [device(place / "d")] * 2, place / "at")
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("missing", ["i", "d", "at"])
def test_what_does_not_exist(place: Path, missing: str) -> None:
    image(place / "i")
    device(place / "d")
    (place / missing).rename(place / "elsewhere")
    with pytest.raises(NotFound, match="No such file"):
        mount_erofs(place / "i", [place / "d"], place / "at")


def test_an_image_in_memory_is_refused_with_a_remedy(place: Path) -> None:
    with (
        small_disk(place / "memory", 1 << 20) as memory,
        pytest.raises(Unsupported, match="from a file on the file system of") as caught,
    ):
        mount_erofs(image(memory / "i"), [device(place / "d")], place / "at")
    assert "ext4" in caught.value.remedy


def test_its_devices_may_lie_in_memory(place: Path) -> None:
    with small_disk(place / "memory", 1 << 20) as memory:
        mount_erofs(image(place / "i"), [device(memory / "d")], place / "at")
        assert (place / "at" / "x").read_bytes() == b"abc"
        unmount(place / "at")


@pytest.mark.parametrize("count", [1, 2, 100, 400])
def test_folders_are_stacked_the_first_on_top(place: Path, count: int) -> None:
    lowers = [*folders(place, count), place / "lower0"][: max(count, 2)]
    mount_overlay(lowers if count > 1 else [*lowers[:1], place / "at"], place / "at")
    assert (place / "at" / "same").read_text() == "0"
    assert len(list((place / "at").iterdir())) == count + 1
    unmount(place / "at")


@pytest.mark.parametrize("count", [1, 300], ids=["few", "many"])
@pytest.mark.parametrize("make", [lambda place: place / ODD, deep], ids=["odd", "deep"])
def test_writable_folders_with_any_path(place: Path, make: object, count: int) -> None:
    assert callable(make)
    home: Path = make(place)
    home.mkdir(exist_ok=True)
    upper, work = home / "upper", home / "work"
    upper.mkdir()
    work.mkdir()
    options = ("redirect_dir=off", "metacopy=off", "index=off", "xino=on")
    lowers = folders(home, count)
    mount_overlay(lowers, place / "at", upper=upper, work=work, options=options)
    (place / "at" / "new").write_text("new")
    (place / "at" / "file0").unlink()
    unmount(place / "at")
    assert (upper / "new").read_text() == "new"
    assert (upper / "file0").is_char_device()
    assert (lowers[0] / "file0").exists()


def test_what_overlayfs_complains_of_is_told(place: Path) -> None:
    with pytest.raises(MountFailed, match="overlay: too many lower directories"):
        mount_overlay(folders(place, 600), place / "at")


@pytest.mark.parametrize("count", [2, 400])
def test_an_unknown_option(place: Path, count: int) -> None:
    with pytest.raises(MountFailed, match=r"cannot mount .*at"):
        mount_overlay(folders(place, count), place / "at", options=["nonsense=1"])


def test_a_bind_mount_shows_the_same_without_devices_and_set_user_id(place: Path) -> None:
    source, at = *folders(place, 1), place / "at"
    bind(source, at)
    (found,) = [mount for mount in mounts() if mount.point == at]
    assert found.options >= {"ro", "nosuid", "nodev"}
    assert (at / "same").read_text() == "0"
    with pytest.raises(OSError, match="Read-only"):
        (at / "new").touch()
    (source / "new").touch()
    unmount(at)


def test_a_bind_mount_to_write_in(place: Path) -> None:
    source, at = *folders(place, 1), place / "at"
    bind(source, at, read_only=False)
    (at / "new").touch()
    unmount(at)
    assert (source / "new").exists()


@pytest.mark.parametrize(("source", "at"), [("none", "at"), ("at", "none")])
def test_a_bind_mount_of_nothing(place: Path, source: str, at: str) -> None:
    with pytest.raises(NotFound):
        bind(place / source, place / at)


def test_what_is_in_use_is_not_unmounted(place: Path) -> None:
    source, at = *folders(place, 1), place / "at"
    bind(source, at)
    with (at / "same").open():
        with pytest.raises(Conflict, match="is in use"):
            unmount(at)
        unmount(at, lazy=True)
        assert list(at.iterdir()) == []


@pytest.mark.parametrize("name", ["at", "none"])
def test_nothing_to_unmount(place: Path, name: str) -> None:
    with pytest.raises(NotFound, match="nothing is mounted at"):
        unmount(place / name)


def test_a_link_to_a_mount_is_none(place: Path) -> None:
    (source,) = folders(place, 1)
    bind(source, place / "at")
    (place / "link").symlink_to("at")
    with pytest.raises(NotFound):
        unmount(place / "link")
    unmount(place / "at")


def test_an_ordinary_user_is_told_to_be_root(place: Path) -> None:
    image(place / "i")
    lowers: Sequence[Path] = folders(place, 400)
    for number, attempt in enumerate(
        (
            lambda: mount_erofs(place / "i", [], place / "at"),
            lambda: mount_overlay(lowers[:2], place / "at"),
            lambda: mount_overlay(lowers, place / "at"),
            lambda: bind(place, place / "at"),
            lambda: unmount(place / "at"),
        )
    ):
        with pytest.raises(Denied) as caught:
            as_user(attempt)
        assert caught.value.remedy, number


@pytest.mark.parametrize("kind", ["erofs", "few", "many", "bind"])
def test_mounts_are_private_where_those_around_are_shared(place: Path, kind: str) -> None:
    """What is mounted inside of one does not appear in another."""
    outside, at = place / "outside", place / "at"
    outside.mkdir()
    subprocess.run(["mount", "--bind", outside, outside], check=True)
    subprocess.run(["mount", "--make-shared", outside], check=True)
    try:
        (outside / "at").mkdir()
        at = outside / "at"
        if kind == "erofs":
            mount_erofs(image(place / "i"), [device(place / "d")], at)
        elif kind == "bind":
            bind(place, at)
        else:
            mount_overlay(folders(place, 2 if kind == "few" else 400), at)
        info = Path("/proc/self/mountinfo").read_text().splitlines()
        (line,) = [line for line in info if line.split()[4] == str(at)]
        assert "shared:" not in line
        unmount(at)
    finally:
        subprocess.run(["umount", "-R", outside], check=True)
    assert os.listdir(outside) == ["at"]
