"""Files copied out of an image by an ordinary user."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.errors import Denied
from nacre.images.takeout import Destination, TakenOut, take_out
from nacre.images.tree import ImageTree
from nacre.layers.entry import Kind
from tests.integration.ordinary_user import UID, as_user
from tests.unit.images.shelves import tree_of
from tests.unit.layers.stacks import file, folder, hardlink, special, symlink

pytestmark = pytest.mark.root

MEMBERS = [
    folder("d", 0o555, uid=5, gid=6),
    file("d/secret", b"secret", mode=0o400, uid=7, gid=8, xattrs=((b"user.a", b"1"),)),
    file("d/su", b"#!", mode=0o4711),
    hardlink("d/again", "d/secret"),
    symlink("d/link", "/etc/shadow", uid=9),
    folder("d/locked", 0o000, uid=3),
    file("d/locked/in", b"in"),
    special("d/pipe", Kind.FIFO),
    special("d/null", Kind.CHR, devmajor=1, devminor=3),
]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of the user's."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        place = Path(made, "home")
        place.mkdir()
        os.chown(place, UID, UID)
        yield place


@pytest.fixture
def tree(home: Path) -> ImageTree:
    """The tree of an image that is in the user's store."""
    return as_user(lambda: tree_of(home / "store", MEMBERS))


def test_all_is_the_users_and_whole(tree: ImageTree, home: Path) -> None:
    def take() -> TakenOut:
        return take_out(tree.tree, tree.find(b"d"), tree.layers, Destination(home, b"copy"))

    taken = as_user(take)
    copy = home / "copy"
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in copy.rglob("*")} == {(UID, UID)}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o555
    assert stat.S_IMODE((copy / "secret").stat().st_mode) == 0o400
    assert stat.S_IMODE((copy / "su").stat().st_mode) == 0o711
    assert stat.S_IMODE((copy / "locked").stat().st_mode) == 0
    assert (copy / "locked/in").read_bytes() == b"in"
    assert (copy / "again").samefile(copy / "secret")
    assert [(loss.what, loss.members) for loss in taken.losses] == [("device", 1)]


def test_an_archive_needs_root_and_leaves_nothing(tree: ImageTree, home: Path) -> None:
    def take() -> None:
        place = Destination(home, b"copy")
        take_out(tree.tree, tree.find(b"d"), tree.layers, place, archive=True)

    with pytest.raises(Denied):
        as_user(take)
    assert sorted(path.name for path in home.iterdir()) == ["store"]


def test_a_folder_of_somebody_else_is_refused(tree: ImageTree, home: Path) -> None:
    def take() -> None:
        take_out(tree.tree, tree.find(b"d"), tree.layers, Destination(home.parent, b"copy"))

    with pytest.raises(Denied, match="no permission to write to"):
        as_user(take)


def test_a_folder_that_the_user_locked_stays_locked(tree: ImageTree, home: Path) -> None:
    (home / "mine").mkdir(0o555)
    os.chown(home / "mine", UID, UID)

    def take() -> None:
        take_out(tree.tree, tree.find(b"d"), tree.layers, Destination(home / "mine", b""))

    with pytest.raises(Denied):
        as_user(take)
    assert list((home / "mine").iterdir()) == []
