"""What a layer lists becomes files: kinds, attributes, and what gives way to what."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nacre.layers.apply import Applier, BadMember
from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.errors import BadArchive, Truncated
from nacre.layers.ownership import RECORDED
from nacre.layers.rootpath import Root
from nacre.layers.tar import END_OF_ARCHIVE, header_blocks
from nacre.layers.tar.pax import format_records
from tests.unit.layers.stacks import (
    Member,
    file,
    folder,
    hardlink,
    special,
    symlink,
    tar_of,
)
from tests.unit.layers.tar.test_read import special as raw_member
from tests.unit.layers.trees import apply, apply_tar, mode, open_files_unchanged, paths, unlocked


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    return tree


def same(one: Path, other: Path) -> bool:
    return os.path.samestat(one.lstat(), other.lstat())


def test_every_kind_is_made(tree: Path) -> None:
    applied = apply(
        tree,
        folder("dir"),
        file("dir/file", b"content"),
        symlink("dir/symlink", "/nowhere"),
        hardlink("dir/hardlink", "dir/file"),
        special("dir/pipe", Kind.FIFO, mode=0o600),
    )
    assert applied.entries == 5
    assert applied.size == 7
    assert applied.losses == ()
    assert (tree / "dir" / "file").read_bytes() == b"content"
    assert os.readlink(tree / "dir" / "symlink") == "/nowhere"
    assert same(tree / "dir" / "hardlink", tree / "dir" / "file")
    assert stat.S_ISFIFO((tree / "dir" / "pipe").lstat().st_mode)


@pytest.mark.parametrize("step", [1, 7, 512, 513, 4096, 1 << 20])
def test_the_tar_may_come_in_pieces_of_any_size(tree: Path, step: int) -> None:
    big = bytes(range(256)) * 40
    members = [file("one", b"1"), file("big", big), file("empty"), file("x" * 200, big[:513])]
    apply_tar(tree, tar_of(members), step=step)
    assert (tree / "big").read_bytes() == big
    assert (tree / "one").read_bytes() == b"1"
    assert (tree / "empty").read_bytes() == b""
    assert (tree / ("x" * 200)).read_bytes() == big[:513]


def test_an_empty_layer_is_applied(tree: Path) -> None:
    applied = apply_tar(tree, END_OF_ARCHIVE)
    assert (applied.entries, applied.size) == (0, 0)
    assert paths(tree) == []


def test_bytes_behind_the_end_count_for_nothing(tree: Path) -> None:
    apply_tar(tree, tar_of([file("a")]) + tar_of([file("b")]) + b"x" * 10_000)
    assert paths(tree) == ["a"]


def test_a_tar_that_ends_early_is_refused(tree: Path) -> None:
    tar = tar_of([file("a", b"x" * 2000)])
    with open_files_unchanged(), pytest.raises(Truncated):
        apply_tar(tree, tar[:1500])


# Names and parents


@pytest.mark.parametrize(
    "name", ["a/b", "./a/b", "/a/b", "//a//b", "../a/b", "a/../../a/b", "x/../a/./b"]
)
def test_names_are_cleaned_and_stay_inside(tree: Path, name: str) -> None:
    apply(tree, file(name, b"x"))
    assert paths(tree) == ["a/", "a/b"]
    assert paths(tree.parent) == ["tree/", "tree/a/", "tree/a/b"]


def test_missing_parents_are_made_as_implied_directories(tree: Path) -> None:
    apply(tree, file("a/b/c", mode=0o600))
    for parent in (tree / "a", tree / "a" / "b"):
        assert mode(parent) == 0o755
        assert parent.stat().st_mtime_ns == 0


def test_an_implied_directory_may_be_listed_later(tree: Path) -> None:
    apply(tree, file("a/b"), folder("a", 0o700, mtime=7))
    assert mode(tree / "a") == 0o700
    assert (tree / "a").stat().st_mtime == 7


def test_a_parent_that_is_a_file_gives_way(tree: Path) -> None:
    apply(tree, file("a/b"), file("a/b/c/d"))
    assert paths(tree) == ["a/", "a/b/", "a/b/c/", "a/b/c/d"]


def test_a_parent_that_is_a_link_is_followed_inside(tree: Path) -> None:
    apply(tree, folder("usr/bin"), symlink("bin", "/usr/bin"), file("bin/sh"))
    assert paths(tree) == ["bin", "usr/", "usr/bin/", "usr/bin/sh"]


def test_a_parent_that_is_a_dangling_link_is_made_where_it_leads(tree: Path) -> None:
    apply(tree, symlink("var", "/srv/data"), file("var/log/x"))
    assert paths(tree) == ["srv/", "srv/data/", "srv/data/log/", "srv/data/log/x", "var"]


def test_a_parent_behind_links_in_circles_is_refused(tree: Path) -> None:
    with pytest.raises(BadMember, match="'a/x' lies behind links that run in circles"):
        apply(tree, symlink("a", "b"), symlink("b", "a"), file("a/x"))


def test_attributes_of_parents_that_exist_stay(tree: Path) -> None:
    apply(tree, folder("a", 0o700, mtime=5))
    apply(tree, file("a/b/c"))
    assert mode(tree / "a") == 0o700
    assert (tree / "a").stat().st_mtime == 5


# The root


def test_the_root_takes_attributes(tree: Path) -> None:
    apply(tree, folder("./", 0o711, mtime=9))
    assert (mode(tree), tree.stat().st_mtime) == (0o711, 9)


def test_an_empty_root_is_like_an_implied_directory(tree: Path) -> None:
    tree.chmod(0o700)
    apply(tree, file("a"))
    assert (mode(tree), tree.stat().st_mtime) == (0o755, 0)


def test_the_root_of_lower_layers_stays_as_it_is(tree: Path) -> None:
    apply(tree, folder("./", 0o711, mtime=9), file("a"))
    apply(tree, file("b"))
    assert (mode(tree), tree.stat().st_mtime) == (0o711, 9)


@pytest.mark.parametrize("name", [".", "./", "/", "..", "a/..", ""])
@pytest.mark.parametrize("kind", [Kind.REG, Kind.SYMLINK, Kind.LINK, Kind.FIFO])
def test_the_root_can_only_be_a_directory(tree: Path, name: str, kind: Kind) -> None:
    # CVE-2021-29136
    blocks = header_blocks(Entry(b"@", kind, linkname=b"/etc"))
    tar = patched_name(blocks, name.encode())
    with pytest.raises(BadMember, match="stands for the root, which can only be a directory"):
        apply_tar(tree, tar + END_OF_ARCHIVE)
    assert tree.is_dir()
    assert not tree.is_symlink()


def patched_name(blocks: bytes, name: bytes) -> bytes:
    block = name.ljust(100, b"\0") + blocks[100:148] + b" " * 8 + blocks[156:]
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


# What is there already


def test_a_directory_over_a_directory_keeps_what_is_in_it(tree: Path) -> None:
    apply(tree, folder("a", 0o777, mtime=1), file("a/b"))
    apply(tree, folder("a", 0o750, mtime=2))
    assert paths(tree) == ["a/", "a/b"]
    assert mode(tree / "a") == 0o750
    assert (tree / "a").stat().st_mtime == 2


def test_a_directory_over_a_directory_loses_the_old_attributes(tree: Path) -> None:
    apply(tree, folder("a", xattrs=((b"user.kept", b"1"), (b"user.old", b"2"))))
    apply(tree, folder("a", xattrs=((b"user.kept", b"3"),)))
    assert os.getxattr(tree / "a", "user.kept") == b"3"
    assert "user.old" not in os.listxattr(tree / "a")


OTHERS = {
    "file": [file("x", b"new")],
    "directory": [folder("x"), file("x/new")],
    "symlink": [symlink("x", "new")],
    "pipe": [special("x", Kind.FIFO)],
    "hard link": [file("new"), hardlink("x", "new")],
}


@pytest.mark.parametrize("old", OTHERS)
@pytest.mark.parametrize("new", OTHERS)
@pytest.mark.parametrize("together", [True, False], ids=["same layer", "next layer"])
def test_anything_over_anything_takes_its_place(
    tree: Path, old: str, new: str, *, together: bool
) -> None:
    alone = tree.parent / "alone"
    alone.mkdir()
    apply(alone, *OTHERS[new])
    if together:
        apply(tree, *OTHERS[old], *OTHERS[new])
    else:
        apply(tree, *OTHERS[old])
        apply(tree, *OTHERS[new])
    assert stat.S_IFMT((tree / "x").lstat().st_mode) == stat.S_IFMT((alone / "x").lstat().st_mode)
    assert set(paths(tree)) - {"new"} == set(paths(alone)) - {"new"}


def test_a_directory_does_not_keep_a_link_to_a_directory(tree: Path) -> None:
    apply(tree, folder("real"), symlink("x", "real"))
    apply(tree, folder("x"), file("x/a"))
    assert paths(tree) == ["real/", "x/", "x/a"]


def test_writing_a_file_does_not_write_to_its_other_names(tree: Path) -> None:
    apply(tree, file("a", b"old"), hardlink("b", "a"))
    apply(tree, file("a", b"new"))
    assert (tree / "b").read_bytes() == b"old"


def test_a_file_over_a_link_does_not_write_through_it(tree: Path) -> None:
    apply(tree, file("target", b"old"), symlink("x", "target"))
    apply(tree, file("x", b"new"))
    assert (tree / "target").read_bytes() == b"old"
    assert not (tree / "x").is_symlink()


def test_of_a_repeated_path_the_last_one_counts(tree: Path) -> None:
    apply(tree, file("a", b"1", mode=0o600), file("./a", b"2", mode=0o640))
    assert (tree / "a").read_bytes() == b"2"
    assert mode(tree / "a") == 0o640


def test_a_path_leads_elsewhere_once_a_link_took_its_place(tree: Path) -> None:
    apply(
        tree,
        *(folder("one"), folder("two"), folder("way"), file("way/a")),
        *(symlink("way", "one"), file("way/b"), symlink("way", "two"), file("way/c")),
    )
    assert paths(tree) == ["one/", "one/b", "two/", "two/c", "way"]


# Hard links


def test_a_link_does_not_set_attributes(tree: Path) -> None:
    apply(tree, file("a", mode=0o600, mtime=5), hardlink("b", "a", mode=0o777, mtime=9))
    assert (mode(tree / "a"), (tree / "a").stat().st_mtime) == (0o600, 5)


def test_a_link_reaches_into_lower_layers(tree: Path) -> None:
    apply(tree, file("lower/a", b"x"))
    apply(tree, hardlink("b", "lower/a"))
    assert same(tree / "b", tree / "lower" / "a")


def test_a_link_to_a_symlink_links_the_symlink(tree: Path) -> None:
    # CVE-2021-32760
    apply(tree, file("target", mode=0o600), symlink("l", "target"), hardlink("h", "l", mode=0o777))
    assert (tree / "h").is_symlink()
    assert same(tree / "h", tree / "l")
    assert mode(tree / "target") == 0o600


def test_the_target_of_a_link_is_resolved_inside(tree: Path) -> None:
    apply(tree, file("etc/passwd"), symlink("s", "/etc"), hardlink("b", "../../s/passwd"))
    assert same(tree / "b", tree / "etc" / "passwd")


@pytest.mark.parametrize("target", ["nothing", "no/where", "b", "file/x"])
def test_a_link_to_nothing_is_refused(tree: Path, target: str) -> None:
    with pytest.raises(BadMember, match=r"'b' is a hard link to '.*', which does not exist"):
        apply(tree, file("file"), hardlink("b", target))


@pytest.mark.parametrize("target", ["dir", "/", "dir/.."])
def test_a_link_to_a_directory_is_refused(tree: Path, target: str) -> None:
    with pytest.raises(BadMember, match="which is a directory"):
        apply(tree, folder("dir"), hardlink("b", target))


def test_a_symlink_to_nothing_at_all_is_refused(tree: Path) -> None:
    blocks = header_blocks(Entry(b"b", Kind.SYMLINK, linkname=b"x"))
    block = blocks[:148] + b" " * 8 + blocks[156:157] + bytes(100) + blocks[257:]
    tar = block[:148] + b"%06o\0 " % sum(block) + block[156:] + END_OF_ARCHIVE
    with pytest.raises(BadMember, match="'b' is a link to nothing"):
        apply_tar(tree, tar)


def test_aufs_links_find_their_files(tree: Path) -> None:
    apply(
        tree,
        *(folder(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", b"x", mode=0o640)),
        *(hardlink("a", ".wh..wh.plnk/1.2"), hardlink("d/b", ".wh..wh.plnk/1.2")),
    )
    assert paths(tree) == ["a", "d/", "d/b"]
    assert (tree / "a").read_bytes() == b"x"
    assert mode(tree / "a") == 0o640
    assert same(tree / "a", tree / "d" / "b")


def test_aufs_metadata_is_passed_over(tree: Path) -> None:
    apply(tree, file(".wh..wh.aufs", b"x"), folder(".wh..wh.orph"), file(".wh..wh.orph/a"))
    assert paths(tree) == []


# Attributes


@pytest.mark.parametrize("bits", [0o000, 0o400, 0o755, 0o1777, 0o2755, 0o4755, 0o7777])
def test_all_twelve_bits_are_set_whatever_the_umask(tree: Path, bits: int) -> None:
    old = os.umask(0o077)
    try:
        apply(tree, file("file", mode=bits), folder("dir", bits), file("dir/x"))
        assert mode(tree / "file") == bits
        assert mode(tree / "dir") == bits
    finally:
        os.umask(old)
        unlocked(tree)


@pytest.mark.parametrize("mtime", [0, -1, -(10**9), 2**31, 2**33])
def test_times_are_set_with_nanoseconds(tree: Path, mtime: int) -> None:
    members = [
        file("file", b"x", mtime=mtime, mtime_nsec=123_456_789),
        folder("dir", mtime=mtime, mtime_nsec=123_456_789),
        symlink("link", "x", mtime=mtime, mtime_nsec=123_456_789),
        special("pipe", Kind.FIFO, mtime=mtime, mtime_nsec=123_456_789),
    ]
    feed_entries(tree, members)
    expected = mtime * 10**9 + 123_456_789
    for name in ("file", "dir", "link", "pipe"):
        assert (tree / name).lstat().st_mtime_ns == expected


def feed_entries(tree: Path, members: list[Member]) -> None:
    # The writer drops nanoseconds, so they are put in front as an extended header.
    tar = b""
    for member in members:
        time = b"%d" % member.entry.mtime
        if member.entry.mtime < 0:
            # -1.9 s is second -2 and 0.1 more.
            total = -(member.entry.mtime * 10**9 + member.entry.mtime_nsec)
            time = b"-%d.%09d" % divmod(total, 10**9)
        else:
            time += b".%09d" % member.entry.mtime_nsec
        tar += raw_member(b"x", format_records([(b"mtime", time)]))
        plain = Member(member.entry._replace(mtime=0), member.content)
        tar += tar_of([plain])[: -len(END_OF_ARCHIVE)]
    apply_tar(tree, tar + END_OF_ARCHIVE)


def test_times_beyond_all_file_systems_are_as_far_as_they_go(tree: Path) -> None:
    late, early = (1 << 63) - 1, -(1 << 62)
    apply(tree, file("late", mtime=late), file("early", mtime=early))
    assert (tree / "late").stat().st_mtime > 2**32
    assert (tree / "early").stat().st_mtime < 0


def test_times_of_directories_are_set_after_their_children(tree: Path) -> None:
    apply(
        tree, folder("a", mtime=5), folder("a/b", mtime=6), file("a/b/c"), hardlink("a/d", "a/b/c")
    )
    assert (tree / "a").stat().st_mtime == 5
    assert (tree / "a" / "b").stat().st_mtime == 6


def test_extended_attributes_are_set_before_modes_forbid_it(tree: Path) -> None:
    value = b"with \0 and = in it"
    apply(
        tree,
        file("file", b"x", mode=0o400, xattrs=((b"user.a", value), (b"user.empty", b""))),
        folder("dir", 0o500, xattrs=((b"user.a", value),)),
    )
    assert os.getxattr(tree / "file", "user.a") == value
    assert os.getxattr(tree / "file", "user.empty") == b""
    assert os.getxattr(tree / "dir", "user.a") == value


def test_attributes_that_a_kind_cannot_have_are_counted_as_lost(tree: Path) -> None:
    given = {"xattrs": ((b"user.a", b"1"),)}
    applied = apply(tree, symlink("one", "x", **given), special("two", Kind.FIFO, **given))
    assert applied.losses == (("xattr user.a", 2, b"one"),)
    assert paths(tree) == ["one", "two"]


def test_attributes_that_no_file_system_has_are_counted_as_lost(tree: Path) -> None:
    applied = apply(tree, file("a", xattrs=((b"nonsense.x", b"1"),)))
    assert [loss.what for loss in applied.losses] == ["xattr nonsense.x"]


def test_attributes_of_the_machine_they_were_set_on_are_passed_over(tree: Path) -> None:
    applied = apply(
        tree, file("a", xattrs=((b"security.selinux", b"x"), (b"system.nfs4_acl", b"y")))
    )
    assert applied.losses == ()
    assert "security.selinux" not in os.listxattr(tree / "a")


def test_without_privileges_owners_are_recorded(tree: Path) -> None:
    members = [
        file("a", uid=1000, gid=5),
        folder("d", uid=7),
        file("root"),
        symlink("s", "x", uid=9),
    ]
    apply(tree, *members, ownership=RECORDED)
    assert os.getxattr(tree / "a", "user.rootlesscontainers") == b"\x08\xe8\x07\x10\x05"
    assert os.getxattr(tree / "d", "user.rootlesscontainers") == b"\x08\x07"
    assert os.listxattr(tree / "root") == []
    assert (tree / "a").stat().st_uid == os.geteuid()


# Sparse files


@pytest.mark.parametrize("step", [512, 777, 1 << 20])
def test_sparse_files_are_written_with_their_holes(tree: Path, step: int) -> None:
    size = 10 << 20
    extents = [Extent(0, 512), Extent(5 << 20, 1000)]
    numbers = [
        (b"GNU.sparse.map", b"0,512,%d,1000" % (5 << 20)),
        (b"GNU.sparse.size", b"%d" % size),
    ]
    data = b"a" * 512 + b"b" * 1000
    tar = raw_member(b"x", format_records(numbers)) + tar_of([file("sparse", data)])
    apply_tar(tree, tar, step=step)
    content = (tree / "sparse").read_bytes()
    assert len(content) == size
    assert content[:512] == b"a" * 512
    assert content[5 << 20 : (5 << 20) + 1000] == b"b" * 1000
    assert content.count(b"\0") == size - sum(extent.length for extent in extents)
    assert (tree / "sparse").stat().st_blocks * 512 < size // 2


@pytest.mark.parametrize("step", [512, 700, 1024, 1 << 20])
def test_the_map_of_a_sparse_file_may_lie_before_its_data(tree: Path, step: int) -> None:
    # The reader takes some of the data in together with such a map.
    extents = [(number * 4096, 1024) for number in range(130)]
    lines = [len(extents), *(number for extent in extents for number in extent)]
    text = b"".join(b"%d\n" % number for number in lines)
    text += bytes(-len(text) % 512)
    data = b"".join(b"%04d" % number * 256 for number in range(130))
    records = [
        *((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0")),
        *((b"GNU.sparse.name", b"sparse"), (b"GNU.sparse.realsize", b"%d" % (1 << 20))),
    ]
    tar = raw_member(b"x", format_records(records)) + tar_of(
        [file("y", text + data), file("z", b"z")]
    )
    apply_tar(tree, tar, step=step)
    content = (tree / "sparse").read_bytes()
    assert len(content) == 1 << 20
    for number in range(130):
        assert content[number * 4096 :][:1024] == b"%04d" % number * 256
    assert (tree / "z").read_bytes() == b"z"


def test_a_sparse_file_may_end_in_a_hole_and_hold_nothing(tree: Path) -> None:
    records = [(b"GNU.sparse.map", b""), (b"GNU.sparse.size", b"5000")]
    apply_tar(tree, raw_member(b"x", format_records(records)) + tar_of([file("hole")]))
    assert (tree / "hole").read_bytes() == bytes(5000)


# Errors


def test_nothing_stays_open_after_an_error(tree: Path) -> None:
    members = [file("a/b", b"x" * 5000), folder("c"), hardlink("c/d", "nothing")]
    with open_files_unchanged(), pytest.raises(BadMember):
        apply(tree, *members, step=600)


def test_a_malformed_header_is_refused(tree: Path) -> None:
    with (
        open_files_unchanged(),
        Root.open(tree) as root,
        Applier(root) as applier,
        pytest.raises(BadArchive),
    ):
        applier.feed(b"x" * 512)


@pytest.mark.parametrize("name", ["x" * 256, "a/" + "y" * 300 + "/b"])
def test_a_name_that_no_file_system_takes_is_refused(tree: Path, name: str) -> None:
    with pytest.raises(BadMember, match="cannot be made here: File name too long"):
        apply(tree, file(name))


def test_a_name_with_a_nul_is_refused(tree: Path) -> None:
    records = [(b"GNU.sparse.map", b""), (b"GNU.sparse.size", b"1"), (b"GNU.sparse.name", b"a\0b")]
    with pytest.raises(BadMember, match=r"'a\\x00b' is malformed"):
        apply_tar(tree, raw_member(b"x", format_records(records)) + tar_of([file("hole")]))
