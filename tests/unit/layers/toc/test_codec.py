from __future__ import annotations

import struct
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.toc import DamagedToc, Toc, columns, decode, encode, toc_of
from nacre.layers.toc.codec import VERSION
from nacre.oci.digest import Digest
from tests.unit.layers.stacks import file, folder, symlink, table, tar_of

NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name)
XATTRS = st.dictionaries(NAMES, st.binary(max_size=30), max_size=3).map(
    lambda pairs: tuple(sorted(pairs.items()))
)
MAPS = st.none() | st.lists(
    st.builds(Extent, st.integers(0, 1 << 60), st.integers(1, 1 << 60)), max_size=3
).map(tuple)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(Kind))
    link = draw(NAMES) if kind in (Kind.LINK, Kind.SYMLINK) else b""
    device = kind in (Kind.CHR, Kind.BLK)
    is_file = kind is Kind.REG
    return Entry(
        b"a" + draw(NAMES.filter(lambda name: b".wh." not in name)),
        kind,
        draw(st.integers(0, 0o7777)),
        draw(st.integers(0, (1 << 32) - 1)),
        draw(st.integers(0, (1 << 32) - 1)),
        draw(st.integers(0, (1 << 63) - 1)) if is_file else 0,
        draw(st.integers(-(1 << 63), (1 << 63) - 1)),
        draw(st.integers(0, 10**9 - 1)),
        link,
        draw(st.integers(0, (1 << 63) - 1)) if device else 0,
        draw(st.integers(0, (1 << 63) - 1)) if device else 0,
        draw(XATTRS),
        draw(MAPS) if is_file else None,
        0,
        draw(st.integers(0, (1 << 63) - 1)),
    )


@st.composite
def tables(draw: st.DrawFn) -> Toc:
    algorithm = draw(st.sampled_from(["sha256", "sha512"]))
    layer = Digest.of(draw(st.binary(max_size=4)), algorithm)
    return toc_of(draw(st.lists(entries(), max_size=8)), layer=layer, size=draw(st.integers(0, 99)))


@given(tables())
def test_a_table_is_read_as_it_was_written(toc: Toc) -> None:
    assert decode(encode(toc)) == toc


def test_digests_are_kept() -> None:
    toc = table(tar_of([folder("d"), file("d/f", b"content")]), digests=True)
    assert decode(encode(toc)) == toc
    assert decode(encode(toc)).digest(1) == Digest.of(b"content")


def test_equal_tables_give_equal_bytes() -> None:
    one = toc_of([Entry(b"a", Kind.SYMLINK, linkname=b"x")] * 2, layer=Digest.of(b""))
    other = Toc(*(getattr(one, name) for name in Toc.__match_args__))
    object.__setattr__(other, "links", dict(sorted(one.links.items(), reverse=True)))
    assert encode(one) == encode(other)


def test_equal_attributes_are_kept_once() -> None:
    entry = Entry(b"a", Kind.REG, xattrs=((b"security.selinux", b"x" * 1000),))
    assert len(encode(toc_of([entry] * 50, layer=Digest.of(b"")))) < 5000


SOUND = encode(
    table(
        tar_of(
            [
                file("a", b"abc", xattrs=((b"user.a", b"1"),)),
                symlink("b", "a"),
                folder("c"),
            ]
        ),
        digests=True,
    )
)


@pytest.mark.parametrize("length", range(0, len(SOUND), 7))
def test_a_cut_off_file_is_told(length: int) -> None:
    with pytest.raises(DamagedToc):
        decode(SOUND[:length])


@pytest.mark.parametrize("position", range(0, len(SOUND), 5))
def test_a_flipped_bit_is_told(position: int) -> None:
    damaged = bytearray(SOUND)
    damaged[position] ^= 4
    with pytest.raises(DamagedToc):
        decode(bytes(damaged))


def test_trailing_bytes_are_told() -> None:
    with pytest.raises(DamagedToc, match="checksum"):
        decode(SOUND + b"\0")


def test_another_version_is_told() -> None:
    other = SOUND[:8] + struct.pack("<I", VERSION + 1) + SOUND[12:]
    with pytest.raises(DamagedToc, match="unknown version 2") as caught:
        decode(other)
    assert caught.value.remedy


def test_another_file_is_told() -> None:
    with pytest.raises(DamagedToc, match="is not the table of contents"):
        decode(b"#!/bin/sh\n" * 100)


def sealed(body: bytes, rows: int) -> bytes:
    body = struct.pack("<QQ", rows, 0) + body
    return struct.pack("<8sII", b"NACRETOC", VERSION, crc32(body)) + body


def numbers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


@pytest.mark.parametrize(
    ("section", "data"),
    [
        pytest.param(0, b"sha256:../../etc", id="layer"),
        pytest.param(1, b"a\0b", id="paths"),
        pytest.param(2, b"\0\0\4", id="role"),
        pytest.param(3, b"00Z", id="kind"),
        pytest.param(4, b"", id="modes"),
        pytest.param(7, struct.pack("<3q", 3, -1, 0), id="size"),
        pytest.param(10, struct.pack("<3q", 0, 0, -1), id="offset"),
        pytest.param(11, numbers(3), id="row-beyond"),
        pytest.param(12, b"a\0b", id="targets"),
        pytest.param(13, numbers(0), id="devices"),
        pytest.param(15, numbers(1, 1), id="row-twice"),
        pytest.param(16, numbers(1), id="no-such-set"),
        pytest.param(17, struct.pack("<QII", 1, 6, 2) + b"user.a1", id="set-cut-off"),
        pytest.param(17, struct.pack("<Q", 1 << 63), id="set-of-many"),
        pytest.param(18, numbers(0), id="sparse"),
        pytest.param(20, bytes(16), id="extents"),
        pytest.param(21, bytes(32), id="digests"),
        pytest.param(22, b"", id="more"),
    ],
)
def test_a_wrong_section_is_told(section: int, data: bytes) -> None:
    sections = list(columns.split_sections(memoryview(SOUND)[32:]))
    assert decode(sealed(columns.join_sections(sections), 3)).paths == [b"a", b"b", b"c"]
    sections[section : section + 1] = [data]
    with pytest.raises(DamagedToc, match="is damaged: ") as caught:
        decode(sealed(columns.join_sections(sections), 3))
    assert caught.value.remedy


def test_rows_that_are_twice_in_a_column_are_told() -> None:
    with pytest.raises(ValueError, match="fit the rows"):
        columns.unpack_rows(numbers(1, 1), 3)


@given(st.data())
@settings(max_examples=300)
def test_hostile_bytes_with_a_right_checksum_give_a_table_or_the_error(data: st.DataObject) -> None:
    body = bytearray(SOUND[32:])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    rows = data.draw(st.sampled_from([3, 0, 2, 4, 1 << 62]))
    try:
        toc = decode(sealed(bytes(body), rows))
    except DamagedToc:
        return
    assert len(list(toc)) == rows


@given(st.binary(max_size=200), st.integers(0, 5))
def test_any_bytes_with_a_right_checksum_are_told(body: bytes, rows: int) -> None:
    with pytest.raises(DamagedToc):
        decode(sealed(body, rows))
