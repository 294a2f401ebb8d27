"""Extended attributes: which ones a tree can have at all, on whatever file system of Linux.

A layer may hold attributes that no setxattr(2) takes: names of no namespace or too long, ``user.*``
on what is neither file nor directory, values that the kernel reads and cannot. Nothing on disk
can show them, so no tree does, and EROFS images and exports leave them out likewise.
"""

from __future__ import annotations

from collections.abc import Iterable

from nacre.layers.entry import MASKED, Kind

Xattrs = tuple[tuple[bytes, bytes], ...]

_MAX_NAME, _MAX_VALUE = 255, 65536  # XATTR_NAME_MAX, XATTR_SIZE_MAX
_USER = b"user."
_NAMESPACES = (_USER, b"trusted.", b"security.")
_CAPABILITY = b"security.capability"
_CAPABILITY_SIZES = {2: 20, 3: 24}  # by version, see capabilities(7)
_ACL, _DEFAULT_ACL = b"system.posix_acl_access", b"system.posix_acl_default"
_ACL_VERSION = (2).to_bytes(4, "little")
_ACL_TAGS = frozenset({0x01, 0x02, 0x04, 0x08, 0x10, 0x20})


def is_settable(kind: Kind, name: bytes, value: bytes) -> bool:
    """Say whether Linux lets something of a kind have an attribute."""
    if len(name) > _MAX_NAME or len(value) > _MAX_VALUE or b"\0" in name:
        return False
    if name in (_ACL, _DEFAULT_ACL):
        fits = kind is Kind.DIR if name == _DEFAULT_ACL else kind is not Kind.SYMLINK
        return fits and _is_acl(value)
    if name.startswith(_USER) and kind not in (Kind.REG, Kind.DIR):
        return False
    if name == _CAPABILITY:
        return _is_capability(value)
    return any(name.startswith(prefix) and name != prefix for prefix in _NAMESPACES)


def kept_xattrs(kind: Kind, xattrs: Iterable[tuple[bytes, bytes]]) -> Xattrs:
    """Return those that a tree shows: without what cannot be set, or means another machine."""
    return tuple(
        (name, value)
        for name, value in xattrs
        if name not in MASKED and is_settable(kind, name, value)
    )


def _is_capability(value: bytes) -> bool:
    # One bit beside the version is a flag, "effective"; the kernel allows no other.
    head = int.from_bytes(value[:4], "little") & ~1
    return not head & 0xFFFFFF and len(value) == _CAPABILITY_SIZES.get(head >> 24)


def _is_acl(value: bytes) -> bool:
    tags = (int.from_bytes(value[at : at + 2], "little") for at in range(4, len(value), 8))
    return value.startswith(_ACL_VERSION) and len(value) % 8 == 4 and _ACL_TAGS.issuperset(tags)
