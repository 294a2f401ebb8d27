"""The quick way to read a header makes what the slow way makes, or leaves it alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.layers.entry import Entry, Kind
from nacre.layers.tar.header import BLOCK, ZERO_BLOCK, decode_header, encode_header
from nacre.layers.tar.member import plain_entry
from nacre.layers.tar.read import Scanner, scan
from nacre.layers.tar.usual import usual_entry

OCTAL_8 = st.integers(0, 0o7777777)
HEADERS = st.builds(
    encode_header,
    name=st.binary(max_size=100),
    prefix=st.sampled_from([b"", b"", b"deep/down"]),
    mode=OCTAL_8,
    uid=OCTAL_8,
    gid=OCTAL_8,
    size=st.integers(0, 0o77777777777),
    mtime=st.integers(0, 0o77777777777),
    typeflag=st.sampled_from([bytes([code]) for code in b"\x000123456789xgLKSz"]),
    linkname=st.binary(max_size=100),
)
CHANGES = st.lists(st.tuples(st.integers(0, BLOCK - 1), st.integers(0, 255)), max_size=4)


def slow_entry(block: bytes, position: int) -> Entry:
    return plain_entry(decode_header(block), header_offset=position, data_offset=position + BLOCK)


def with_checksum(block: bytes) -> bytes:
    blank = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(blank) + block[156:]


@given(HEADERS, CHANGES, st.booleans())
def test_what_it_reads_is_what_the_slow_way_reads(
    header: bytes, changes: list[tuple[int, int]], is_summed: bool
) -> None:
    block = bytearray(header)
    for place, byte in changes:
        block[place] = byte
    changed = with_checksum(bytes(block)) if is_summed else bytes(block)
    entry = usual_entry(changed, 1024)
    assert entry is None or entry == slow_entry(changed, 1024)


@pytest.mark.parametrize("kind", [Kind.REG, Kind.DIR, Kind.SYMLINK, Kind.LINK])
def test_it_reads_what_is_usual(kind: Kind) -> None:
    block = encode_header(
        name=b"usr/bin/tool",
        mode=0o755,
        uid=7,
        size=9,
        mtime=99,
        typeflag=kind.value,
        linkname=b"x",
    )
    entry = usual_entry(block, 512)
    assert entry == slow_entry(block, 512)


@pytest.mark.parametrize(
    "block",
    [
        ZERO_BLOCK,
        encode_header(name=b"\xc3\xa4", typeflag=b"0"),
        encode_header(name=b"a", prefix=b"b", typeflag=b"0"),
        encode_header(name=b"a", typeflag=b"x"),
        encode_header(name=b"a", typeflag=b"3"),
        encode_header(name=b"a", typeflag=b"0").replace(b"a", b"b", 1),
        with_checksum(encode_header(name=b"a", typeflag=b"0").replace(b"0000644", b"0000_44")),
    ],
    ids=["zeros", "not ASCII", "prefix", "extended", "device", "checksum", "number"],
)
def test_it_leaves_the_rest_alone(block: bytes) -> None:
    assert usual_entry(block, 0) is None


@given(st.lists(HEADERS.filter(lambda block: block[156:157] in b"0125"), max_size=8), st.data())
def test_entries_do_not_depend_on_how_the_tar_is_cut(
    blocks: list[bytes], data: st.DataObject
) -> None:
    small = [with_checksum(each[:124] + b"00000000003\0" + each[136:]) for each in blocks]
    bodies = [b"abc".ljust(BLOCK, b"\0") if each[156:157] == b"0" else b"" for each in small]
    tar = b"".join(map(bytes.__add__, small, bodies)) + bytes(2 * BLOCK)
    cut = data.draw(st.integers(0, len(tar)))
    scanner = Scanner()
    found = scanner.feed(tar[:cut]) + scanner.feed(tar[cut:])
    scanner.finish()
    assert found == scan(tar)
    one_by_one = Scanner()
    assert [e for at in range(len(tar)) for e in one_by_one.feed(tar[at : at + 1])] == found
