"""Whiteouts: how a layer says that something of the layers below it is gone.

In a tar, files with reserved names say so (OCI image-spec, "Whiteouts"; the names are AUFS's).
On disk, overlayfs has forms of its own. Both are here as data only: nothing is read or made.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntEnum

from nacre.layers.entry import Kind
from nacre.layers.paths import joined, split

PREFIX = b".wh."
OPAQUE = b".wh..wh..opq"
_METADATA = b".wh..wh."
_LINK_STORE = b".wh..wh.plnk/"


class Role(IntEnum):
    """What a member of a layer does to the tree."""

    ENTRY = 0
    """It is something of the tree."""
    WHITEOUT = 1
    """It removes what lower layers have at ``target(path)``."""
    OPAQUE = 2
    """It hides what lower layers have in its directory."""
    METADATA = 3
    """It is AUFS's own bookkeeping, and nothing of the tree."""


def role(path: bytes) -> Role:
    """Return what the member with a clean path does to the tree: its name alone tells.

    Only the last part of a path makes a whiteout: ``.wh.a/b`` is a file in a directory with an
    odd name, as it is to other engines.

    Raises:
        ValueError: the path whites out nothing that a directory could hold: ``.wh.``, ``.wh..``
            or ``.wh...``.
    """
    if PREFIX not in path:
        return Role.ENTRY
    name = split(path)[1]
    if name == OPAQUE and _METADATA not in path[: -len(OPAQUE)]:
        return Role.OPAQUE
    if path.startswith(_METADATA) or b"/" + _METADATA in path:
        return Role.METADATA
    if not name.startswith(PREFIX):
        return Role.ENTRY
    if name[len(PREFIX) :] in (b"", b".", b".."):
        raise ValueError("it is a whiteout of nothing that a directory can hold")
    return Role.WHITEOUT


def target(path: bytes) -> bytes:
    """Return the clean path that a whiteout removes: ``a/.wh.b`` removes ``a/b``."""
    directory, name = split(path)
    return joined(directory, name.removeprefix(PREFIX))


def whiteout(path: bytes) -> bytes:
    """Return the path of the whiteout that removes ``path``; inverse of ``target``."""
    directory, name = split(path)
    return joined(directory, PREFIX + name)


def opaque(directory: bytes) -> bytes:
    """Return the path of the marker that makes a directory opaque."""
    return joined(directory, OPAQUE)


def stored_link(path: bytes) -> bytes:
    """Return the name of a file in AUFS's store of hard links; empty when it lies elsewhere.

    Old layers keep the file of several names there and link the names to it.
    """
    return path[len(_LINK_STORE) :] if path.startswith(_LINK_STORE) else b""


class Overlay(Enum):
    """Where overlayfs keeps its attributes; the value is the prefix of their names.

    On disk a removed name is a character device 0:0, and an opaque directory has the attribute
    ``opaque``. See https://docs.kernel.org/filesystems/overlayfs.html.
    """

    TRUSTED = b"trusted.overlay."
    """The usual place, which only root can write."""
    USER = b"user.overlay."
    """With the mount option ``userxattr``, for mounts without privileges."""

    @property
    def opaque(self) -> tuple[bytes, bytes]:
        """The attribute, name and value, of a directory that hides those below."""
        return self.value + b"opaque", b"y"

    @property
    def origin(self) -> tuple[bytes, bytes]:
        """The attribute, name and value, of a directory that has whiteouts.

        Where there is no directory below to be merged with it, overlayfs would list them otherwise.
        """
        return self.value + b"origin", b""

    def is_opaque(self, xattrs: Iterable[tuple[bytes, bytes]]) -> bool:
        """Say whether a directory with these attributes hides those below."""
        return self.opaque in xattrs

    def escaped(self, name: bytes) -> bytes:
        """Return the name under which overlayfs passes an attribute of an image through.

        Unescaped, an image's own ``trusted.overlay.redirect`` would take effect. Other names
        stay as they are.
        """
        return self._escape + name[len(self.value) :] if name.startswith(self.value) else name

    def unescaped(self, name: bytes) -> bytes | None:
        """Return the name that an image gave an attribute; None for one of overlayfs's own."""
        if name.startswith(self._escape):
            return self.value + name[len(self._escape) :]
        return None if name.startswith(self.value) else name

    @property
    def _escape(self) -> bytes:
        return self.value + b"overlay."


def is_overlay_whiteout(kind: Kind, devmajor: int, devminor: int) -> bool:
    """Say whether a file on disk is overlayfs's form of a whiteout."""
    return kind is Kind.CHR and devmajor == 0 and devminor == 0
