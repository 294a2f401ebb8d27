"""What overlayfs understands in a lower directory, for images that are stacked and not merged.

See https://docs.kernel.org/filesystems/overlayfs.html. A merged image needs none of it.
"""

from __future__ import annotations

from nacre.erofs.inode import Inode
from nacre.layers.entry import Kind

OPAQUE = (b"trusted.overlay.opaque", b"y")
ORIGIN = (b"trusted.overlay.origin", b"")


def whiteout() -> Inode:
    """Return what hides a name of the directories below: a character device 0:0."""
    return Inode(Kind.CHR, mode=0)


def opaque(directory: Inode) -> Inode:
    """Return the directory as one that hides all of those below; not heeded on the root."""
    return _with(directory, OPAQUE)


def holding_whiteouts(directory: Inode) -> Inode:
    """Return the directory as one whose listing leaves whiteouts out.

    Needed where nothing below is merged with it: overlayfs would pass the listing on as it is.
    """
    return _with(directory, ORIGIN)


def _with(inode: Inode, xattr: tuple[bytes, bytes]) -> Inode:
    return inode._replace(xattrs=tuple(sorted({**dict(inode.xattrs), xattr[0]: xattr[1]}.items())))
