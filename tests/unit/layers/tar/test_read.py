from __future__ import annotations

import mmap
import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.errors import NacreError
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import BadArchive, LayerLimit, Truncated
from nacre.layers.tar import END_OF_ARCHIVE, Scanner, header_blocks, scan
from nacre.layers.tar.header import encode_header
from nacre.layers.tar.pax import format_records

FILE = Entry(b"file", Kind.REG, size=3)
FILE_BLOCKS = header_blocks(FILE) + b"abc".ljust(512, b"\0")


def special(typeflag: bytes, body: bytes, name: bytes = b"special") -> bytes:
    header = encode_header(name=name, size=len(body), typeflag=typeflag)
    return header + body + bytes(-len(body) % 512)


def extended(*records: tuple[bytes, bytes]) -> bytes:
    return special(b"x", format_records(records))


def with_records(*records: tuple[bytes, bytes]) -> Entry:
    (entry,) = scan(extended(*records) + FILE_BLOCKS)
    return entry


def resummed(block: bytes) -> bytes:
    checksum = sum(block[:148]) + 8 * 32 + sum(block[156:512])
    return block[:148] + b"%06o\0 " % checksum + block[156:]


def patched(blocks: bytes, offset: int, value: bytes) -> bytes:
    return resummed(blocks[:offset] + value + blocks[offset + len(value) :])


Seen = tuple[bytes, bytes, int, int, int, int, int, bytes, int]


def seen(entry: Entry) -> Seen:
    return (
        entry.name.rstrip(b"/"),
        entry.kind.value,
        entry.mode,
        entry.uid,
        entry.gid,
        entry.size,
        entry.mtime,
        entry.linkname,
        entry.data_offset,
    )


