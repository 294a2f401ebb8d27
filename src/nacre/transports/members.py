"""The files inside an archive, found by one pass over its headers; nothing is ever extracted.

Names come from whoever made the archive, so they are held to strict rules: no member and no link
may name anything outside, no name may stand for two files. Symbolic links between members are
followed, because ``docker save`` once wrote a layer shared by two images as one.
"""

from __future__ import annotations

import io
import mmap
import os
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, cast

from nacre.errors import Invalid, NotFound, Unavailable
from nacre.layers import tar
from nacre.layers.entry import Entry, Kind
from nacre.oci.quoting import quoted

_HOPS = 16
_MOST_MEMBERS = 200_000
# Many times what thousands of images take; yet what a few MiB can be inflated to are millions.


class InvalidArchive(Invalid):
    """The file is no archive of images, or one that must not be trusted."""

    usual_remedy = "make the archive again"


class NoSuchMember(NotFound):
    """The archive has no file of that name."""

    usual_remedy = "make the archive again"


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a member's bytes lie in the archive."""

    offset: int
    size: int


class Members:
    """The regular files of an uncompressed, seekable tar; ``where`` names it in errors.

    The file stays the caller's. It is read by position, so several threads may read at once.
    """

    def __init__(self, file: BinaryIO, where: str) -> None:
        self.where = where
        self._file = file
        self._slices: dict[str, Slice] = {}
        self._links: dict[str, str] = {}
        for entry in _scan(file, where):
            self._add(entry)

    def names(self) -> Iterable[str]:
        """Return the names of all regular files, in the archive's order."""
        return self._slices.keys()

    def find(self, name: str) -> Slice:
        """Return where the file of a name lies, links followed.

        Raises:
            NoSuchMember: there is none, or a link leads nowhere.
            InvalidArchive: the name lies outside, or links lead in a circle.
        """
        place = _inside(name, self.where)
        for _ in range(_HOPS):
            if place in self._slices:
                return self._slices[place]
            if place not in self._links:
                raise NoSuchMember(f"{self.where} has no file {quoted(name)}")
            place = self._links[place]
        raise InvalidArchive(f"{self.where}: the link {quoted(name)} leads in a circle")

    def has(self, name: str) -> bool:
        """Say whether there is a file of that name."""
        try:
            self.find(name)
        except NoSuchMember:
            return False
        return True

    def read(self, name: str, limit: int) -> bytes:
        """Return a small file.

        Raises:
            NoSuchMember: there is none.
            InvalidArchive: it is larger than ``limit`` bytes.
        """
        place = self.find(name)
        if place.size > limit:
            raise InvalidArchive(f"{self.where}: {quoted(name)} is larger than {limit} bytes")
        with self.stream(place) as stream:
            return stream.read()

    def stream(self, place: Slice, offset: int = 0) -> BinaryIO:
        """Return the bytes of a member from ``offset`` on."""
        return cast("BinaryIO", _Stream(self._file, place, offset, self.where))

    def _add(self, entry: Entry) -> None:
        name = _inside(_text(entry.name), self.where)
        if b".." in entry.name.split(b"/"):
            raise InvalidArchive(f"{self.where} has a file of the ambiguous name {quoted(name)}")
        if entry.kind is Kind.DIR:
            return
        if name in self._slices or name in self._links:
            raise InvalidArchive(f"{self.where} has the file {quoted(name)} twice")
        if entry.kind is Kind.REG and entry.sparse is None:
            self._slices[name] = Slice(entry.data_offset, entry.size)
        elif entry.kind is Kind.SYMLINK:
            target = posixpath.join(posixpath.dirname(name), _text(entry.linkname))
            self._links[name] = _inside(target, self.where)
        elif entry.kind is Kind.LINK:
            self._links[name] = _inside(_text(entry.linkname), self.where)
        else:
            raise InvalidArchive(f"{self.where}: {quoted(name)} is neither file, folder nor link")


def _scan(file: BinaryIO, where: str) -> list[Entry]:
    if not os.fstat(file.fileno()).st_size:
        raise InvalidArchive(f"{where} is empty")
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return tar.scan(view, max_entries=_MOST_MEMBERS)
    except Invalid as error:
        raise InvalidArchive(
            f"{where} is not a sound tar archive: {error}", remedy="make the archive again"
        ) from None


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")


def _inside(name: str, where: str) -> str:
    """Return a name in its one normal form, ``.`` for the archive's root."""
    normal = posixpath.normpath(name)
    if normal.startswith(("/", "../")) or normal == "..":
        raise InvalidArchive(
            f"{where} names {quoted(name)}, which lies outside of it",
            remedy="do not trust its maker",
        )
    return normal


class _Stream(io.RawIOBase):
    def __init__(self, file: BinaryIO, place: Slice, offset: int, where: str) -> None:
        super().__init__()
        self._file = file
        self._position = place.offset + offset
        self._end = place.offset + place.size
        self._where = where

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        left = self._end - self._position
        return self._read_at(left if size < 0 else min(size, left))

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _read_at(self, wanted: int) -> bytes:
        if wanted <= 0:
            return b""
        try:
            data = os.pread(self._file.fileno(), wanted, self._position)
        except OSError as error:
            raise Unavailable(f"cannot read {self._where}: {error.strerror}") from error
        self._position += len(data)
        return data
