from __future__ import annotations

from nacre.erofs.overlay import holding_whiteouts, opaque, whiteout
from nacre.erofs.reader import Image
from nacre.layers.entry import Kind
from tests.unit.erofs.images import built, directory, file


def test_a_whiteout_is_a_character_device_without_numbers() -> None:
    image = Image(built(directory({b"gone": whiteout(), b"also": whiteout()})))
    for found in list(image.walk())[1:]:
        inode = found.inode
        assert (inode.kind, inode.devmajor, inode.devminor, inode.mode) == (
            Kind.CHR,
            0,
            0,
            0o020000,
        )


def test_an_opaque_directory_keeps_what_it_has() -> None:
    kept = directory({b"x": file()})._replace(xattrs=((b"user.z", b""), (b"user.zz", b"")))
    found = opaque(kept)
    assert found.xattrs == ((b"trusted.overlay.opaque", b"y"), *kept.xattrs)
    assert found.children is kept.children
    assert opaque(found) == found


def test_a_directory_that_holds_whiteouts_has_an_empty_origin() -> None:
    assert holding_whiteouts(directory()).xattrs == ((b"trusted.overlay.origin", b""),)
    both = (b"trusted.overlay.opaque", b"y"), (b"trusted.overlay.origin", b"")
    assert tuple(sorted(holding_whiteouts(opaque(directory())).xattrs)) == tuple(sorted(both))
