"""Tars that no tool of good will would write."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

Member = tuple[str, bytes | str]
"""A name, and the bytes of a file or the target of a symbolic link."""


def a_tar(*members: Member, kind: bytes = tarfile.SYMTYPE) -> bytes:
    """Return a tar of these members, as they are; links are of ``kind``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = kind, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def unpacked(tar: Path | bytes) -> Mapping[str, bytes]:
    """Return the files of a tar, in its order."""
    raw = tar if isinstance(tar, bytes) else tar.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        found = {}
        for info in archive:
            file = archive.extractfile(info)
            if file is not None:
                found[info.name] = file.read()
        return found
