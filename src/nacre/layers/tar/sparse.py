"""Maps of sparse files: GNU's old one in header blocks, and PAX 0.0, 0.1 and 1.0.

Only read, never written: the image-spec wants layers without them. Functions here raise
ValueError with one clause; the reader adds where in the archive it was. The generators ask for
stretches of the archive, as the reader's own grammar does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

from nacre.layers.entry import Entry, Extent
from nacre.layers.errors import LayerLimit
from nacre.layers.tar.header import BLOCK, Request, decode_number
from nacre.layers.tar.pax import Record, parse_number

_PREFIX = b"GNU.sparse."


def read_old_map(
    entry: Entry, block: bytes, *, max_extended: int
) -> Generator[Request, bytes, Entry]:
    """Complete the entry of a header of type ``S``: its map may go on in blocks behind it."""
    extents = _old_extents(block, 386, 4)
    size = decode_number(block[483:495])
    position = entry.data_offset
    more = block[482]
    while more:
        block = yield position, BLOCK
        position += BLOCK
        _check_length(position - entry.data_offset, max_extended)
        extents += _old_extents(block, 0, 21)
        more = block[504]
    return _with_map(entry._replace(size=size, data_offset=position), extents)


def _old_extents(block: bytes, start: int, count: int) -> list[Extent]:
    extents = []
    for position in range(start, start + 24 * count, 24):
        if block[position] == 0:
            break
        offset = decode_number(block[position : position + 12])
        extents.append(Extent(offset, decode_number(block[position + 12 : position + 24])))
    return extents


def is_sparse(body: bytes, records: list[Record]) -> bool:
    """Say whether an extended header, given as it stands and parsed, makes a file sparse."""
    return _PREFIX in body and any(key.startswith(_PREFIX) for key, _ in records)


def read_pax_map(
    entry: Entry, records: list[Record], *, max_extended: int
) -> Generator[Request, bytes, Entry]:
    """Complete the entry of a sparse file in one of the PAX formats."""
    latest = dict(records)
    entry = entry._replace(name=latest.get(_PREFIX + b"name") or entry.name)
    size = _pax_size(latest)
    if not _map_is_in_body(latest):
        return _with_map(entry._replace(size=size), _record_map(records))
    extents, length = yield from _read_body_map(entry, max_extended)
    length += -length % BLOCK
    return _with_map(
        entry._replace(
            size=size,
            data_offset=entry.data_offset + length,
            stored_size=entry.stored_size - length,
        ),
        extents,
    )


def _read_body_map(
    entry: Entry, max_extended: int
) -> Generator[Request, bytes, tuple[list[Extent], int]]:
    text = b""
    while (found := _body_map(text)) is None:
        # Ever longer stretches, for each one is parsed from the start of the text.
        length = min(max(BLOCK, len(text)), entry.stored_size - len(text))
        if not length:
            raise ValueError("its sparse map is longer than its body")
        _check_length(len(text) + length, max_extended)
        text += yield entry.data_offset + len(text), length
    return found


def _map_is_in_body(records: dict[bytes, bytes]) -> bool:
    # Format 1.0 keeps the map before the data, 0.0 and 0.1 keep it in the records.
    version = records.get(_PREFIX + b"major", b"0"), records.get(_PREFIX + b"minor", b"")
    if version == (b"1", b"0"):
        return True
    if version[0] != b"0" or version[1] not in (b"", b"0", b"1"):
        raise ValueError("its sparse map has an unknown version")
    return False


def _pax_size(records: dict[bytes, bytes]) -> int:
    for key in (b"realsize", b"size"):
        if (value := records.get(_PREFIX + key)) is not None:
            return parse_number(value)
    raise ValueError("its sparse map comes without the size of the file")


def _record_map(records: Iterable[Record]) -> list[Extent]:
    # Format 0.0 repeats two keys, 0.1 has one list.
    numbers: list[int] = []
    for key, value in records:
        if key == _PREFIX + b"map":
            numbers = [parse_number(number) for number in value.split(b",")] if value else []
        elif key in (_PREFIX + b"offset", _PREFIX + b"numbytes"):
            if len(numbers) % 2 != (key == _PREFIX + b"numbytes"):
                raise ValueError("its sparse map is not a list of pairs")
            numbers.append(parse_number(value))
    return _pairs(numbers)


def _body_map(text: bytes) -> tuple[list[Extent], int] | None:
    # Extents and length of their text, None when it ends too early. The map is lines of decimal
    # numbers: how many extents, then offset and length of each.
    first, newline, rest = text.partition(b"\n")
    if not newline:
        if len(first) > 19:
            raise ValueError("its sparse map does not begin with a number")
        return None
    count = parse_number(first)
    if rest.count(b"\n") < 2 * count:
        return None
    *lines, data = rest.split(b"\n", 2 * count)
    return _pairs([parse_number(line) for line in lines]), len(text) - len(data)


def _pairs(numbers: list[int]) -> list[Extent]:
    if len(numbers) % 2:
        raise ValueError("its sparse map is not a list of pairs")
    return [Extent(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]


def _with_map(entry: Entry, extents: list[Extent]) -> Entry:
    end = 0
    for offset, length in extents:
        if offset < end or length < 0:
            raise ValueError("its sparse map is not in order")
        end = offset + length
    if end > entry.size:
        raise ValueError("its sparse map goes beyond the end of the file")
    if sum(extent.length for extent in extents) != entry.stored_size:
        raise ValueError("its sparse map does not match the stored bytes")
    return entry._replace(sparse=tuple(extent for extent in extents if extent.length))


def _check_length(length: int, max_extended: int) -> None:
    if length > max_extended:
        raise LayerLimit(
            f"a sparse map takes more than {max_extended} bytes",
            limit="max_extended",
            maximum=max_extended,
        )
