from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given

from nacre.erofs.xattrs import Xattrs, body_size, count_of, decode_xattrs, encode_xattrs
from tests.unit.erofs.images import xattrs


@given(xattrs)
def test_what_is_encoded_is_decoded(found: Xattrs) -> None:
    body = encode_xattrs(found)
    assert len(body) % 4 == 0
    assert body_size(count_of(body)) == len(body)
    assert (decode_xattrs(body) if body else ()) == found


def test_the_body_is_a_header_and_padded_entries() -> None:
    body = encode_xattrs(((b"security.capability", b"v"), (b"user.ab", b"")))
    first = bytes([10, 6, 1, 0]) + b"capability" + b"v" + b"\0"
    second = bytes([2, 1, 0, 0]) + b"ab" + b"\0\0"
    assert body == bytes(12) + first + second
    assert count_of(body) == 1 + (len(first) + len(second)) // 4


def test_access_control_lists_have_no_name_behind_the_prefix() -> None:
    names = (b"system.posix_acl_access", b"system.posix_acl_default")
    body = encode_xattrs(tuple((name, b"1234") for name in names))
    assert body[12:] == bytes([0, 2, 4, 0]) + b"1234" + bytes([0, 3, 4, 0]) + b"1234"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"user.x", True),
        (b"trusted.overlay.opaque", True),
        (b"security." + b"n" * 246, True),
        (b"security." + b"n" * 247, False),
        (b"user.", False),
        (b"user.a\0b", False),
        (b"user", False),
        (b"system.posix_acl_access", True),
        (b"system.posix_acl_access2", False),
        (b"system.nfs4_acl", False),
        (b"btrfs.compression", False),
        (b"", False),
    ],
)
def test_only_some_names_have_a_place(name: bytes, expected: bool) -> None:
    with nullcontext() if expected else pytest.raises(ValueError, match="has no place"):
        encode_xattrs(((name, b""),))


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        (((b"user.b", b""), (b"user.a", b"")), "sorted"),
        (((b"user.a", b""), (b"user.a", b"")), "sorted"),
        (((b"user.a", bytes(65536)),), "65536 bytes"),
        (((b"other.a", b""),), "'other.a' has no place"),
        (tuple((b"user.%d" % number, bytes(65535)) for number in range(5)), "too long together"),
    ],
)
def test_what_does_not_fit_is_refused(pairs: Xattrs, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        encode_xattrs(pairs)


def test_a_value_may_have_65_535_bytes() -> None:
    pairs = ((b"user.a", bytes(65535)),)
    assert decode_xattrs(encode_xattrs(pairs)) == pairs
