"""Which extended attributes Linux takes; the kernel itself is asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nacre.layers.entry import Kind
from nacre.layers.xattrs import is_settable, kept_xattrs

V2, V3 = b"\1\0\0\2" + bytes(16), b"\0\0\0\3" + bytes(20)


def acl(*entries: tuple[int, int], version: int = 2) -> bytes:
    body = b"".join(
        tag.to_bytes(2, "little") + mode.to_bytes(2, "little") + b"\xff" * 4
        for tag, mode in entries
    )
    return version.to_bytes(4, "little") + body


PLAIN = acl((0x01, 6), (0x04, 4), (0x20, 4))


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        (Kind.REG, b"user.a", b"", True),
        (Kind.DIR, b"user.a", b"", True),
        (Kind.FIFO, b"user.a", b"", False),
        (Kind.SYMLINK, b"user.a", b"", False),
        (Kind.SYMLINK, b"trusted.a", b"", True),
        (Kind.REG, b"user." + b"n" * 250, b"", True),
        (Kind.REG, b"user." + b"n" * 251, b"", False),
        (Kind.REG, b"user.", b"", False),
        (Kind.REG, b"", b"", False),
        (Kind.REG, b"nonsense.a", b"", False),
        (Kind.REG, b"security.capability", V2, True),
        (Kind.REG, b"security.capability", V3, True),
        (Kind.REG, b"security.capability", b"\2" + V2[1:], False),
        (Kind.REG, b"security.capability", V2[:12], False),
        (Kind.REG, b"security.capability", V3[:20], False),
        (Kind.REG, b"security.capability", b"bad", False),
        (Kind.REG, b"system.posix_acl_access", PLAIN, True),
        (Kind.REG, b"system.posix_acl_access", PLAIN[:-1], False),
        (Kind.REG, b"system.posix_acl_access", acl((0x40, 6)), False),
        (Kind.REG, b"system.posix_acl_access", acl((0x01, 6), version=1), False),
        (Kind.DIR, b"system.posix_acl_default", PLAIN, True),
        (Kind.REG, b"system.posix_acl_default", PLAIN, False),
        (Kind.SYMLINK, b"system.posix_acl_access", PLAIN, False),
    ],
)
@pytest.mark.root
def test_it_is_what_the_kernel_says(
    tmp_path: Path, kind: Kind, name: bytes, value: bytes, expected: bool
) -> None:
    assert is_settable(kind, name, value) == expected
    path = tmp_path / "x"
    make: dict[Kind, Callable[[], None]] = {
        Kind.REG: path.touch,
        Kind.DIR: path.mkdir,
        Kind.FIFO: lambda: os.mkfifo(path),
        Kind.SYMLINK: lambda: path.symlink_to("y"),
    }
    make[kind]()
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError:
        assert not expected
    else:
        assert expected


def test_neither_nul_nor_more_than_64_kilobytes() -> None:
    assert is_settable(Kind.REG, b"user.a", bytes(65536))
    assert not is_settable(Kind.REG, b"user.a", bytes(65537))
    assert not is_settable(Kind.REG, b"user.a\0", b"")


def test_no_capability_that_could_be_set_and_never_read() -> None:
    assert not is_settable(Kind.REG, b"security.capability", b"")


def test_what_means_another_machine_is_not_kept() -> None:
    pairs = ((b"security.selinux", b"x"), (b"system.nfs4_acl", b"y"), (b"user.a", b"1"))
    assert kept_xattrs(Kind.REG, pairs) == pairs[2:]
