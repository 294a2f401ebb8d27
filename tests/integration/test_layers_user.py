"""Layers unpacked and packed by an ordinary user, without a user namespace."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from nacre.layers.apply import Applier, Forbidden
from nacre.layers.diff import Unreadable, tree_changes, write_layer
from nacre.layers.entry import Entry, Kind
from nacre.layers.ownership import KEEP, RECORDED
from nacre.layers.rootpath import Root
from nacre.layers.tar import scan
from nacre.layers.whiteout import Overlay
from tests.integration.ordinary_user import UID, as_user
from tests.unit.layers.stacks import (
    Member,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
    tar_of,
)
from tests.unit.layers.trees import apply, is_whiteout, mode, open_files_unchanged, paths

pytestmark = pytest.mark.root


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder of the user's, which pytest's are not."""
    with TemporaryDirectory() as name, open_files_unchanged():
        os.chmod(name, 0o755)
        home = Path(name) / "home"
        home.mkdir()
        os.chown(home, UID, UID)
        yield home


@pytest.fixture
def tree(home: Path) -> Path:
    def make() -> Path:
        (home / "tree").mkdir()
        return home / "tree"

    return as_user(make)


def packed(tree: Path) -> bytes:
    out = io.BytesIO()
    with Root.open(tree) as root:
        write_layer(out, root, tree_changes(None, root), ownership=RECORDED)
    return out.getvalue()


def applied(tree: Path, *members: Member, overlay: Overlay | None = None) -> list[str]:
    result = as_user(lambda: apply(tree, *members, ownership=RECORDED, overlay=overlay))
    return [f"{loss.what}: {loss.members}" for loss in result.losses]


def test_owners_survive_the_way_through_a_tree(tree: Path) -> None:
    applied(tree, file("a", b"x", uid=1000, gid=7), folder("d", uid=5), file("d/root"))
    assert {path.lstat().st_uid for path in tree.rglob("*")} == {UID}
    found = {entry.name: (entry.uid, entry.gid) for entry in scan(as_user(lambda: packed(tree)))}
    assert found == {b"./": (0, 0), b"a": (1000, 7), b"d/": (5, 0), b"d/root": (0, 0)}


def test_devices_are_left_away_and_counted(tree: Path) -> None:
    null = special("dev/null", Kind.CHR, devmajor=1, devminor=3)
    members = [null, hardlink("dev/zero", "dev/null"), special("dev/sda", Kind.BLK, devmajor=8)]
    assert applied(tree, *members, special("pipe", Kind.FIFO)) == ["device: 2"]
    assert paths(tree) == ["dev/", "pipe"]


def test_attributes_of_the_privileged_are_left_away_and_counted(tree: Path) -> None:
    given = ((b"security.capability", b"\1\0\0\2" + bytes(16)), (b"trusted.a", b"1"))
    lost = applied(tree, file("a", xattrs=(*given, (b"user.b", b"2"))))
    assert lost == ["xattr security.capability: 1", "xattr trusted.a: 1"]
    assert os.getxattr(tree / "a", "user.b") == b"2"


LOCKED = [
    *(folder("a", 0o000, mtime=5), folder("a/b", 0o555, mtime=6), folder("a/b/c", 0o111, mtime=7)),
    *(file("a/b/f", b"x" * 2000, mode=0o000), file("a/b/c/g", b"y", mode=0o444)),
]


def test_directories_that_forbid_it_are_filled(tree: Path) -> None:
    applied(tree, *LOCKED)
    assert paths(tree) == ["a/", "a/b/", "a/b/c/", "a/b/c/g", "a/b/f"]
    assert [mode(tree / name) for name in ("a", "a/b", "a/b/c", "a/b/f")] == [
        *(0o000, 0o555, 0o111, 0o000)
    ]
    assert [(tree / name).stat().st_mtime for name in ("a", "a/b", "a/b/c")] == [5, 6, 7]


def test_directories_of_lower_layers_that_forbid_it_are_changed(tree: Path) -> None:
    applied(tree, *LOCKED)
    applied(tree, file("a/b/c/new"), gone("a/b/f"), hardlink("h", "a/b/c/g"))
    assert paths(tree) == ["a/", "a/b/", "a/b/c/", "a/b/c/g", "a/b/c/new", "h"]
    assert [mode(tree / name) for name in ("a", "a/b", "a/b/c")] == [0o000, 0o555, 0o111]
    assert [(tree / name).stat().st_mtime for name in ("a", "a/b", "a/b/c")] == [5, 6, 7]


