from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.errors import BadArchive, LayerLimit, Truncated
from nacre.layers.tar import END_OF_ARCHIVE, Scanner, header_blocks, scan
from nacre.layers.tar.header import encode_header
from nacre.layers.toc import Toc, TocBuilder, toc_of
from nacre.layers.whiteout import Role
from nacre.oci.digest import Digest
from tests.unit.layers.stacks import (
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
    table,
    tar_of,
)

MEMBERS = [
    folder("./", 0o1777, mtime=-5),
    folder("etc/", 0o750, uid=1, gid=2, mtime=3),
    file("etc/passwd", b"root", mode=0o4600, uid=4_000_000_000, mtime=1 << 33),
    file("etc/empty"),
    symlink("etc/mtab", "../proc/mounts"),
    hardlink("./etc//shadow", "etc/passwd"),
    special("dev/null", Kind.CHR, mode=0o666, devmajor=1, devminor=3),
    special("dev/zero", Kind.CHR),
    special("run/pipe", Kind.FIFO),
    file("bin/ping", b"x" * 700, xattrs=((b"security.capability", b"\1\0=\n"), (b"user.a", b""))),
    gone("etc/old"),
    opaque("var"),
    file(".wh..wh.aufs"),
]
TAR = tar_of(MEMBERS)
LAYER = Digest.of(b"a layer")


def test_every_member_has_a_row() -> None:
    toc = table(TAR)
    assert toc.layer == Digest.of(TAR)
    assert toc.size == len(TAR)
    assert len(toc) == len(MEMBERS)
    assert list(toc.paths) == [
        b"",
        b"etc",
        b"etc/passwd",
        b"etc/empty",
        b"etc/mtab",
        b"etc/shadow",
        b"dev/null",
        b"dev/zero",
        b"run/pipe",
        b"bin/ping",
        b"etc/.wh.old",
        b"var/.wh..wh..opq",
        b".wh..wh.aufs",
    ]
    roles = [toc.role(row) for row in range(len(toc))]
    assert roles == [Role.ENTRY] * 10 + [Role.WHITEOUT, Role.OPAQUE, Role.METADATA]
    assert [toc.kind(row) for row in range(len(toc))] == [m.entry.kind for m in MEMBERS]


def test_rows_are_the_entries_of_the_tar() -> None:
    expected = [
        entry._replace(name=path, header_offset=0)
        for entry, path in zip(scan(TAR), table(TAR).paths, strict=True)
    ]
    assert list(table(TAR)) == expected


def test_rows_say_where_the_bytes_are() -> None:
    toc = table(TAR)
    for row, member in enumerate(MEMBERS):
        start = toc.offsets[row]
        assert TAR[start : start + toc.stored_size(row)] == member.content


@given(st.integers(1, 2000), st.booleans())
@settings(max_examples=30)
def test_the_size_of_the_pieces_makes_no_difference(step: int, digests: bool) -> None:
    assert table(TAR, step=step, digests=digests) == table(TAR, digests=digests)


@given(st.lists(st.binary(max_size=1500), max_size=8), st.integers(1, 3000))
@settings(max_examples=50)
def test_files_are_hashed_on_demand(contents: list[bytes], step: int) -> None:
    members = [file(f"f{number}", content) for number, content in enumerate(contents)]
    toc = table(tar_of([folder("d"), *members]), step=step, digests=True)
    assert [toc.digest(row) for row in range(len(toc))] == [None, *map(Digest.of, contents)]


def test_the_last_file_may_end_with_the_tar() -> None:
    tar = tar_of([file("a", b"x" * 512)])[:1024]
    assert table(tar, digests=True).digest(0) == Digest.of(b"x" * 512)


def test_files_are_not_hashed_unasked() -> None:
    toc = table(TAR)
    assert toc.digests == b""
    assert toc.digest(2) is None


