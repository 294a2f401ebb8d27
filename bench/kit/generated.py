"""Root file systems of any size and number of files, made of the bytes of a real one.

The same numbers always give the same tar: names, sizes and places are drawn from a fixed seed, and
what the files hold is cut from a real root file system, so that it compresses as real files do.
"""

from __future__ import annotations

import random
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SEED = 20
_WHEN = 1_767_225_600  # 2026-01-01
_SPREAD = 1.6  # sigma of the logarithm of sizes: many small files, few large ones
_SIBLINGS = 12  # files of a directory; a real root file system has about as many
_HEADER = 512


@dataclass(frozen=True, slots=True)
class Point:
    """How large a root file system is: about so many bytes of tar, and so many files."""

    size: int
    files: int

    @property
    def name(self) -> str:
        """What its image is called."""
        return f"made-{self.size // 1_000_000}m-{self.files}"


def write_tar(target: Path, source: Path, point: Point) -> Path:
    """Write a root file system to ``target`` and return that; ``source`` is a larger tar."""
    with source.open("rb") as bytes_of, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as out:
        for number, size in enumerate(_sizes(point)):
            directory = f"usr/share/{number // _SIBLINGS // 40:03}/{number // _SIBLINGS:05}"
            if number % _SIBLINGS == 0:
                for each in _new_parents(number, directory):
                    out.addfile(_member(each, tarfile.DIRTYPE, 0o755))
            if bytes_of.tell() + size > source.stat().st_size:
                bytes_of.seek(0)
            member = _member(f"{directory}/file-{number:06}", tarfile.REGTYPE, 0o644)
            member.size = size
            out.addfile(member, bytes_of)
    return target


def _sizes(point: Point) -> Iterator[int]:
    """Go through the sizes of the files."""
    draw = random.Random(_SEED)
    drawn = [draw.lognormvariate(0, _SPREAD) for _ in range(point.files)]
    # Every file takes a header, and half a block of padding.
    factor = max(point.size - point.files * 3 * _HEADER // 2, 0) / sum(drawn)
    return (int(each * factor) for each in drawn)


def _new_parents(number: int, directory: str) -> Iterator[str]:
    """Go through the directories that begin with a file, the upper one first."""
    upper = directory.rpartition("/")[0]
    if number == 0:
        yield from ("usr", "usr/share")
    if number % (_SIBLINGS * 40) == 0:
        yield upper
    yield directory


def _member(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime = kind, mode, _WHEN
    return member