def seen_by_tarfile(data: bytes) -> list[Seen]:
    with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
        return [
            (
                os.fsencode(member.name),
                b"0" if member.isreg() else member.type,
                member.mode & 0o7777,
                member.uid,
                member.gid,
                member.size if member.isreg() else 0,
                int(member.mtime // 1),
                os.fsencode(member.linkname) if member.issym() or member.islnk() else b"",
                member.offset_data,
            )
            for member in archive
        ]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for size in (0, 1, 511, 512, 513, 70_000):
        (root / f"size{size}").write_bytes(b"x" * size)
    deep = root / "directory" / "below"
    deep.mkdir(parents=True)
    (deep / "été ☃").write_bytes(b"unicode")
    os.symlink("../size1", root / "directory" / "symlink")
    os.link(root / "size513", root / "directory" / "hard link")
    os.mkfifo(root / "fifo", 0o600)
    (root / "suid").write_bytes(b"")
    (root / "suid").chmod(0o6755)
    for time, name in ((0, "size0"), (1_700_000_000.25, "size1"), (2**33, "size511")):
        os.utime(root / name, (time, time))
    return root


@pytest.fixture(scope="module")
def long_tree(tree: Path) -> Path:
    folder = tree / ("d" * 90) / ("e" * 90) / ("f" * 90)
    folder.mkdir(parents=True)
    (folder / ("g" * 200)).write_bytes(b"long")
    os.symlink("t" * 300, folder / "long target")
    os.link(folder / ("g" * 200), folder / "hard")
    return tree


def gnu_tar(tree: Path, *options: str) -> bytes:
    command = ["tar", "-c", "-C", os.fspath(tree), "--sort=name", *options, "."]
    return subprocess.run(command, check=True, capture_output=True).stdout


# What GNU tar writes, as tarfile and GNU tar itself see it.


@pytest.mark.parametrize("form", ["v7", "ustar", "oldgnu", "gnu", "pax", "posix"])
def test_gnu_tar_formats_are_read(tree: Path, form: str) -> None:
    skip = ["--exclude=" + "d" * 90] + (["--exclude=fifo"] if form == "v7" else [])
    if form in ("v7", "ustar"):
        skip.append("--exclude=size511")  # its time does not fit
    data = gnu_tar(tree, f"--format={form}", *skip)
    assert len(scan(data)) >= 9
    assert [seen(entry) for entry in scan(data)] == seen_by_tarfile(data)


@pytest.mark.parametrize("form", ["oldgnu", "gnu", "pax", "posix"])
def test_long_names_and_links_of_gnu_tar_are_read(long_tree: Path, form: str) -> None:
    data = gnu_tar(long_tree, f"--format={form}")
    entries = scan(data)
    assert any(len(entry.name) > 400 for entry in entries)
    assert any(len(entry.linkname) == 300 for entry in entries)
    assert [seen(entry) for entry in entries] == seen_by_tarfile(data)
    listed = subprocess.run(
        ["tar", "-t", "--quoting-style=literal"], input=data, check=True, capture_output=True
    )
    assert [entry.name for entry in entries] == listed.stdout.splitlines()


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_large_and_negative_numbers_of_gnu_tar_are_read(tree: Path, form: str) -> None:
    owner = "4294967294" if form == "gnu" else "3000000"
    options = [f"--owner=:{owner}", f"--group=:{owner}", "--mtime=@-86401"]
    data = gnu_tar(tree, f"--format={form}", "--exclude=" + "d" * 90, *options)
    entries = scan(data)
    assert {(e.uid, e.gid, e.mtime) for e in entries} == {(int(owner), int(owner), -86401)}
    assert [seen(entry) for entry in entries] == seen_by_tarfile(data)


def test_xattrs_of_gnu_tar_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    try:
        os.setxattr(tmp_path / "file", "user.empty", b"")
        os.setxattr(tmp_path / "file", "user.raw", b"a=\0\n\xff")
    except OSError:
        pytest.skip("no user xattrs here")
    data = gnu_tar(tmp_path, "--format=pax", "--xattrs", "--xattrs-include=user.*")
    found = {entry.name: entry.xattrs for entry in scan(data)}
    assert found[b"./file"] == ((b"user.empty", b""), (b"user.raw", b"a=\0\n\xff"))


def test_sub_second_times_keep_their_nanoseconds(tree: Path) -> None:
    data = gnu_tar(tree, "--format=pax")
    times = {entry.name: (entry.mtime, entry.mtime_nsec) for entry in scan(data)}
    assert times[b"./size1"] == (1_700_000_000, 250_000_000)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_devices_have_their_numbers(form: int) -> None:
    target = BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, kind in (("null", tarfile.CHRTYPE), ("sda", tarfile.BLKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.devmajor, member.devminor = kind, 259, 1_048_575
            archive.addfile(member)
    null, sda = scan(target.getvalue())
    assert (null.kind, null.devmajor, null.devminor) == (Kind.CHR, 259, 1_048_575)
    assert (sda.kind, sda.devmajor, sda.devminor) == (Kind.BLK, 259, 1_048_575)


# Where entries lie.


def test_offsets_lead_to_headers_and_data() -> None:
    data = FILE_BLOCKS + extended((b"path", b"second")) + FILE_BLOCKS + END_OF_ARCHIVE
    first, second = scan(data)
    assert (first.header_offset, first.data_offset, first.stored_size) == (0, 512, 3)
    assert (second.header_offset, second.data_offset) == (1024, 2560)
    assert data[second.data_offset :][: second.stored_size] == b"abc"


def test_a_memory_map_is_scanned_in_place(tmp_path: Path) -> None:
    path = tmp_path / "layer.tar"
    path.write_bytes(FILE_BLOCKS + END_OF_ARCHIVE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        assert [entry.name for entry in scan(view)] == [b"file"]


# Kinds.


@pytest.mark.parametrize("kind", Kind)
def test_only_files_have_a_body(kind: Kind) -> None:
    lying = encode_header(name=b"lying", size=512, typeflag=kind.value, linkname=b"to")
    inside = encode_header(name=b"inside", typeflag=b"0")
    found = [(entry.name, entry.size) for entry in scan(lying + inside)]
    assert found == ([(b"lying", 512)] if kind is Kind.REG else [(b"lying", 0), (b"inside", 0)])


@pytest.mark.parametrize("typeflag", [b"\0", b"7"])
def test_old_and_contiguous_files_are_files(typeflag: bytes) -> None:
    data = patched(FILE_BLOCKS, 156, typeflag)
    assert [(entry.kind, entry.size) for entry in scan(data)] == [(Kind.REG, 3)]


def test_a_v7_name_with_a_slash_is_a_directory() -> None:
    data = encode_header(name=b"old/", typeflag=b"\0")
    assert scan(data)[0].kind is Kind.DIR


@pytest.mark.parametrize("typeflag", [b"D", b"M", b"N", b"V", b"X", b"8", b"\xff"])
def test_an_unknown_type_is_refused(typeflag: bytes) -> None:
    with pytest.raises(BadArchive, match="none a layer can hold"):
        scan(patched(FILE_BLOCKS, 156, typeflag))


@pytest.mark.parametrize("offset", [100, 108, 116])
def test_a_negative_mode_or_owner_is_refused(offset: int) -> None:
    with pytest.raises(BadArchive, match="out of range"):
        scan(patched(FILE_BLOCKS, offset, b"\xff" * 8))


def test_an_owner_beyond_32_bits_is_refused() -> None:
    assert with_records((b"uid", b"4294967295")).uid == 4294967295
    with pytest.raises(BadArchive, match="out of range"):
        with_records((b"gid", b"4294967296"))


def test_a_negative_device_number_is_refused() -> None:
    device = encode_header(name=b"null", typeflag=b"3")
    with pytest.raises(BadArchive, match="device number"):
        scan(patched(device, 329, b"\xff" * 8))


def test_file_type_bits_in_a_mode_are_dropped() -> None:
    assert scan(patched(FILE_BLOCKS, 100, b"0100644\0"))[0].mode == 0o644


# Extended headers.


def test_pax_records_override_the_header() -> None:
    entry = with_records(
        (b"path", b"other/\xff"),
        (b"uid", b"3000000"),
        (b"gid", b"3000001"),
        (b"mtime", b"-1.5"),
        (b"atime", b"ignored"),
        (b"SCHILY.xattr.user.a", b"1"),
    )
    assert entry.name == b"other/\xff"
    assert (entry.uid, entry.gid) == (3000000, 3000001)
    assert (entry.mtime, entry.mtime_nsec) == (-2, 500_000_000)
    assert entry.xattrs == ((b"user.a", b"1"),)


def test_the_pax_size_says_where_the_next_header_is() -> None:
    lying = encode_header(name=b"a", size=0, typeflag=b"0")
    hidden = FILE_BLOCKS
    data = extended((b"size", b"1024")) + lying + hidden + FILE_BLOCKS
    assert [(e.name, e.size) for e in scan(data)] == [(b"a", 1024), (b"file", 3)]


def test_the_pax_size_does_not_apply_to_a_long_name_between() -> None:
    data = extended((b"size", b"3")) + special(b"L", b"long" * 50 + b"\0") + FILE_BLOCKS
    assert [entry.name for entry in scan(data)] == [b"long" * 50]


def test_of_equal_pax_records_the_last_counts() -> None:
    assert with_records((b"path", b"first"), (b"path", b"last")).name == b"last"


@pytest.mark.parametrize("key", [b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime"])
def test_an_empty_pax_value_leaves_the_header(key: bytes) -> None:
    (plain,) = scan(FILE_BLOCKS)
    entry = with_records((key, b""))
    assert entry[:9] == plain[:9]


@pytest.mark.parametrize("key", [b"path", b"linkpath"])
def test_a_nul_in_a_pax_path_is_refused(key: bytes) -> None:
    with pytest.raises(BadArchive, match="NUL"):
        with_records((key, b"a\0b"))


@pytest.mark.parametrize("value", [b"-1", b"-512", b"1e3", b"9223372036854775808"])
def test_a_malformed_pax_size_is_refused(value: bytes) -> None:
    with pytest.raises(BadArchive, match="number"):
        with_records((b"size", value))


def test_an_extended_header_lasts_for_one_member() -> None:
    data = extended((b"path", b"renamed")) + FILE_BLOCKS + FILE_BLOCKS
    assert [entry.name for entry in scan(data)] == [b"renamed", b"file"]


def test_global_headers_are_ignored() -> None:
    data = special(b"g", format_records([(b"path", b"all"), (b"size", b"9")])) + FILE_BLOCKS
    assert [(entry.name, entry.size) for entry in scan(data)] == [(b"file", 3)]


def test_two_extended_headers_for_one_member_are_refused() -> None:
    with pytest.raises(BadArchive, match="two extended headers"):
        scan(extended((b"path", b"a")) + extended((b"path", b"b")) + FILE_BLOCKS)


@pytest.mark.parametrize("after", [END_OF_ARCHIVE, special(b"g", b"") + FILE_BLOCKS])
def test_an_extended_header_without_a_member_is_refused(after: bytes) -> None:
    with pytest.raises(BadArchive, match="malformed"):
        scan(extended((b"path", b"a")) + after)


def test_a_gnu_long_name_and_link_belong_together() -> None:
    link = encode_header(name=b"cut", typeflag=b"2", linkname=b"cut")
    data = special(b"K", b"t" * 200 + b"\0") + special(b"L", b"n" * 200 + b"\0junk") + link
    (entry,) = scan(data)
    assert (entry.name, entry.linkname) == (b"n" * 200, b"t" * 200)


def test_an_empty_extended_header_changes_nothing() -> None:
    (entry,) = scan(special(b"x", b"") + FILE_BLOCKS)
    assert (entry.name, entry.header_offset, entry.data_offset) == (b"file", 0, 1024)


# The end.


def test_two_zero_blocks_end_the_archive_whatever_follows() -> None:
    scanner = Scanner()
    assert [e.name for e in scanner.feed(FILE_BLOCKS + END_OF_ARCHIVE + b"junk")] == [b"file"]
    assert scanner.feed(FILE_BLOCKS) == []
    scanner.finish()
    assert scanner.has_end_marker


@pytest.mark.parametrize("tail", [b"", bytes(512)])
def test_a_missing_end_marker_is_accepted(tail: bytes) -> None:
    scanner = Scanner()
    assert len(scanner.feed(FILE_BLOCKS + tail)) == 1
    scanner.finish()
    assert not scanner.has_end_marker


def test_no_bytes_at_all_are_an_empty_archive() -> None:
    assert scan(b"") == []
    assert scan(END_OF_ARCHIVE) == []


def test_missing_padding_at_the_end_is_accepted() -> None:
    assert len(scan(FILE_BLOCKS[: 512 + 3])) == 1


@pytest.mark.parametrize("cut", [1, 511, 512, 513, 514])
def test_a_truncated_header_or_body_is_an_error(cut: int) -> None:
    with pytest.raises(Truncated, match="byte 1024") as caught:
        scan(FILE_BLOCKS + FILE_BLOCKS[:cut])
    assert caught.value.offset == 1024


@pytest.mark.parametrize("cut", [100, 512, 515, 1024])
def test_a_truncated_extended_header_is_an_error(cut: int) -> None:
    with pytest.raises(Truncated):
        scan((extended((b"path", b"a" * 200)) + FILE_BLOCKS)[:cut])


def test_a_truncated_global_header_is_an_error() -> None:
    with pytest.raises(Truncated):
        scan(special(b"g", b"x" * 600)[:1000])


def test_a_lone_zero_block_inside_is_an_error() -> None:
    with pytest.raises(BadArchive, match="zero block"):
        scan(bytes(512) + FILE_BLOCKS)


def test_an_error_says_where() -> None:
    with pytest.raises(BadArchive, match="at byte 1024 is malformed: its checksum") as caught:
        scan(FILE_BLOCKS + b"F" + FILE_BLOCKS[1:])
    assert caught.value.offset == 1024


# Never backward (CVE-2019-20907, CVE-2025-8194).


@pytest.mark.parametrize("typeflag", [b"0", b"1", b"5", b"L", b"K", b"x", b"g", b"S"])
def test_a_negative_size_is_refused_in_every_header(typeflag: bytes) -> None:
    block = encode_header(name=b"a", typeflag=typeflag)
    negative = patched(block, 124, (-512).to_bytes(12, "big", signed=True))
    with pytest.raises(BadArchive, match="size is negative"):
        scan(FILE_BLOCKS + negative)


def test_a_pax_record_of_length_zero_does_not_loop() -> None:
    with pytest.raises(BadArchive, match="PAX record"):
        scan(special(b"x", b"0 a=b\n") + FILE_BLOCKS)


# Limits.


def test_the_number_of_entries_is_limited() -> None:
    assert len(scan(FILE_BLOCKS * 3, max_entries=3)) == 3
    with pytest.raises(LayerLimit, match="more than 2 entries") as caught:
        scan(FILE_BLOCKS * 3, max_entries=2)
    assert (caught.value.limit, caught.value.maximum) == ("max_entries", 2)


@pytest.mark.parametrize("key", [b"path", b"linkpath"])
def test_the_length_of_names_is_limited(key: bytes) -> None:
    link = encode_header(name=b"l", typeflag=b"2", linkname=b"t")
    assert scan(extended((key, b"n" * 4096)) + link)
    with pytest.raises(LayerLimit) as caught:
        scan(extended((key, b"n" * 4097)) + link)
    assert caught.value.limit == "max_name"


def test_the_depth_of_names_is_limited() -> None:
    assert with_records((b"path", b"a/" * 512)).name.endswith(b"a/")
    with pytest.raises(LayerLimit) as caught:
        with_records((b"path", b"a/" * 513))
    assert caught.value.limit == "max_depth"


@pytest.mark.parametrize("typeflag", [b"x", b"L", b"K"])
def test_the_size_of_extended_headers_is_limited_before_they_are_read(typeflag: bytes) -> None:
    header = encode_header(name=b"a", size=(1 << 20) + 1, typeflag=typeflag)
    with pytest.raises(LayerLimit) as caught:
        Scanner().feed(header)
    assert caught.value.limit == "max_extended"


def test_a_body_is_never_held() -> None:
    scanner = Scanner()
    (entry,) = scanner.feed(encode_header(name=b"big", size=1 << 32, typeflag=b"0"))
    assert entry.size == 1 << 32
    for _ in range(64):
        scanner.feed(bytes(1 << 20))
        assert len(scanner._held) == 0
    with pytest.raises(Truncated):
        scanner.finish()


# Pieces and noise.

Outcome = tuple[list[Entry], str]


def outcome(data: bytes, size: int) -> Outcome:
    scanner = Scanner(max_entries=50)
    found: list[Entry] = []
    try:
        for start in range(0, len(data), size):
            found += scanner.feed(data[start : start + size])
        scanner.finish()
    except NacreError as error:
        return found, f"{type(error).__name__}: {error}"
    return found, "complete"


SAMPLE = (
    extended((b"path", b"p" * 300), (b"SCHILY.xattr.user.a", b"\0" * 600))
    + FILE_BLOCKS
    + special(b"g", b"")
    + special(b"K", b"t" * 200)
    + special(b"L", b"n" * 600)
    + encode_header(name=b"cut", typeflag=b"2", linkname=b"cut")
    + encode_header(name=b"d/", typeflag=b"5")
    + FILE_BLOCKS
    + END_OF_ARCHIVE
    + b"trailing"
)


@pytest.mark.parametrize("size", [1, 2, 3, 100, 511, 512, 513, 1000, 4096])
def test_how_the_archive_is_cut_does_not_matter(size: int) -> None:
    whole = outcome(SAMPLE, len(SAMPLE))
    assert len(whole[0]) == 4
    assert whole[1] == "complete"
    assert outcome(SAMPLE, size) == whole


@given(
    st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=3),
    st.integers(0, len(SAMPLE)),
    st.booleans(),
    st.sampled_from([1, 7, 512, 700]),
)
@settings(max_examples=200, deadline=None)
def test_a_damaged_archive_gives_the_same_error_however_it_is_cut(
    damage: list[tuple[int, int]], end: int, resum: bool, size: int
) -> None:
    data = bytearray(SAMPLE)
    for position, value in damage:
        data[position] = value
        block = position // 512 * 512
        if resum and data[block + 257 : block + 262] == b"ustar":
            data[block : block + 512] = resummed(bytes(data[block : block + 512]))
    cut = bytes(data[:end])
    expected_entries, expected_end = outcome(cut, max(len(cut), 1))
    entries, ending = outcome(cut, size)
    assert ending == expected_end
    if ending == "complete":
        assert entries == expected_entries


@given(st.binary(max_size=2000))
def test_noise_is_refused_without_a_traceback(noise: bytes) -> None:
    outcome(noise, 512)


@given(st.lists(st.tuples(st.sampled_from("xgLKS0125"), st.binary(max_size=600)), max_size=6))
@settings(deadline=None)
def test_noise_behind_sound_headers_is_refused_without_a_traceback(
    members: list[tuple[str, bytes]],
) -> None:
    outcome(b"".join(special(flag.encode(), body) for flag, body in members), 1 << 20)
