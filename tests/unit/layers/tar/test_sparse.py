from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nacre.layers.entry import Entry, Extent, Kind
from nacre.layers.errors import BadArchive, LayerLimit, Truncated
from nacre.layers.tar import Scanner, scan
from nacre.layers.tar.header import encode_header
from nacre.layers.tar.pax import Record, format_records

FORMATS = {
    "oldgnu": ["--format=oldgnu"],
    "gnu": ["--format=gnu"],
    "pax 0.0": ["--format=pax", "--sparse-version=0.0"],
    "pax 0.1": ["--format=pax", "--sparse-version=0.1"],
    "pax 1.0": ["--format=pax", "--sparse-version=1.0"],
}
# 4 extents fit an old header, 21 more each block behind it.
EXTENTS = {"few": 2, "one block more": 20, "many": 300}


def expanded(data: bytes, entry: Entry) -> bytes:
    assert entry.sparse is not None
    whole = bytearray(entry.size)
    position = entry.data_offset
    for offset, length in entry.sparse:
        whole[offset : offset + length] = data[position : position + length]
        position += length
    assert position == entry.data_offset + entry.stored_size
    return bytes(whole)


@pytest.fixture(scope="module")
def holes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("holes")
    for name, count in EXTENTS.items():
        with (root / name).open("wb") as file:
            for number in range(count):
                file.seek(number * 20_480 + 4096)
                file.write(bytes([number % 255 + 1]) * 512)
            file.truncate(count * 20_480 + 1000)
    (root / "nothing but a hole").write_bytes(b"")
    os.truncate(root / "nothing but a hole", 50_000)
    (root / "without holes").write_bytes(b"x" * 1000)
    return root


@pytest.mark.parametrize("form", FORMATS)
def test_sparse_files_of_gnu_tar_are_read(holes: Path, form: str) -> None:
    command = ["tar", "-c", "-C", os.fspath(holes), "--sparse", "--hole-detection=raw"]
    data = subprocess.run(
        [*command, *FORMATS[form], *sorted(os.listdir(holes))], check=True, capture_output=True
    ).stdout
    entries = {os.fsdecode(entry.name): entry for entry in scan(data)}
    assert sorted(entries) == sorted(os.listdir(holes))
    assert entries["without holes"].sparse is None
    for name in (*EXTENTS, "nothing but a hole"):
        entry = entries[name]
        content = (holes / name).read_bytes()
        assert entry.kind is Kind.REG
        assert entry.stored_size < entry.size == len(content)
        assert entry.data_offset % 512 == 0
        assert expanded(data, entry) == content
    fed: list[Entry] = []
    scanner = Scanner()
    for start in range(0, len(data), 500):
        fed += scanner.feed(data[start : start + 500])
    assert fed == list(entries.values())


def member(*records: Record, body: bytes = b"", typeflag: bytes = b"0") -> bytes:
    text = format_records(records)
    return (
        encode_header(name=b"x", size=len(text), typeflag=b"x")
        + text
        + bytes(-len(text) % 512)
        + encode_header(name=b"stand-in", size=len(body), typeflag=typeflag)
        + body
        + bytes(-len(body) % 512)
    )


def map_member(text: bytes, *, size: int = 100, body: bytes = b"") -> bytes:
    return member((b"GNU.sparse.size", b"%d" % size), (b"GNU.sparse.map", text), body=body)


def body_member(body: bytes) -> bytes:
    return member(
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.realsize", b"100"),
        body=body,
    )


def test_empty_extents_are_dropped() -> None:
    (entry,) = scan(map_member(b"0,0,5,3,8,0,100,0", body=b"abc"))
    assert entry.sparse == (Extent(5, 3),)
    assert (entry.size, entry.stored_size) == (100, 3)


def test_an_empty_map_is_a_hole() -> None:
    (entry,) = scan(map_member(b""))
    assert (entry.sparse, entry.size) == ((), 100)


