"""Who owns what: the numbers in a layer, and those on disk.

A layer says who owns a file with the numbers of its own world. On disk they may be shifted into a
range of the machine's own (a user namespace's map), or, where nobody but root could give files
away, all be the one who unpacks. In that last case the layer's numbers are recorded in the
attribute ``user.rootlesscontainers``, which umoci and PRoot read too, so that a layer made from the
tree says again what its origin said. Links and devices cannot carry it; they become root's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from nacre.errors import Conflict, Invalid
from nacre.value import Value

RECORD = b"user.rootlesscontainers"
"""The attribute that records an owner: a protocol buffer with the fields 1, uid, and 2, gid."""

NOBODY = -1
"""The number that chown(2) takes for: leave it as it is."""

_NOTHING_SAID = 0xFFFFFFFF  # how the attribute writes that a number is not recorded
_SUBID = re.compile(r"([^:]+):([0-9]{1,10}):([0-9]{1,10})")
_LARGEST = (1 << 32) - 2


class Unmapped(Conflict):
    """A number has no counterpart in the map. ``number`` is it."""

    usual_remedy = "map more numbers, in /etc/subuid and /etc/subgid"

    def __init__(self, message: str, *, number: int) -> None:
        super().__init__(message)
        self.number = number


class BadMap(Invalid):
    """A map of numbers breaks its rules."""


class IdRange(NamedTuple):
    """Numbers in a row, here and there."""

    inside: int
    """The first one in the layer, and in a container."""
    outside: int
    """The first one on disk."""
    size: int
    """How many."""


class IdMap(Value):
    """A one-to-one map between the numbers in a layer and those on disk.

    Raises:
        BadMap: ranges overlap, are empty, or leave the 32 bits of a number.
    """

    ranges: tuple[IdRange, ...]

    def __init__(self, ranges: tuple[IdRange, ...]) -> None:
        super().__init__(ranges)
        for one in self.ranges:
            if min(one) < 0 or not one.size or max(one[:2]) + one.size - 1 > _LARGEST:
                raise BadMap(f"the range {one.inside}:{one.outside}:{one.size} is no range of IDs")
        for side in (0, 1):
            end = 0
            for start, count in sorted((one[side], one.size) for one in self.ranges):
                if start < end:
                    raise BadMap(f"two ranges of the map hold the number {start}")
                end = start + count

    def outside(self, number: int) -> int:
        """Return the number on disk of one in a layer.

        Raises:
            Unmapped: there is none.
        """
        for inside, outside, count in self.ranges:
            if inside <= number < inside + count:
                return outside + number - inside
        raise Unmapped(f"the ID {number} of the layer is not mapped to any of disk", number=number)

    def inside(self, number: int) -> int:
        """Return the number in a layer of one on disk.

        Raises:
            Unmapped: there is none.
        """
        for inside, outside, count in self.ranges:
            if outside <= number < outside + count:
                return inside + number - outside
        raise Unmapped(f"the ID {number} on disk is not mapped to any of the layer", number=number)


EVERY_ID = IdMap((IdRange(0, 0, _LARGEST + 1),))
"""The map of a layer's numbers to the same numbers."""


def subordinate_ids(text: str, names: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Return the ranges (first number, count) that an ``/etc/subuid`` gives to one user.

    Args:
        text: the file's content; lines that are none of its grammar are passed over.
        names: all that the user is called: name and number.
    """
    wanted = frozenset(names)
    matches = map(_SUBID.fullmatch, text.splitlines())
    return tuple(
        (int(match[2]), int(match[3]))
        for match in matches
        if match and match[1] in wanted and int(match[3])
    )


def rootless_map(own: int, subordinate: Iterable[tuple[int, int]]) -> IdMap:
    """Return the map of an ordinary user: root is the user, 1 and up the subordinate numbers.

    Raises:
        BadMap: the ranges overlap.
    """
    ranges = [IdRange(0, own, 1)]
    for first, count in subordinate:
        ranges.append(IdRange(ranges[-1].inside + ranges[-1].size, first, count))
    return IdMap(tuple(ranges))


class Ownership(Value):
    """How owners in a layer and owners on disk go together.

    Args:
        uids: map of users.
        gids: map of groups.
        record: leave all to whoever unpacks, and record what the layer says; then the maps do
            not count.
    """

    uids: IdMap = EVERY_ID
    gids: IdMap = EVERY_ID
    record: bool = False

    def on_disk(self, uid: int, gid: int) -> tuple[int, int]:
        """Return user and group to give a file on disk, ``NOBODY`` to leave them.

        Raises:
            Unmapped: the map has no number for one of them.
        """
        if self.record:
            return NOBODY, NOBODY
        return self.uids.outside(uid), self.gids.outside(gid)

    def in_layer(self, uid: int, gid: int, recorded: bytes | None = None) -> tuple[int, int]:
        """Return user and group of a file on disk as a layer says them.

        Args:
            uid: the user on disk.
            gid: the group on disk.
            recorded: the value of the attribute ``RECORD``, if the file has it.

        Raises:
            Unmapped: the map has no number for one of them.
        """
        if self.record:
            return decode_owner(recorded) if recorded else (0, 0)
        return self.uids.inside(uid), self.gids.inside(gid)


KEEP = Ownership()
"""Numbers on disk are those of the layer: for root, in a user namespace or not."""

RECORDED = Ownership(record=True)
"""For an ordinary user without a user namespace."""


def encode_owner(uid: int, gid: int) -> bytes:
    """Return the value of the attribute ``RECORD``; zeros are not written, as usual there."""
    fields = ((tag, number) for tag, number in ((0x08, uid), (0x10, gid)) if number)
    return b"".join(bytes((tag,)) + _varint(number) for tag, number in fields)


def decode_owner(value: bytes) -> tuple[int, int]:
    """Return user and group in a value of the attribute ``RECORD``.

    Raises:
        Invalid: it is malformed.
    """
    found = {0x08: 0, 0x10: 0}
    position = 0
    while position < len(value):
        tag = value[position]
        number, shift = 0, 0
        while True:
            position += 1
            if position >= len(value) or shift > 28 or tag not in found:
                raise Invalid("a recorded owner is malformed")
            number |= (value[position] & 0x7F) << shift
            shift += 7
            if not value[position] & 0x80:
                break
        position += 1
        found[tag] = number & 0xFFFFFFFF
    uid, gid = (0 if number == _NOTHING_SAID else number for number in found.values())
    return uid, gid


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
