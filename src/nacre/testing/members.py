"""Layers in a few words, with all that a layer can hold: real tars, and their tables of contents.

>>> tar = tar_of([folder("etc"), file("etc/motd", b"hello"), hardlink("motd", "etc/motd")])
>>> [path.decode() for path in table(tar).paths]
['etc', 'etc/motd', 'motd']
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nacre.layers import whiteout
from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import END_OF_ARCHIVE, write_entry
from nacre.layers.toc import Toc, TocBuilder
from nacre.oci.digest import Digest


@dataclass(frozen=True)
class Member:
    """A member of a tar with its content."""

    entry: Entry
    content: bytes = b""


def file(name: str, content: bytes = b"", **attributes: Any) -> Member:
    """Return a file; the attributes are those of an ``Entry``, here and below."""
    return Member(Entry(name.encode(), Kind.REG, size=len(content), **attributes), content)


def folder(name: str, mode: int = 0o755, **attributes: Any) -> Member:
    """Return a directory."""
    return Member(Entry(name.encode(), Kind.DIR, mode, **attributes))


def symlink(name: str, target: str, **attributes: Any) -> Member:
    """Return a symbolic link."""
    return Member(Entry(name.encode(), Kind.SYMLINK, 0o777, linkname=target.encode(), **attributes))


def hardlink(name: str, target: str, **attributes: Any) -> Member:
    """Return one more name for ``target``."""
    return Member(Entry(name.encode(), Kind.LINK, linkname=target.encode(), **attributes))


def special(name: str, kind: Kind, **attributes: Any) -> Member:
    """Return a device or pipe."""
    return Member(Entry(name.encode(), kind, **attributes))


def gone(path: str) -> Member:
    """Return the whiteout of a path."""
    return file(whiteout.whiteout(path.encode()).decode())


def opaque(directory: str = "") -> Member:
    """Return the marker that makes a directory opaque."""
    return file(whiteout.opaque(directory.encode()).decode())


def tar_of(members: Iterable[Member]) -> bytes:
    """Return a tar of these members, in this order."""
    out = io.BytesIO()
    for member in members:
        write_entry(out, member.entry, io.BytesIO(member.content))
    return out.getvalue() + END_OF_ARCHIVE


def table(tar: bytes, *, step: int = 1 << 20, **options: Any) -> Toc:
    """Return the table of a tar that is fed in steps of so many bytes."""
    builder = TocBuilder(**options)
    for start in range(0, len(tar), step):
        builder.feed(tar[start : start + step])
    return builder.finish(Digest.of(tar))
