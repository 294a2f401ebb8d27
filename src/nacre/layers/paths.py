"""Paths inside a layer: one clean form for the many ways in which archives write a name.

A clean path is relative to the root, without ``.``, ``..``, empty parts or a final slash; the
root itself is the empty path. Paths are bytes, for nothing guarantees that they are UTF-8.
"""

from __future__ import annotations

ROOT = b""
"""The clean path of the root directory."""


def clean(name: bytes) -> bytes:
    """Return the clean path of a member's name: ``./usr//bin/../lib/`` becomes ``usr/lib``.

    ``..`` takes the part before it away, whatever that is, and at the root does nothing: no name
    leads out of the layer.
    """
    path = name.removeprefix(b"./").rstrip(b"/")
    # Hidden files take the longer way too; that they are told apart there costs less than here.
    if b"/." not in path and b"//" not in path and path[:1] not in (b".", b"/"):
        return path
    parts: list[bytes] = []
    for part in path.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)


def joined(directory: bytes, name: bytes) -> bytes:
    """Return the clean path of ``name`` in the directory with a clean path."""
    return directory + b"/" + name if directory else name


def split(path: bytes) -> tuple[bytes, bytes]:
    """Return the directory of a clean path and the name in it; both are empty for the root."""
    directory, _, name = path.rpartition(b"/")
    return directory, name