def test_the_sparse_name_replaces_the_stand_in() -> None:
    data = member(
        (b"GNU.sparse.map", b"0,3"),
        (b"GNU.sparse.realsize", b"3"),
        (b"GNU.sparse.name", b"real"),
        (b"path", b"./GNUSparseFile.0/real"),
        body=b"abc",
    )
    assert scan(data)[0].name == b"real"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"0,2,1,1", "in order"),  # overlapping
        (b"5,1,0,2", "in order"),
        (b"98,3", "beyond the end"),
        (b"0,2", "stored bytes"),
        (b"0,4", "stored bytes"),
        (b"0", "pairs"),
        (b"0,-3", "decimal number"),
        (b"0,,3", "decimal number"),
        (b"0,9223372036854775807,9223372036854775807,1", "in order|beyond"),
    ],
)
def test_a_malformed_map_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(BadArchive, match=problem):
        scan(map_member(text, body=b"abc"))


@pytest.mark.parametrize(
    "records",
    [
        [(b"GNU.sparse.numbytes", b"0")],
        [(b"GNU.sparse.offset", b"0"), (b"GNU.sparse.offset", b"1")],
        [(b"GNU.sparse.offset", b"0")],
    ],
)
def test_format_0_0_alternates_offsets_and_lengths(records: list[Record]) -> None:
    with pytest.raises(BadArchive, match="pairs"):
        scan(member((b"GNU.sparse.size", b"9"), *records))


def test_a_map_needs_the_size_of_the_file() -> None:
    with pytest.raises(BadArchive, match="without the size"):
        scan(member((b"GNU.sparse.map", b"0,3"), body=b"abc"))


@pytest.mark.parametrize("version", [(b"1", b"1"), (b"2", b"0"), (b"0", b"7")])
def test_an_unknown_version_is_refused(version: tuple[bytes, bytes]) -> None:
    major, minor = version
    with pytest.raises(BadArchive, match="unknown version"):
        scan(
            member(
                (b"GNU.sparse.major", major),
                (b"GNU.sparse.minor", minor),
                (b"GNU.sparse.size", b"3"),
            )
        )


def test_only_a_file_can_be_sparse() -> None:
    with pytest.raises(BadArchive, match="is no file"):
        scan(member((b"GNU.sparse.size", b"3"), typeflag=b"5"))


def test_a_map_in_the_body_stands_before_the_data() -> None:
    data = body_member(b"1\n10\n3\n".ljust(512, b"\0") + b"abc")
    (entry,) = scan(data)
    assert entry.sparse == (Extent(10, 3),)
    assert data[entry.data_offset :][: entry.stored_size] == b"abc"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "longer than its body"),
        (b"1\n10\n", "longer than its body"),
        (b"1\n10\n3\n", "stored bytes"),
        (b"x\n".ljust(512, b"\0"), "decimal number"),
        (b"-1\n".ljust(512, b"\0"), "decimal number"),
        (b"9" * 512, "begin with a number"),
    ],
)
def test_a_malformed_map_in_the_body_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(BadArchive, match=problem):
        scan(body_member(body))


def test_the_size_of_a_map_in_the_body_is_limited() -> None:
    body = b"9999999\n" + b"0\n" * 4096
    with pytest.raises(LayerLimit) as caught:
        scan(body_member(body), max_extended=4096)
    assert caught.value.limit == "max_extended"


def test_the_size_of_an_old_map_is_limited() -> None:
    header = bytearray(encode_header(name=b"s", typeflag=b"S"))
    header[482] = 1
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
    more = bytes(504) + b"\1" + bytes(7)
    with pytest.raises(LayerLimit) as caught:
        scan(bytes(header) + more * 9, max_extended=4096)
    assert caught.value.limit == "max_extended"
    with pytest.raises(Truncated):
        scan(bytes(header) + more)


def test_the_holes_of_all_files_together_are_limited() -> None:
    hole = member((b"GNU.sparse.map", b"4096,3"), (b"GNU.sparse.size", b"5003"), body=b"abc")
    one = hole + bytes(-len(hole) % 512)
    scanner = Scanner(max_holes=10_000)
    assert len(scanner.feed(one * 2)) == 2
    with pytest.raises(LayerLimit, match="10000 bytes of holes") as caught:
        scanner.feed(one)
    assert caught.value.limit == "max_holes"
