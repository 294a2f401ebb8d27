"""The bytes of a table of contents, as it is kept beside its layer.

A fixed header, then every column as it lies in memory, each after its length. Equal tables give
equal bytes. It is our own file, but one that may be damaged: whatever the bytes are, ``decode``
returns a table or raises ``DamagedToc``; then it is to be made anew from the layer.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from zlib import crc32

from nacre.errors import Invalid
from nacre.layers.entry import Extent
from nacre.layers.toc import columns
from nacre.layers.toc.table import DIGEST_SIZE, KINDS, Toc, Xattrs
from nacre.layers.whiteout import Role
from nacre.oci.digest import Digest

VERSION = 1

_MAGIC = b"NACRETOC"
_HEADER = struct.Struct("<8sII")  # magic, version, CRC-32 of the rest
_COUNTS = struct.Struct("<QQ")  # rows, size of the tar
_TYPECODES = "HIIqqIq"  # of what _numbers lists
_SECTIONS = 22


class DamagedToc(Invalid):
    """The bytes are no table of contents, are damaged, or of a version unknown here."""

    usual_remedy = "it can be made anew from the layer"


def encode(toc: Toc) -> bytes:
    """Return the bytes of a table."""
    body = _COUNTS.pack(len(toc), toc.size) + columns.join_sections(_sections(toc))
    return _HEADER.pack(_MAGIC, VERSION, crc32(body)) + body


def _sections(toc: Toc) -> Iterator[bytes]:
    yield toc.layer.encode()
    yield b"\0".join(toc.paths)
    yield toc.roles
    yield toc.kinds
    for typecode, column in zip(_TYPECODES, _numbers(toc), strict=True):
        yield columns.pack(typecode, column)
    links = sorted(toc.links.items())
    yield columns.pack("I", (row for row, _ in links))
    yield b"\0".join(link for _, link in links)
    devices = sorted(toc.devices.items())
    yield columns.pack("I", (row for row, _ in devices))
    yield columns.pack("q", (number for _, pair in devices for number in pair))
    # Few different sets of attributes serve many files, above all where every file has a label.
    sets = sorted(set(toc.xattrs.values()))
    position = {pairs: place for place, pairs in enumerate(sets)}
    xattrs = sorted((row, position[pairs]) for row, pairs in toc.xattrs.items())
    yield columns.pack("I", (row for row, _ in xattrs))
    yield columns.pack("I", (place for _, place in xattrs))
    yield columns.pack_xattrs(sets)
    sparse = sorted(toc.sparse.items())
    yield columns.pack("I", (row for row, _ in sparse))
    yield columns.pack("I", (len(extents) for _, extents in sparse))
    yield columns.pack_extents([extents for _, extents in sparse])
    yield toc.digests


def _numbers(toc: Toc) -> tuple[array[int], ...]:
    return toc.modes, toc.uids, toc.gids, toc.sizes, toc.mtimes, toc.nanoseconds, toc.offsets


def decode(data: bytes) -> Toc:
    """Return the table with these bytes; inverse of ``encode``.

    Raises:
        DamagedToc: see the class.
    """
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise DamagedToc("the file is not the table of contents of a layer")
    _, version, checksum = _HEADER.unpack_from(data)
    if version != VERSION:
        raise DamagedToc(f"the table of contents of the layer has the unknown version {version}")
    try:
        with memoryview(data) as whole, whole[_HEADER.size :] as body:
            return _decode(_checked_sections(body, checksum), *_COUNTS.unpack_from(body))
    except (ValueError, struct.error, Invalid) as problem:
        raise DamagedToc(f"the table of contents of the layer is damaged: {problem}") from problem


def _checked_sections(body: memoryview, checksum: int) -> list[bytes]:
    if crc32(body) != checksum:
        raise ValueError("its checksum does not match")
    sections = list(columns.split_sections(body[_COUNTS.size :]))
    if len(sections) != _SECTIONS:
        raise ValueError("it has the wrong number of sections")
    return sections


def _decode(sections: list[bytes], rows: int, size: int) -> Toc:
    layer, paths, roles, kinds, *rest = sections
    numbers = [columns.unpack(code, rest.pop(0), rows) for code in _TYPECODES]
    modes, uids, gids, sizes, mtimes, nanoseconds, offsets = numbers
    if rows and (min(sizes) < 0 or min(offsets) < 0):
        raise ValueError("a size is negative")
    links, targets, devices, pairs, xattrs, chosen, sets, sparse, counts, extents, digests = rest
    if len(digests) not in (0, rows * DIGEST_SIZE):
        raise ValueError("the column of digests has the wrong length")
    return Toc(
        Digest(layer.decode("ascii")),
        size,
        columns.split_texts(paths, rows),
        columns.checked_bytes(roles, rows, bytes(Role)),
        columns.checked_bytes(kinds, rows, bytes(KINDS)),
        modes,
        uids,
        gids,
        sizes,
        mtimes,
        nanoseconds,
        offsets,
        _links(columns.unpack_rows(links, rows), targets),
        _devices(columns.unpack_rows(devices, rows), pairs),
        _xattrs(columns.unpack_rows(xattrs, rows), chosen, sets),
        _sparse(columns.unpack_rows(sparse, rows), counts, extents),
        digests,
    )


def _links(rows: array[int], targets: bytes) -> dict[int, bytes]:
    return dict(zip(rows, columns.split_texts(targets, len(rows)), strict=True))


def _devices(rows: array[int], pairs: bytes) -> dict[int, tuple[int, int]]:
    numbers = columns.unpack("q", pairs, 2 * len(rows))
    return dict(zip(rows, zip(numbers[::2], numbers[1::2], strict=True), strict=True))


def _xattrs(rows: array[int], chosen: bytes, data: bytes) -> dict[int, Xattrs]:
    sets = columns.unpack_xattrs(data)
    places = columns.unpack("I", chosen, len(rows))
    if places and max(places) >= len(sets):
        raise ValueError("a set of attributes is missing")
    return dict(zip(rows, map(sets.__getitem__, places), strict=True))


def _sparse(rows: array[int], counts: bytes, extents: bytes) -> dict[int, tuple[Extent, ...]]:
    maps = columns.unpack_extents(columns.unpack("I", counts, len(rows)), extents)
    return dict(zip(rows, maps, strict=True))