@pytest.mark.parametrize("form", ["gnu", "pax"])
@pytest.mark.parametrize("digests", [False, True])
def test_sparse_files_keep_their_map(tmp_path: Path, form: str, digests: bool) -> None:
    with (tmp_path / "sparse").open("wb") as out:
        out.seek(1 << 20)
        out.write(b"data" * 1024)
        out.truncate(3 << 20)
    (tmp_path / "tail").write_bytes(b"tail")
    command = ["tar", "-cS", f"--format={form}", "-C", str(tmp_path), "sparse", "tail"]
    tar = subprocess.run(command, check=True, capture_output=True).stdout
    toc = table(tar, step=100, digests=digests)
    assert toc.sizes[0] == 3 << 20
    assert Extent(1 << 20, 4096) in toc.sparse[0]
    assert toc.stored_size(0) == 4096
    assert tar[toc.offsets[0] :][:4096] == b"data" * 1024
    assert toc.digest(0) is None
    expected = hashlib.sha256(b"tail").hexdigest() if digests else None
    assert toc.digest(1) == (expected and f"sha256:{expected}")


def test_a_truncated_tar_gives_no_table() -> None:
    builder = TocBuilder()
    builder.feed(TAR[:1100])
    with pytest.raises(Truncated):
        builder.finish(LAYER)


def bad(*entries: Entry) -> BadArchive:
    with pytest.raises(BadArchive) as caught:
        toc_of(entries, layer=LAYER)
    return caught.value


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.DIR])
@pytest.mark.parametrize("name", [b"", b".", b"/.", b"..", b"a/.."])
def test_the_root_can_only_be_a_directory(name: bytes, kind: Kind) -> None:
    # CVE-2021-29136: a symbolic link named "." took the place of the root.
    assert "root" in str(bad(Entry(name, kind, linkname=b"/")))


@pytest.mark.parametrize("kind", [Kind.LINK, Kind.SYMLINK])
def test_a_link_leads_somewhere(kind: Kind) -> None:
    assert "link to nothing" in str(bad(Entry(b"a", kind)))


def test_a_name_holds_no_nul() -> None:
    error = bad(Entry(b"fine", Kind.REG), Entry(b"a\0b", Kind.REG, header_offset=512))
    assert "NUL" in str(error)
    assert error.offset == 512


@pytest.mark.parametrize("name", [b".wh.", b"etc/.wh..", b".wh..."])
def test_a_whiteout_of_no_possible_name_is_refused(name: bytes) -> None:
    assert "whiteout of nothing" in str(bad(Entry(name, Kind.REG, header_offset=99)))


def exceeded(tar: bytes, builder: TocBuilder) -> str:
    with pytest.raises(LayerLimit) as caught:
        builder.feed(tar)
    return caught.value.limit


def test_entries_names_and_depth_are_limited_by_the_scanner() -> None:
    tar = tar_of([file("a/b/c/d"), file("x" * 50)])
    assert exceeded(tar, TocBuilder(scanner=Scanner(max_entries=1))) == "max_entries"
    assert exceeded(tar, TocBuilder(scanner=Scanner(max_name=49))) == "max_name"
    assert exceeded(tar, TocBuilder(scanner=Scanner(max_depth=2))) == "max_depth"


def test_the_parts_of_a_path_are_limited() -> None:
    TocBuilder().feed(tar_of([file("a/" + "b" * 255)]))
    assert exceeded(tar_of([file("a/" + "b" * 256 + "/c")]), TocBuilder()) == "max_part"


@pytest.mark.parametrize(
    "member",
    [
        file("n" * 100),
        symlink("a", "n" * 100),
        file("a", xattrs=((b"user.a", b"v" * 100),)),
    ],
)
def test_names_links_and_attributes_are_limited_together(member: object) -> None:
    tar = tar_of([member] * 3)  # type: ignore[list-item]
    TocBuilder(max_metadata=400).feed(tar)
    assert exceeded(tar, TocBuilder(max_metadata=250)) == "max_metadata"


def test_a_layer_may_be_empty() -> None:
    toc = table(END_OF_ARCHIVE)
    assert (len(toc), list(toc), toc.size) == (0, [], 1024)
    assert toc_of([], layer=LAYER) == Toc(
        LAYER, 0, [], b"", b"", *(toc.modes, toc.uids, toc.gids), *(toc.sizes, toc.mtimes),
        toc.nanoseconds, toc.offsets, {}, {}, {}, {}, b"",
    )  # fmt: skip


def test_a_malformed_header_is_told_with_its_place() -> None:
    tar = header_blocks(Entry(b"fine", Kind.REG)) + encode_header(name=b"odd", typeflag=b"Z")
    with pytest.raises(BadArchive) as caught:
        TocBuilder().feed(tar)
    assert caught.value.offset == 512
