"""The changes between two trees; the names in capitals are containerd's (archive/tar_test.go)."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from nacre.layers.diff import Change, ChangeKind, Unreadable, Unstorable
from nacre.layers.errors import NoSuchPath
from tests.unit.layers.stacks import file, folder, gone, hardlink, symlink
from tests.unit.layers.trees import (
    apply,
    apply_tar,
    changes,
    layer,
    letters,
    open_files_unchanged,
    packed,
    paths,
    unlocked,
)

LINKED = file("f1", b"link me")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return tmp_path / "old"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "new"


@pytest.fixture
def both(old: Path, new: Path) -> Callable[..., None]:
    """Makes two trees of the same members, linked as they are."""

    def make(*members: object) -> None:
        for tree in (old, new):
            tree.mkdir()
            apply(tree, folder("./"), *members)  # type: ignore[arg-type]

    return make


def names(old: Path | None, new: Path) -> list[str]:
    return [entry.name.decode() for entry in packed(new, old)]


def test_the_same_tree_has_no_changes(both: Callable[..., None], old: Path, new: Path) -> None:
    both(folder("a"), file("a/b", b"x"), hardlink("a/c", "a/b"), symlink("s", "a"))
    assert changes(old, new) == []
    assert packed(new, old) == []


def test_everything_is_added_to_no_tree(both: Callable[..., None], new: Path) -> None:
    both(folder("b"), file("b/x"), file("a"))
    assert changes(None, new) == [
        Change(ChangeKind.ADDED, path) for path in (b"", b"a", b"b", b"b/x")
    ]
    assert names(None, new) == ["./", "a", "b/", "b/x"]


def test_each_kind_of_change_has_its_letter(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(folder("d"), file("d/gone"), file("d/kept"), file("changed", b"1"))
    (new / "d" / "gone").unlink()
    (new / "d" / "added").touch()
    (new / "changed").write_text("longer")
    assert letters(changes(old, new)) == ["C /changed", "C /d", "D /d/gone", "A /d/added"]


# What makes a path the same


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: path.chmod(0o600), id="mode"),
        pytest.param(lambda path: path.chmod(0o4644), id="set-user-ID"),
        pytest.param(lambda path: path.write_bytes(b"longer"), id="size"),
        pytest.param(lambda path: os.utime(path, (5, 5)), id="time"),
        pytest.param(lambda path: os.setxattr(path, "user.a", b"1"), id="attribute"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), id="kind"),
        pytest.param(make_pipe, id="pipe"),
    ],
)
def test_what_changes_a_file(
    both: Callable[..., None], old: Path, new: Path, change: Callable[[Path], object]
) -> None:
    both(file("f", b"x"))
    change(new / "f")
    assert letters(changes(old, new)) == ["C /f"]


def test_a_link_with_another_target_changed(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(symlink("s", "aaa"))
    (new / "s").unlink()
    (new / "s").symlink_to("bbb")
    os.utime(new / "s", (0, 0), follow_symlinks=False)
    assert letters(changes(old, new)) == ["C /s"]


def test_access_and_names_of_others_do_not_count(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(file("f", b"x"), folder("d"))
    os.utime(new / "f", (12345, 0))
    assert changes(old, new) == []


def test_size_and_time_of_a_directory_do_not_count(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(folder("d"), file("d/f"))
    os.utime(new / "d", (5, 5))
    assert changes(old, new) == []


def test_times_cut_to_seconds_leave_it_to_the_content(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(file("same", b"x" * 3000), file("other", b"1"))
    (new / "other").write_bytes(b"2")
    for name in ("same", "other"):
        os.utime(old / name, ns=(0, 7_000_000_001))
        os.utime(new / name, ns=(0, 7_000_000_000))
    assert letters(changes(old, new)) == ["C /other"]


def test_times_with_other_nanoseconds_differ(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(file("f", b"x"))
    os.utime(old / "f", ns=(0, 7_000_000_001))
    os.utime(new / "f", ns=(0, 7_000_000_002))
    assert letters(changes(old, new)) == ["C /f"]


# What is listed, and where


def test_a_deleted_tree_is_one_whiteout(both: Callable[..., None], old: Path, new: Path) -> None:
    both(folder("d"), folder("d/e"), file("d/e/f"), file("d/g"))
    shutil.rmtree(new / "d")
    assert names(old, new) == [".wh.d"]


def test_a_type_change_is_one_entry(both: Callable[..., None], old: Path, new: Path) -> None:
    both(folder("d"), file("d/x"), file("f"))
    shutil.rmtree(new / "d")
    (new / "d").touch()
    (new / "f").unlink()
    (new / "f").mkdir()
    (new / "f" / "y").touch()
    assert names(old, new) == ["d", "f/", "f/y"]


def test_parents_come_once_and_before_what_is_in_them(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(folder("a"), folder("a/b"), file("a/b/1"), file("a/b/2"), folder("a/c"))
    for name in ("1", "2", "3"):
        (new / "a" / "b" / name).write_text("changed")
    assert names(old, new) == ["a/", "a/b/", "a/b/1", "a/b/2", "a/b/3"]


def test_deletions_come_before_their_siblings(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(folder("d"), file("d/z"), file("d/m"))
    (new / "d" / "z").unlink()
    (new / "d" / "a").touch()
    (new / "d" / "m").write_text("x")
    assert names(old, new) == ["d/", "d/.wh.z", "d/a", "d/m"]


def test_names_are_sorted_as_bytes_directory_by_directory(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both()
    for name in ("a", "a-b", "ä", "Z", "b"):
        (new / name).mkdir()
        (new / name / "x").touch()
    assert names(old, new) == [
        *("Z/", "Z/x", "a/", "a/x", "a-b/", "a-b/x", "b/", "b/x", "ä/", "ä/x")
    ]


def test_the_root_is_never_listed(both: Callable[..., None], old: Path, new: Path) -> None:
    both(folder("d"))
    new.chmod(0o711)
    assert changes(old, new) == []
    (new / "d" / "x").touch()
    assert letters(changes(old, new)) == ["C /d", "A /d/x"]


def test_without_an_old_tree_it_is(both: Callable[..., None], new: Path) -> None:
    both(folder("d"))
    assert letters(changes(None, new)) == ["A /", "A /d"]


# containerd's cases


def test_empty_diff(both: Callable[..., None], old: Path, new: Path) -> None:
    both(folder("etc"))
    assert names(old, new) == []


def test_parent_inclusion(both: Callable[..., None], old: Path, new: Path) -> None:
    both(folder("d1", 0o755), folder("d2", 0o770))
    (new / "d1" / "d").mkdir(mode=0o700)
    (new / "d2" / "f").write_text("ok")
    assert names(old, new) == ["d1/", "d1/d/", "d2/", "d2/f"]
    assert [entry.mode for entry in packed(new, old)][:3] == [0o755, 0o700, 0o770]


def test_hardlink_parent_inclusion(both: Callable[..., None], old: Path, new: Path) -> None:
    both(
        *(folder("d1"), file("d1/f1", b"link me"), folder("d2"), file("d2/f1", b"link me")),
        *(folder("d3"), folder("d4"), file("d4/f1", b"link me")),
        *(folder("d5"), file("d5/f1", b"link me"), folder("d6")),
        *(hardlink("d6/l1", "d1/f1"), hardlink("d6/l2", "d5/f1")),
    )
    os.link(new / "d1" / "f1", new / "d2" / "l1")
    os.link(new / "d4" / "f1", new / "d3" / "l1")
    (new / "d6" / "l1").unlink()
    (new / "d6" / "l2").unlink()
    found = [(entry.name.decode(), entry.linkname.decode()) for entry in packed(new, old)]
    assert found == [
        *(("d1/", ""), ("d1/f1", ""), ("d2/", ""), ("d2/l1", "d1/f1")),
        *(("d3/", ""), ("d3/l1", ""), ("d4/", ""), ("d4/f1", "d3/l1")),
        *(("d6/", ""), ("d6/.wh.l1", ""), ("d6/.wh.l2", "")),
    ]


def test_update_directory_permission(both: Callable[..., None], old: Path, new: Path) -> None:
    both(folder("d1", 0o755), folder("d2", 0o770))
    (new / "d1").chmod(0o777)
    (new / "d1" / "d").mkdir(mode=0o700)
    (new / "d2" / "f").write_text("ok")
    assert names(old, new) == ["d1/", "d1/d/", "d2/", "d2/f"]
    assert packed(new, old)[0].mode == 0o777


def test_hardlink_updated_parent(both: Callable[..., None], old: Path, new: Path) -> None:
    both(
        *(folder("d1", 0o755), file("d1/f1", b"link me"), folder("d2", 0o755)),
        *(folder("d3", 0o755), file("d3/f1", b"link me"), folder("d4", 0o755)),
    )
    (new / "d1").chmod(0o777)
    os.link(new / "d1" / "f1", new / "d2" / "l1")
    (new / "d4").chmod(0o777)
    os.link(new / "d3" / "f1", new / "d4" / "l1")
    assert names(old, new) == [*("d1/", "d1/f1", "d2/", "d2/l1", "d3/", "d3/f1", "d4/", "d4/l1")]


def test_whiteout_includes_parents(both: Callable[..., None], old: Path, new: Path) -> None:
    members = [member for d in "1234" for member in (folder(f"d{d}"), file(f"d{d}/f1", b"c"))]
    both(*members, file("d2/f2", b"c"), folder("d5"), file("d5/f1"))
    for directory in "1234":
        (new / f"d{directory}" / "f1").unlink()
    (new / "d2" / "f2").chmod(0o777)
    (new / "d3" / "f2").write_text("content")
    (new / "d4" / "f0").write_text("content")
    shutil.rmtree(new / "d5")
    assert names(old, new) == [
        *(".wh.d5", "d1/", "d1/.wh.f1", "d2/", "d2/.wh.f1", "d2/f2"),
        *("d3/", "d3/.wh.f1", "d3/f2", "d4/", "d4/.wh.f1", "d4/f0"),
    ]


def test_whiteout_parent_removal(both: Callable[..., None], old: Path, new: Path) -> None:
    both(folder("d1"), folder("d2"), file("d2/f1"))
    shutil.rmtree(new / "d1")
    shutil.rmtree(new / "d2")
    (new / "d3").mkdir()
    assert names(old, new) == [".wh.d1", ".wh.d2", "d3/"]


def test_ignore_sockets(
    both: Callable[..., None], old: Path, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both(file("f1"))
    monkeypatch.chdir(new)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s0")
        (new / "f2").touch()
        assert names(old, new) == ["f2"]
        assert b"s0" not in [change.path for change in changes(None, new)]
        # A file that a socket took the place of is gone.
        (new / "f1").unlink()
        (new / "s0").rename(new / "f1")
        assert names(old, new) == [".wh.f1", "f2"]


# Hard links


def test_a_changed_set_of_links_is_listed_whole(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(file("a", b"x"), hardlink("b", "a"), hardlink("c", "a"), file("other"))
    (new / "b").write_text("changed")
    found = [(entry.name, entry.kind.name, entry.linkname) for entry in packed(new, old)]
    assert found == [(b"a", "REG", b""), (b"b", "LINK", b"a"), (b"c", "LINK", b"a")]


def test_one_name_less_leaves_the_others_alone(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(file("a", b"x"), hardlink("b", "a"), hardlink("c", "a"))
    (new / "a").unlink()
    assert names(old, new) == [".wh.a"]


def test_files_that_were_joined_are_listed(both: Callable[..., None], old: Path, new: Path) -> None:
    both(file("a", b"x"), file("b", b"x"))
    (new / "b").unlink()
    os.link(new / "a", new / "b")
    assert names(old, new) == ["a", "b"]


def test_links_that_were_separated_are_listed(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(file("a", b"x"), hardlink("b", "a"), hardlink("c", "a"))
    (new / "b").unlink()
    shutil.copy2(new / "a", new / "b")
    after = new.parent / "after"
    shutil.copytree(old, after, symlinks=True)
    (after / "b").unlink()
    (after / "c").unlink()
    os.link(after / "a", after / "b")
    os.link(after / "a", after / "c")
    apply_tar(after, layer(new, changes(old, new)))
    assert changes(new, after) == []
    assert (after / "b").stat().st_nlink == 1
    assert (after / "a").stat().st_nlink == 2


def test_symlinks_may_be_linked_too(both: Callable[..., None], old: Path, new: Path) -> None:
    both()
    (new / "a").symlink_to("x")
    os.link(new / "a", new / "b", follow_symlinks=False)
    assert [entry.kind.name for entry in packed(new, old)] == ["SYMLINK", "LINK"]


# What cannot be


def test_a_name_that_would_be_a_whiteout_is_refused(
    both: Callable[..., None], old: Path, new: Path
) -> None:
    both(folder("d"))
    (new / "d" / ".wh.x").touch()
    with open_files_unchanged(), pytest.raises(Unstorable) as caught:
        changes(old, new)
    assert caught.value.path == b"d/.wh.x"
    assert caught.value.remedy == "give it another name"


def test_a_tree_that_is_not_there_is_reported(both: Callable[..., None], new: Path) -> None:
    both(file("a"))
    found = changes(None, new)
    (new / "a").unlink()
    with open_files_unchanged(), pytest.raises(NoSuchPath, match="there is no 'a' in the tree"):
        layer(new, found)


def test_what_cannot_be_read_is_named() -> None:
    error = Unreadable(b"a/b", OSError(5, "whatever"))
    assert str(error) == "cannot read 'a/b': Input/output error"


# What its owner locked


@pytest.mark.parametrize("mode", [0o000, 0o111, 0o444])
def test_what_its_owner_locked_is_read_and_locked_again(old: Path, new: Path, mode: int) -> None:
    kept = ((b"user.a", b"1"),)
    members = [
        *(folder("a", mode, xattrs=kept), folder("a/b", mode, xattrs=kept)),
        file("a/b/f", b"x" * 2000, mode=0o000, xattrs=kept),
    ]
    for tree in (old, new):
        tree.mkdir()
        apply(tree, *members)
    after = new.parent / "after"
    after.mkdir()
    try:
        assert changes(old, new) == []
        apply_tar(after, layer(new, changes(None, new)))
        assert changes(new, after) == []
        for tree in (new, after):
            assert tree.joinpath("a").stat().st_mode & 0o777 == mode
    finally:
        for tree in (old, new, after):
            unlocked(tree)
    assert paths(after) == ["a/", "a/b/", "a/b/f"]


def test_whiteouts_undo_what_was_added(both: Callable[..., None], old: Path, new: Path) -> None:
    both(file("a"))
    apply(new, file("b/c"), gone("a"))
    apply_tar(new, layer(old, changes(new, old)))
    assert changes(old, new) == []
