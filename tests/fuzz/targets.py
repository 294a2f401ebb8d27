"""What is fuzzed, and what must hold whatever the bytes are.

A target takes bytes and returns, or raises what is a finding: anything but nacre's own errors,
or an AssertionError of its own. It keeps nothing, and knows nothing of whoever calls it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from itertools import pairwise
from zlib import crc32

from nacre.erofs.reader import Image
from nacre.erofs.writer import write_image
from nacre.errors import NacreError
from nacre.layers.compression import Decompressor
from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import Scanner
from nacre.layers.tar.header import BLOCK, decode_header
from nacre.layers.tar.member import plain_entry
from nacre.layers.tar.usual import usual_entry
from nacre.layers.toc import DamagedToc, Toc, TocBuilder, decode, encode
from nacre.layers.union import union
from nacre.oci.digest import Digest
from nacre.storage.erofs.tree import plan
from nacre.testing.hard_stacks import BASE
from nacre.testing.members import table, tar_of
from tests.unit.erofs.probing import probe

MAX_ENTRIES, MAX_NAME, MAX_DEPTH, MAX_EXTENDED = 24, 200, 12, 1500
"""Limits of the scanner, low enough for small inputs to exceed them."""
MAX_OUTPUT = 1 << 20
MAX_METADATA = 4096

_INT64 = 1 << 63
_BASE = table(tar_of(BASE))


def fuzz_tar(data: bytes) -> None:
    """The reader of tars: the same whatever the pieces, every number in its range."""
    entries = _scanned(data, len(data) or 1)
    assert _scanned(data, _step(data)) == entries
    if isinstance(entries, list):
        _check_entries(entries, len(data))
    if len(data) >= BLOCK:
        _check_usual(data[:BLOCK])
    _check_table(data)


def fuzz_toc(data: bytes) -> None:
    """The codec of tables of contents: a table that can be read and written, or its error."""
    try:
        toc = decode(data)
    except DamagedToc:
        return
    for row, entry in enumerate(toc):
        assert entry.size >= 0
        toc.role(row)
        toc.digest(row)
    assert decode(encode(toc)) == toc


def fuzz_union(data: bytes) -> None:
    """A layer between two sound ones: their tree, and the index that is mounted."""
    toc = _table(data)
    if toc is None:
        return
    try:
        tree = union([_BASE, toc, _BASE])
        planned = plan(tree)
        out = io.BytesIO()
        write_image(out, planned.source, planned.devices)
    except NacreError:
        return
    image = Image(_Guarded(out.getvalue()))
    found = sorted(found.path for found in image.walk())
    assert found == sorted(path for path, _ in tree.walk())


def fuzz_erofs(data: bytes) -> None:
    """The reader of EROFS images: it ends, and reads nothing beyond the image."""
    probe(_Guarded(data))


def fuzz_compression(data: bytes) -> None:
    """The reader of compressed streams: the same whatever the pieces, never more than agreed."""
    assert _inflated(data, len(data) or 1) == _inflated(data, _step(data))


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "tar": fuzz_tar,
    "toc": fuzz_toc,
    "union": fuzz_union,
    "erofs": fuzz_erofs,
    "compression": fuzz_compression,
}


class _Guarded(bytes):
    """Bytes that may not be sliced beyond their ends, which Python would not mind."""

    def __getitem__(self, key: slice) -> bytes:  # type: ignore[override]
        assert 0 <= key.start <= key.stop <= len(self), key
        return super().__getitem__(key)


def _step(data: bytes) -> int:
    # The same for the same bytes; small steps only where they do not take for ever.
    steps = (511, 512, 513, 1000, 4096) if len(data) > 2048 else (1, 7, 100, 512, 700)
    return steps[crc32(data) % len(steps)]


def _scanned(data: bytes, step: int) -> list[Entry] | str:
    scanner = Scanner(
        max_entries=MAX_ENTRIES,
        max_name=MAX_NAME,
        max_depth=MAX_DEPTH,
        max_extended=MAX_EXTENDED,
    )
    entries: list[Entry] = []
    try:
        for start in range(0, len(data), step):
            entries += scanner.feed(data[start : start + step])
            assert len(scanner._held) <= max(MAX_EXTENDED, BLOCK)
            assert len(entries) <= MAX_ENTRIES
        scanner.finish()
    except NacreError as problem:
        return f"{type(problem).__name__}: {problem}"
    return entries


def _check_entries(entries: list[Entry], length: int) -> None:
    for entry in entries:
        assert len(entry.name) <= MAX_NAME >= len(entry.linkname)
        assert entry.name.count(b"/") <= MAX_DEPTH
        assert 0 <= entry.header_offset < entry.data_offset
        assert entry.data_offset % BLOCK == 0
        assert entry.data_offset + entry.stored_size <= length
        assert 0 <= entry.stored_size <= entry.size < _INT64
        assert 0 <= entry.mode <= 0o7777
        assert max(entry.uid, entry.gid) < 1 << 32 > min(entry.uid, entry.gid) >= 0
        assert -_INT64 <= entry.mtime < _INT64
        assert 0 <= entry.mtime_nsec < 10**9
        assert min(entry.devmajor, entry.devminor) >= 0
        assert all(one[0] < two[0] for one, two in pairwise(entry.xattrs))
        _check_map(entry)
    for before, after in pairwise(entries):
        assert before.data_offset + before.stored_size <= after.header_offset


def _check_map(entry: Entry) -> None:
    if entry.sparse is None:
        assert entry.stored_size == (entry.size if entry.kind is Kind.REG else 0)
        return
    end = 0
    for extent in entry.sparse:
        assert end <= extent.offset
        assert extent.length > 0
        end = extent.offset + extent.length
    assert end <= entry.size
    assert sum(extent.length for extent in entry.sparse) == entry.stored_size


def _check_usual(block: bytes) -> None:
    # The quick way is nothing but quick.
    if (quick := usual_entry(block, 0)) is not None:
        header = decode_header(block)
        assert quick == plain_entry(header, header_offset=0, data_offset=BLOCK)


def _check_table(data: bytes) -> None:
    toc = _table(data)
    if toc is None:
        return
    assert decode(encode(toc)) == toc
    for row, entry in enumerate(toc):
        digest = toc.digest(row)
        if digest is not None and entry.sparse is None:
            content = data[entry.data_offset : entry.data_offset + entry.size]
            assert digest.encoded == hashlib.sha256(content).hexdigest()


def _table(data: bytes) -> Toc | None:
    builder = TocBuilder(digests=True, max_metadata=MAX_METADATA)
    step = _step(data)
    try:
        for start in range(0, len(data), step):
            builder.feed(data[start : start + step])
        return builder.finish(Digest.of(data))
    except NacreError:
        return None


def _inflated(data: bytes, step: int) -> bytes | None:
    decompressor = Decompressor(max_output=MAX_OUTPUT)
    output = bytearray()
    try:
        for start in range(0, len(data), step):
            for piece in decompressor.feed(data[start : start + step]):
                output += piece
                assert len(output) <= MAX_OUTPUT
        output += decompressor.finish()
    except NacreError:
        return None
    return bytes(output)
