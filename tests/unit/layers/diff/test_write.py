"""Writing changes as a layer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nacre.errors import Conflict
from nacre.layers.diff import Change, ChangeKind, TreeReader, write_layer
from nacre.layers.diff.changes import in_order
from nacre.layers.diff.write import portable_capability
from nacre.layers.entry import Entry, Kind
from nacre.layers.ownership import RECORDED, IdMap, IdRange, Ownership, Unmapped
from nacre.layers.rootpath import Root
from nacre.layers.tar import BodyTooShort, scan
from nacre.layers.tar.pieces import PIECE
from tests.unit.layers.stacks import Member, file, folder, hardlink, special, symlink
from tests.unit.layers.trees import (
    apply,
    apply_tar,
    changes,
    layer,
    open_files_unchanged,
    packed,
    unlocked,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    return tree


def only(tar: bytes, name: bytes) -> Entry:
    (entry,) = (entry for entry in scan(tar) if entry.name == name)
    return entry


def test_the_same_tree_gives_the_same_bytes(tree: Path) -> None:
    members = [folder("d", mtime=5), file("d/b", b"x", mtime=6), file("d/a", mtime=7)]
    apply(tree, *members, symlink("s", "d", mtime=1))
    other = tree.parent / "other"
    other.mkdir()
    apply(other, symlink("s", "d", mtime=1), *members[::-1])
    one, two = layer(tree, changes(None, tree)), layer(other, changes(None, other))
    assert one == two == layer(tree, changes(None, tree))


def test_times_are_cut_to_seconds_never_rounded(tree: Path) -> None:
    (tree / "a").touch()
    (tree / "b").touch()
    os.utime(tree / "a", ns=(0, 7_999_999_999))
    os.utime(tree / "b", ns=(0, -1))
    tar = layer(tree, changes(None, tree))
    assert (only(tar, b"a").mtime, only(tar, b"a").mtime_nsec) == (7, 0)
    assert only(tar, b"b").mtime == -1


def test_younger_times_are_clamped_on_demand(tree: Path) -> None:
    apply(tree, file("old", mtime=5), file("young", mtime=500))
    tar = layer(tree, changes(None, tree), clamp_mtime=100)
    assert (only(tar, b"old").mtime, only(tar, b"young").mtime) == (5, 100)


def test_a_whiteout_is_an_empty_file_of_1970(tree: Path) -> None:
    (entry,) = scan(layer(tree, [Change(ChangeKind.DELETED, b"a/b")], clamp_mtime=100))
    assert entry.name == b"a/.wh.b"
    assert (entry.kind, entry.size, entry.mtime, entry.uid) == (Kind.REG, 0, 0, 0)


def test_there_are_no_names_of_users(tree: Path) -> None:
    apply(tree, file("a"))
    header = layer(tree, changes(None, tree))[512:1024]
    assert header[265:329] == bytes(64)


def test_a_directory_ends_in_a_slash(tree: Path) -> None:
    apply(tree, folder("d/e"))
    assert [entry.name for entry in packed(tree)] == [b"./", b"d/", b"d/e/"]


def test_attributes_that_a_layer_keeps(tree: Path) -> None:
    given_ = ((b"user.a", b"raw \0 = value"), (b"user.b", b""))
    apply(tree, file("f", b"x", xattrs=given_), folder("d", xattrs=given_))
    tar = layer(tree, changes(None, tree))
    assert only(tar, b"f").xattrs == only(tar, b"d/").xattrs == given_


def test_capabilities_lose_the_namespace_they_were_set_in() -> None:
    rights = bytes(range(16))
    third = (0x03000001).to_bytes(4, "little") + rights + (100_000).to_bytes(4, "little")
    second = (0x02000001).to_bytes(4, "little") + rights
    assert portable_capability(third) == second
    assert portable_capability(second) == second
    assert portable_capability(b"odd") == b"odd"


def test_recorded_owners_are_owners_again(tree: Path) -> None:
    members = [file("a", uid=1000, gid=5), folder("d", uid=7), file("root")]
    apply(tree, *members, ownership=RECORDED)
    tar = layer(tree, changes(None, tree), ownership=RECORDED)
    found = {entry.name: (entry.uid, entry.gid, entry.xattrs) for entry in scan(tar)}
    assert found[b"a"] == (1000, 5, ())
    assert found[b"d/"] == (7, 0, ())
    assert found[b"root"] == (0, 0, ())


def test_mapped_owners_are_mapped_back(tree: Path) -> None:
    (tree / "a").touch()
    ids = IdMap((IdRange(3, os.geteuid(), 1),)), IdMap((IdRange(4, os.getegid(), 1),))
    found = only(layer(tree, changes(None, tree), ownership=Ownership(*ids)), b"a")
    assert (found.uid, found.gid) == (3, 4)


def test_an_owner_without_a_number_in_the_layer_is_named(tree: Path) -> None:
    (tree / "a").touch()
    nobody = IdMap((IdRange(0, 4_000_000_000, 1),))
    with open_files_unchanged(), pytest.raises(Unmapped, match=f"the ID {os.geteuid()} on disk"):
        layer(tree, changes(None, tree), ownership=Ownership(nobody, nobody))


def test_a_file_that_became_something_else_is_refused(tree: Path) -> None:
    # The status is read, then the file opened; a pipe must not make that wait for ever.
    os.mkfifo(tree / "f")
    with (
        open_files_unchanged(),
        Root.open(tree) as root,
        TreeReader(root) as reader,
        pytest.raises(Conflict, match="'f' is being changed by someone else"),
    ):
        reader.open(b"f")


def test_large_files_are_written_whole(tree: Path) -> None:
    content = os.urandom(3 << 20) + b"end"
    (tree / "big").write_bytes(content)
    tar = layer(tree, changes(None, tree))
    entry = only(tar, b"big")
    assert tar[entry.data_offset :][: entry.size] == content


NAMES = st.sampled_from(["a", "b", "c", "a-b", "é", "x" * 120])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "mode": st.sampled_from([0o644, 0o755, 0o4755, 0o600, 0o000, 0o1777]),
    "mtime": st.sampled_from([0, 1, -5, 1_700_000_000, 1 << 33]),
    "xattrs": st.sampled_from([(), ((b"user.a", b"1"),), ((b"user.a", b""), (b"user.b", b"\0="))]),
}


@st.composite
def members(draw: st.DrawFn) -> Member:
    path = draw(PATHS)
    common: dict[str, Any] = {key: draw(strategy) for key, strategy in COMMON.items()}
    kind = draw(st.sampled_from(["file", "file", "folder", "symlink", "pipe", "link"]))
    if kind == "file":
        return file(path, draw(st.binary(max_size=700)), **common)
    if kind == "folder":
        return folder(path, **common)
    if kind == "symlink":
        return symlink(path, draw(st.sampled_from(["a", "../b", "/c"])), mtime=common["mtime"])
    if kind == "pipe":
        return special(path, Kind.FIFO, mode=common["mode"], mtime=common["mtime"])
    return hardlink(path, draw(PATHS))


@st.composite
def trees(draw: st.DrawFn) -> list[Member]:
    """Members that a layer can hold together: parents that are directories, links to files."""
    listed: dict[str, Member] = {}
    for member in draw(st.lists(members(), max_size=12)):
        path = member.entry.name.decode().rstrip("/")
        parents = [path.rsplit("/", depth)[0] for depth in range(1, path.count("/") + 1)]
        if any(p in listed and listed[p].entry.kind is not Kind.DIR for p in parents):
            continue
        target = member.entry.linkname.decode()
        linkable = target in listed and listed[target].entry.kind not in (Kind.DIR, Kind.LINK)
        below = any(other.startswith(path + "/") for other in listed)
        if path in listed or (below and member.entry.kind is not Kind.DIR):
            continue
        if member.entry.kind is not Kind.LINK or linkable:
            listed[path] = member
    return list(listed.values())


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=trees(), after=trees())
def test_pack_apply_diff_is_the_identity(
    before: list[Member], after: list[Member], tmp_path_factory: pytest.TempPathFactory
) -> None:
    top = tmp_path_factory.mktemp("identity")
    try:
        _check_identity(top, before, after)
    finally:
        unlocked(top)


def _check_identity(top: Path, before: list[Member], after: list[Member]) -> None:
    old, new, copy = top / "old", top / "new", top / "copy"
    for tree, listed in ((old, before), (new, after), (copy, [])):
        tree.mkdir()
        apply(tree, folder("./"), *listed)
    # The whole tree, packed and applied to nothing.
    tar = layer(new, changes(None, new))
    apply_tar(copy, tar)
    assert changes(new, copy) == []
    assert layer(copy, changes(None, copy)) == tar
    # The difference, packed and applied to the old one.
    apply_tar(old, layer(new, changes(old, new)))
    assert changes(new, old) == []
    assert changes(old, new) == []
    # But for the times of directories that only lost or got something, it is the same tree.
    assert _without_times(layer(old, changes(None, old))) == _without_times(tar)


def _without_times(tar: bytes) -> list[Entry]:
    # Where in the tar a member lies goes with its times, which may need a longer header.
    return [
        entry._replace(
            mtime=0 if entry.kind is Kind.DIR else entry.mtime, header_offset=0, data_offset=0
        )
        for entry in scan(tar)
    ]


class Cutting:
    """A sink that cuts a file off when the first piece of a layer arrives."""

    def __init__(self, file: Path, size: int) -> None:
        self._file, self._size = file, size

    def write(self, _piece: bytes, /) -> None:
        os.truncate(self._file, self._size)


def test_a_file_that_is_cut_off_meanwhile_is_refused(tree: Path) -> None:
    (tree / "a").write_bytes(bytes(3 * PIECE))
    with Root.open(tree) as root, pytest.raises(BodyTooShort, match=f"ends {PIECE} bytes before"):
        write_layer(Cutting(tree / "a", 2 * PIECE), root, changes(None, tree))


def test_a_deletion_comes_before_what_is_in_its_directory_and_sorts_before_it() -> None:
    found = {
        b"": ChangeKind.CHANGED,
        b"a.b": ChangeKind.ADDED,
        b"a/b/c": ChangeKind.ADDED,
        b"a/z": ChangeKind.DELETED,
        b"a/\x01": ChangeKind.ADDED,
        b"z": ChangeKind.DELETED,
    }
    assert [path for _, path in in_order(found)] == [
        *(b"", b"z", b"a", b"a/z", b"a/\x01", b"a/b", b"a/b/c", b"a.b"),
    ]