@pytest.mark.parametrize(
    "members", [[gone("a")], [file("a")], [opaque()], [folder("a/b", 0o700), opaque("a")]]
)
def test_trees_that_forbid_it_are_removed(tree: Path, members: list[Member]) -> None:
    applied(tree, *LOCKED)
    applied(tree, *members)
    assert not (tree / "a" / "b" / "c").exists()


def test_a_directory_that_forbids_it_may_be_listed_again(tree: Path) -> None:
    applied(tree, *LOCKED)
    applied(tree, folder("a", 0o500), folder("a/b", 0o511), file("a/b/new"))
    assert (mode(tree / "a"), mode(tree / "a" / "b")) == (0o500, 0o511)
    assert (tree / "a" / "b" / "new").exists()


def test_what_is_locked_is_packed_and_stays_locked(tree: Path, home: Path) -> None:
    applied(tree, folder("./", mtime=9), *LOCKED)
    # The attribute that records an owner is as locked as the content.
    applied(tree, file("secret", b"z", mode=0o000, uid=5), folder("cave", 0o111, uid=6))
    tar = as_user(lambda: packed(tree))
    assert [mode(tree / name) for name in ("secret", "cave")] == [0o000, 0o111]
    assert [mode(tree / name) for name in ("a", "a/b", "a/b/c", "a/b/f")] == [
        *(0o000, 0o555, 0o111, 0o000)
    ]
    found = {entry.name: (entry.mode, entry.uid) for entry in scan(tar)}
    assert found[b"a/"] == found[b"a/b/f"] == (0o000, 0)
    assert (found[b"secret"], found[b"cave/"]) == ((0o000, 5), (0o111, 6))
    again = home / "again"
    as_user(again.mkdir)
    as_user(lambda: _apply_tar(again, tar))
    assert as_user(lambda: packed(again)) == tar


def _apply_tar(tree: Path, tar: bytes) -> None:
    with Root.open(tree) as root, Applier(root, ownership=RECORDED) as applier:
        applier.feed(tar)
        applier.finish()


def test_a_layer_is_converted_without_privileges(tree: Path) -> None:
    members = [folder("a", 0o555), gone("a/b"), folder("c", 0o000), opaque("c"), file("c/x")]
    assert applied(tree, *members, overlay=Overlay.USER) == []
    assert is_whiteout(tree / "a" / "b")
    assert os.getxattr(tree / "c", "user.overlay.opaque") == b"y"
    assert (mode(tree / "a"), mode(tree / "c")) == (0o555, 0o000)


def test_who_may_not_give_files_away_is_told(tree: Path) -> None:
    tar = tar_of([file("a", uid=0)])
    with pytest.raises(Forbidden, match="cannot unpack 'a': Operation not permitted") as caught:
        as_user(lambda: _keep(tree, tar))
    assert caught.value.remedy == "unpack to a folder of your own"


def _keep(tree: Path, tar: bytes) -> None:
    with Root.open(tree) as root, Applier(root, ownership=KEEP) as applier:
        applier.feed(tar)


def test_a_tree_of_somebody_else_is_not_unpacked_to(home: Path) -> None:
    other = home.parent / "other"
    other.mkdir()
    with pytest.raises(Forbidden):
        applied(other, file("a/b"))
    assert list(other.iterdir()) == []
    assert mode(other) == 0o755


def test_what_is_somebody_elses_cannot_be_read(home: Path) -> None:
    other = home.parent / "other"
    (other / "secret").mkdir(parents=True)
    (other / "secret").chmod(0o700)
    with pytest.raises(Unreadable, match="cannot read 'secret'"):
        as_user(lambda: packed(other))
    assert stat.S_IMODE((other / "secret").stat().st_mode) == 0o700


def test_links_and_owners_that_cannot_be_recorded_become_roots(tree: Path) -> None:
    applied(tree, symlink("s", "x", uid=5), special("p", Kind.FIFO, uid=6))
    entries: list[Entry] = scan(as_user(lambda: packed(tree)))
    assert {entry.name: entry.uid for entry in entries} == {b"./": 0, b"s": 0, b"p": 0}
