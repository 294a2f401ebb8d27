from __future__ import annotations

import pytest

from nacre.errors import Invalid, NotFound
from nacre.layers.entry import Kind
from nacre.layers.union import NoSuchPath, TooManyLinks
from tests.unit.layers.stacks import Stack, file, folder, hardlink, symlink

STACK = Stack(
    [
        folder("./", 0o755, uid=5),
        *(file("usr/bin/dash", b"dash"), symlink("usr/bin/sh", "dash"), symlink("bin", "usr/bin")),
        *(symlink("abs", "/usr"), symlink("up", "../../usr/bin/../bin"), symlink("dead", "/no")),
        *(symlink("x", "y"), symlink("y", "x"), symlink("self", "self"), symlink("slash", "bin/")),
        hardlink("ash", "usr/bin/dash"),
    ]
)
TREE = STACK.tree


@pytest.mark.parametrize(
    "path",
    [
        *("usr/bin/dash", "/usr/bin/dash", "//usr//bin/./dash", "usr/bin/sh", "bin/sh", "ash"),
        *("abs/bin/sh", "up/sh", "usr/../bin/sh", "../../bin/sh", "bin/../bin/sh", "slash/sh"),
    ],
)
def test_paths_lead_to_a_file(path: str) -> None:
    assert TREE.resolve(path.encode()) is TREE.resolve(b"usr/bin/dash")
    assert STACK.read(path) == b"dash"


@pytest.mark.parametrize("path", ["", "/", ".", "..", "usr/..", "usr/bin/../..", "bin/../.."])
def test_paths_lead_to_the_root(path: str) -> None:
    assert TREE.resolve(path.encode()) is TREE.root
    assert TREE.root.uid == 5


def test_dots_go_up_from_where_a_link_led() -> None:
    assert TREE.resolve(b"bin/..") is TREE.resolve(b"usr")


def test_the_last_link_is_followed_on_demand() -> None:
    assert TREE.resolve(b"bin/sh", follow=False).linkname == b"dash"
    assert TREE.resolve(b"bin", follow=False).kind is Kind.SYMLINK
    assert TREE.resolve(b"bin/", follow=False).kind is Kind.DIR
    assert TREE.resolve(b"x", follow=False).linkname == b"y"


@pytest.mark.parametrize("path", ["no", "usr/no", "dead", "usr/bin/no/more", "usr/bin/-"])
def test_what_is_not_there_is_told(path: str) -> None:
    with pytest.raises(NoSuchPath, match="no such path") as caught:
        TREE.resolve(path.encode())
    assert repr(path) in str(caught.value)
    assert caught.value.path == path.encode()
    assert isinstance(caught.value, NotFound)


@pytest.mark.parametrize("path", ["ash/x", "ash/", "ash/..", "bin/sh/.", "usr/bin/dash/x/y"])
def test_what_is_no_directory_is_told(path: str) -> None:
    with pytest.raises(NoSuchPath, match=r"'(ash|dash)' in it is no directory"):
        TREE.resolve(path.encode())


@pytest.mark.parametrize("path", ["x", "self", "x/more", "self/more"])
def test_circles_are_told(path: str) -> None:
    with pytest.raises(TooManyLinks, match=f"'{path}'") as caught:
        TREE.resolve(path.encode())
    assert isinstance(caught.value, Invalid)


def test_a_walk_may_begin_anywhere() -> None:
    usr = TREE.resolve(b"usr")
    assert [path for path, _ in TREE.walk(usr)] == [b"", b"bin", b"bin/dash", b"bin/sh"]
    assert [path for path, _ in TREE.walk(usr, b"usr")][:2] == [b"usr", b"usr/bin"]
    assert [node for _, node in TREE.walk(TREE.resolve(b"ash"))] == [TREE.resolve(b"ash")]


def test_looking_changes_nothing() -> None:
    before = STACK.paths()
    with pytest.raises(NoSuchPath):
        TREE.resolve(b"usr/new/file")
    assert STACK.paths() == before


def test_deep_trees_are_walked() -> None:
    deep = Stack([folder("d/" * 400)])
    assert len(deep.paths()) == 400
