"""GNU tar unpacks what is exported: an ordinary user all of it, root with all times."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.images.export import named, write_tar
from nacre.testing.members import file, folder, hardlink, symlink
from tests.peers.tools import require_tool
from tests.peers.user import User, do_as, folder_for, ordinary_user
from tests.unit.images.shelves import tree_of

pytestmark = pytest.mark.root

LAYERS = (
    [
        folder("./", mtime=1),
        folder("ro", 0o555, mtime=2),
        file("ro/f", b"f", mtime=3),
        folder("ro/sub", 0o555, mtime=4),
        file("ro/sub/g", b"g", mtime=5),
        folder("z", mtime=6),
    ],
    [file("z/late", b"late"), hardlink("z/h", "ro/sub/g"), symlink("ro/sub/l", "/etc")],
)
TIMES = {".": 1, "ro": 2, "ro/sub": 4, "z": 6}


@pytest.fixture(params=[True, False], ids=["compressed", "raw"])
def tar(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    tree = tree_of(tmp_path / "store", *LAYERS, compressed=request.param)
    with (tmp_path / "out.tar").open("wb") as out:
        write_tar(out, named(tree.tree, tree.tree.root), tree.layers)
    return tmp_path / "out.tar"


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with ordinary_user() as one:
        yield one


def unpack(tar: bytes, folder: Path) -> None:
    command = [require_tool("tar"), "-xpf", "-", "-C", str(folder)]
    done = subprocess.run(command, input=tar, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def assert_is_the_tree(folder: Path) -> None:
    assert {name: (folder / name).stat().st_mtime for name in TIMES} == TIMES
    assert stat.S_IMODE((folder / "ro/sub").stat().st_mode) == 0o555
    assert (folder / "ro/sub/g").samefile(folder / "z/h")
    assert os.readlink(folder / "ro/sub/l") == "/etc"


def test_root_gets_all_times(tar: Path, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    unpack(tar.read_bytes(), tmp_path / "tree")
    assert_is_the_tree(tmp_path / "tree")


def test_an_ordinary_user_gets_what_is_in_read_only_directories(tar: Path, user: User) -> None:
    data = tar.read_bytes()
    with folder_for(user) as base:
        do_as(user, lambda: unpack(data, base))
        assert_is_the_tree(base)
