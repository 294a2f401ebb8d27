"""What a layer lists becomes files of every kind, also its root; what is malformed is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nacre.layers.apply import Applier, BadMember
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import BadArchive, Truncated
from nacre.layers.rootpath import Root
from nacre.layers.tar import END_OF_ARCHIVE, header_blocks
from nacre.layers.tar.pax import format_records
from tests.unit.layers.stacks import (
    file,
    folder,
    hardlink,
    special,
    symlink,
    tar_of,
)
from tests.unit.layers.tar.headers import special as raw_member
from tests.unit.layers.trees import (
    apply,
    apply_tar,
    mode,
    open_files_unchanged,
    paths,
    same,
)


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
