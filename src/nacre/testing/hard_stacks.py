"""Stacks of layers that are hard on whoever makes trees of them, each for a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nacre.layers.entry import Kind
from nacre.testing.members import Member, file, folder, gone, hardlink, opaque, special, symlink

Layer = Sequence[Member]
Stack = Sequence[Layer]

_NOTE = ((b"user.note", b"\0=\xff"),)

BASE: Layer = (
    folder("./", 0o755, mtime=1),
    folder("etc", mtime=2),
    file("etc/motd", b"hello\n", mtime=3),
    file("etc/shadow", b"secret", mode=0o640, uid=0, gid=42, mtime=4),
    folder("tmp", 0o1777, mtime=5),
    folder("usr", mtime=6),
    folder("usr/bin", mtime=7),
    file("usr/bin/su", b"\x7fELF" * 500, mode=0o4755, mtime=8),
    hardlink("usr/bin/ksu", "usr/bin/su"),
    symlink("bin", "usr/bin", mtime=9),
    folder("home", mtime=10),
    folder("home/u", 0o700, uid=1000, gid=1000, mtime=11, xattrs=_NOTE),
    file("home/u/notes", b"x" * 70_000, uid=1000, gid=1000, mtime=12, xattrs=_NOTE),
    special("pipe", Kind.FIFO, mode=0o622, mtime=13),
)
"""A small root file system."""

_UPDATE: Layer = (
    folder("etc", 0o750, mtime=20, uid=3),
    file("etc/motd", b"hello again\n", mtime=21),
    gone("etc/shadow"),
    file("etc/new", b"new", mtime=22),
)
_FRESH_HOME: Layer = (
    gone("home"),
    folder("home", 0o711, mtime=30),
    folder("home/v", mtime=31),
    file("home/v/f", b"v", mtime=32),
)
_DEEP: Layer = (file("a/b/c/d/e", b"deep", mtime=40),)


def many(count: int) -> Stack:
    """Return a stack of so many layers that change each other's files, all but a few regular."""
    return [BASE, *(_changing(number) for number in range(1, count))]


def _changing(number: int) -> Layer:
    mtime = 100 + number
    files = [
        file(f"etc/f{number}", b"%d" % number, mtime=mtime),
        file("etc/latest", b"%d" % number, mtime=mtime),
    ]
    if number % 10 == 7:
        return [*files, gone(f"etc/f{number - 3}")]  # what lies in a directory it does not list
    return [folder("etc", mtime=mtime, uid=number), *files]


STACKS: Mapping[str, Stack] = {
    "no layers": (),
    "an empty layer": ((),),
    "a lone layer": (BASE,),
    "a lone layer that does not list the root": ((file("f", b"1", mtime=1),),),
    "regular layers": (BASE, _UPDATE, _FRESH_HOME),
    "an empty layer on top": (BASE, ()),
    "the root with other attributes": (BASE, (folder("./", 0o711, uid=9, mtime=50),), _UPDATE),
    "implied parents with attributes from below": (BASE, (file("tmp/f", b"f", mtime=60),)),
    "implied parents of nothing below": (_DEEP, (file("a/b/x", b"x", mtime=61),)),
    "a parent that is a link below": (BASE, (file("bin/ls", b"ls", mtime=62),)),
    "a parent that is a file below": (BASE, (file("etc/motd/f", b"f", mtime=63),)),
    "a hard link into a lower layer": (BASE, (hardlink("etc/link", "usr/bin/ksu"),)),
    "a hard link through a link below": (BASE, (hardlink("su", "bin/su"), gone("usr/bin/su"))),
    "a hard link to a link below": (BASE, (hardlink("sbin", "bin"),)),
    "one name of a file replaced": (
        BASE,
        (folder("usr"), folder("usr/bin"), file("usr/bin/su", b"new", mtime=64)),
    ),
    "a whiteout": (BASE, (gone("usr"), gone("etc/motd"), gone("not/there"))),
    "a whiteout and what comes back": (BASE, _FRESH_HOME, (gone("home/v"), file("home/v/g", b"g"))),
    "an opaque directory": (BASE, (folder("etc", mtime=65), opaque("etc"), file("etc/only", b"o"))),
    "an opaque directory that is not listed": (BASE, (file("home/u/n", b"n"), opaque("home/u"))),
    "an opaque root": (BASE, (opaque(), file("only", b"o", mtime=66))),
    "a file in the place of a directory": (BASE, (file("usr", b"f"),), (folder("usr"),)),
    "a directory in the place of a file": (
        (file("f", b"f"),),
        (folder("f", mtime=67), file("f/g", b"g")),
        (file("f", b"again"),),
        (folder("f", mtime=68), file("f/h", b"h")),
    ),
    "a path that occurs twice": (BASE, (file("etc", b"f"), folder("etc", mtime=69), file("etc/x"))),
    "a repeated layer": (BASE, _UPDATE, (gone("etc"),), _UPDATE),
    "a layer twice in a row": (BASE, BASE),
    "a repeated irregular layer": (BASE, _DEEP, (gone("a"),), _DEEP),
    "a repeated empty layer": ((), (), BASE, ()),
    "names that mean something to somebody": (
        (
            *(
                folder("a,b:c\\d"),
                file("a,b:c\\d/ e", b"1"),
                file("-x", b"2"),
                file("\u00e9\n", b"3"),
            ),
            *(folder("work"), folder("index"), file("upper", b"4"), file("x" * 255, b"5")),
        ),
        (gone("a,b:c\\d/ e"), gone("x" * 250)),
    ),
    "many layers": many(60),
}
"""Each must be shown as ``union`` says."""

BAD_STACKS: Mapping[str, Stack] = {
    "a hard link to nothing": (BASE, (hardlink("x", "nothing"),)),
    "a hard link to a directory": (BASE, (hardlink("x", "etc"),)),
    "a hard link to what is gone": (BASE, (gone("etc/motd"), hardlink("x", "etc/motd"))),
    "links that run in circles": ((symlink("a", "b"), symlink("b", "a")), (file("a/x"),)),
}
"""None of them makes a tree."""
