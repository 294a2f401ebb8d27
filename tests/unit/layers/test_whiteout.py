from __future__ import annotations

import pytest

from nacre.layers.entry import Kind
from nacre.layers.whiteout import (
    Overlay,
    Role,
    is_overlay_whiteout,
    opaque,
    role,
    stored_link,
    target,
    whiteout,
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"etc/passwd", Role.ENTRY),
        (b"", Role.ENTRY),
        (b"a.wh.b", Role.ENTRY),
        (b".whatever", Role.ENTRY),
        (b".wh", Role.ENTRY),
        (b"a/.wh", Role.ENTRY),
        (b".wh.etc/somefile", Role.ENTRY),
        (b".wh.etc", Role.WHITEOUT),
        (b"a/b/.wh.c", Role.WHITEOUT),
        (b".wh.a/.wh.b", Role.WHITEOUT),
        (b".wh....", Role.WHITEOUT),
        (b".wh..hidden", Role.WHITEOUT),
        (b".wh..wh", Role.WHITEOUT),
        (b".wh..wh..opq", Role.OPAQUE),
        (b"a/b/.wh..wh..opq", Role.OPAQUE),
        (b".wh..wh.aufs", Role.METADATA),
        (b".wh..wh.orph", Role.METADATA),
        (b".wh..wh.plnk/12.34", Role.METADATA),
        (b"a/.wh..wh.aufs", Role.METADATA),
        (b".wh..wh.orph/.wh..wh..opq", Role.METADATA),
        (b".wh..wh..opqx", Role.METADATA),
    ],
)
def test_the_name_tells_what_a_member_does(path: bytes, expected: Role) -> None:
    assert role(path) is expected


@pytest.mark.parametrize("name", [b".wh.", b".wh..", b".wh..."])
@pytest.mark.parametrize("directory", [b"", b"etc/"])
def test_a_whiteout_of_no_possible_name_is_refused(directory: bytes, name: bytes) -> None:
    with pytest.raises(ValueError, match="whiteout of nothing"):
        role(directory + name)


@pytest.mark.parametrize("path", [b"a", b"a/b", b"a/.hidden", b"\xff/\xfe"])
def test_a_whiteout_names_its_target(path: bytes) -> None:
    assert role(whiteout(path)) is Role.WHITEOUT
    assert target(whiteout(path)) == path


def test_an_opaque_marker_lies_in_its_directory() -> None:
    assert opaque(b"") == b".wh..wh..opq"
    assert opaque(b"a/b") == b"a/b/.wh..wh..opq"


def test_the_store_of_hard_links_is_known() -> None:
    assert stored_link(b".wh..wh.plnk/12.34") == b"12.34"
    assert stored_link(b"a/.wh..wh.plnk/12.34") == b""
    assert stored_link(b"etc/passwd") == b""


@pytest.mark.parametrize(
    ("overlay", "prefix"), [(Overlay.TRUSTED, b"trusted."), (Overlay.USER, b"user.")]
)
def test_overlay_opaque_directories(overlay: Overlay, prefix: bytes) -> None:
    assert overlay.opaque == (prefix + b"overlay.opaque", b"y")
    assert overlay.is_opaque([(b"user.x", b"1"), overlay.opaque])
    assert not overlay.is_opaque([(prefix + b"overlay.opaque", b"x")])
    assert not overlay.is_opaque([])


@pytest.mark.parametrize("overlay", Overlay)
def test_overlay_attributes_of_an_image_are_escaped(overlay: Overlay) -> None:
    own = overlay.value + b"redirect"
    assert overlay.escaped(own) == overlay.value + b"overlay.redirect"
    assert overlay.escaped(overlay.escaped(own)) == overlay.value + b"overlay.overlay.redirect"
    for name in (own, overlay.escaped(own), b"security.capability", b"user.x"):
        assert overlay.unescaped(overlay.escaped(name)) == name


def test_overlays_own_attributes_are_not_an_images() -> None:
    assert Overlay.TRUSTED.unescaped(b"trusted.overlay.origin") is None
    assert Overlay.TRUSTED.unescaped(b"user.overlay.origin") == b"user.overlay.origin"


def test_a_whiteout_on_disk_is_a_character_device_without_number() -> None:
    assert is_overlay_whiteout(Kind.CHR, 0, 0)
    assert not is_overlay_whiteout(Kind.CHR, 1, 3)
    assert not is_overlay_whiteout(Kind.CHR, 0, 1)
    assert not is_overlay_whiteout(Kind.BLK, 0, 0)
