"""Attempts to break out of the root, by the names that containerd gave them (archive/tar_test.go).

A tree of data has nothing outside it; what is shown is that each attempt ends inside, where
containerd ends it. Two are refused here that containerd passes over: see their test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import BadArchive
from nacre.layers.toc import toc_of
from nacre.oci.digest import Digest
from tests.unit.layers.stacks import Member, Stack, file, folder, hardlink, symlink

Layer = list[Member]
PASSWD = [folder("etc", 0o770), file("/etc/passwd", b"inside")]
ETC = [folder("/etc/"), file("/etc/passwd", b"all users")]


@dataclass(frozen=True)
class Attempt:
    """Layers, and what is true of the tree that they make."""

    layers: list[Layer]
    check: Callable[[Stack], bool]


def one(layer: Layer, check: Callable[[Stack], bool]) -> Attempt:
    return Attempt([layer], check)


def unbroken(stack: Stack) -> bool:
    return stack.read("etc/unbroken") == b"unbroken"


def same(path: str, other: str) -> Callable[[Stack], bool]:
    return lambda stack: stack.is_same(path, other)


UNBROKEN = b"unbroken"
ATTEMPTS = {
    "SymlinkAbsolute": one(
        [folder("etc"), symlink("localetc", "/etc"), file("/localetc/unbroken", UNBROKEN)],
        unbroken,
    ),
    "SymlinkUpAndOut": one(
        [
            *(folder("etc"), folder("dummy"), symlink("localetc", "/dummy/../etc")),
            file("/localetc/unbroken", UNBROKEN),
        ],
        unbroken,
    ),
    "SymlinkMultipleAbsolute": one(
        [
            *(folder("etc"), folder("dummy"), symlink("/dummy/etc", "/etc")),
            *(symlink("localetc", "/dummy/etc"), file("/dummy/etc/unbroken", UNBROKEN)),
        ],
        unbroken,
    ),
    "SymlinkMultipleRelative": one(
        [
            *(folder("etc"), folder("dummy"), symlink("/dummy/etc", "/etc")),
            *(symlink("localetc", "./dummy/etc"), file("/dummy/etc/unbroken", UNBROKEN)),
        ],
        unbroken,
    ),
    "SymlinkEmptyFile": one(
        [
            *(folder("etc"), file("etc/emptied", b"notempty"), symlink("localetc", "/etc")),
            file("/localetc/emptied"),
        ],
        lambda stack: stack.read("etc/emptied") == b"",
    ),
    "HardlinkRelative": one(
        [
            *(*PASSWD, folder("breakouts"), symlink("breakouts/d1", "../../etc")),
            hardlink("breakouts/mypasswd", "/breakouts/d1/passwd"),
        ],
        same("breakouts/mypasswd", "etc/passwd"),
    ),
    "HardlinkDownAndOut": one(
        [
            *(*PASSWD, folder("breakouts"), folder("downandout")),
            symlink("breakouts/d1", "../downandout/../../etc"),
            hardlink("breakouts/mypasswd", "/breakouts/d1/passwd"),
        ],
        same("breakouts/mypasswd", "etc/passwd"),
    ),
    "HardlinkAbsolute": one(
        [*PASSWD, symlink("localetc", "/etc"), hardlink("localpasswd", "/localetc/passwd")],
        same("localpasswd", "etc/passwd"),
    ),
    "HardlinkRelativeLong": one(
        [
            *(*PASSWD, symlink("localetc", "../../../../../../../etc")),
            hardlink("localpasswd", "/localetc/passwd"),
        ],
        same("localpasswd", "etc/passwd"),
    ),
    "HardlinkRelativeUpAndOut": one(
        [
            # containerd passes over what of a target does not exist, and goes up from there; here
            # and for the kernel there has to be something.
            *(*PASSWD, folder("upandout"), symlink("localetc", "upandout/../../../etc")),
            hardlink("localpasswd", "/localetc/passwd"),
        ],
        same("localpasswd", "etc/passwd"),
    ),
    "HardlinkDirectRelative": one(
        [*PASSWD, hardlink("localpasswd", "../../../../../etc/passwd")],
        same("localpasswd", "etc/passwd"),
    ),
    "HardlinkDirectAbsolute": one(
        [*PASSWD, hardlink("localpasswd", "/etc/passwd")], same("localpasswd", "etc/passwd")
    ),
    "SymlinkParentRelative": one(
        [
            *(*PASSWD, symlink("localetc/sub/..", "/etc/")),
            hardlink("/localetc/localpasswd", "/etc/passwd"),
        ],
        same("localetc/localpasswd", "etc/passwd"),
    ),
    "SymlinkSlashEnded": one(
        [*PASSWD, folder("localetc/", 0o770), hardlink("/localetc/localpasswd", "/etc/passwd")],
        same("localetc/localpasswd", "etc/passwd"),
    ),
    "SymlinkOverrideDirectory": Attempt(
        [
            [*ETC, folder("/localetc/")],
            [symlink("localetc", "/etc"), hardlink("/localetc/localpasswd", "/etc/passwd")],
        ],
        same("etc/localpasswd", "etc/passwd"),
    ),
    "SymlinkOverrideDirectoryRelative": Attempt(
        [
            [*ETC, folder("/localetc/")],
            [symlink("localetc", "../../etc"), hardlink("/localetc/localpasswd", "/etc/passwd")],
        ],
        same("etc/localpasswd", "etc/passwd"),
    ),
    "DirectoryOverrideSymlink": Attempt(
        [
            [*ETC, symlink("localetc", "/etc")],
            [folder("/localetc/"), hardlink("/localetc/localpasswd", "/etc/passwd")],
        ],
        lambda stack: (
            stack.is_same("localetc/localpasswd", "etc/passwd")
            and not stack.exists("etc/localpasswd")
        ),
    ),
    "DirectoryOverrideSymlinkAndHardlink": Attempt(
        [
            [
                *(*ETC, symlink("localetc", "etc")),
                hardlink("/localetc/localpasswd", "/etc/passwd"),
            ],
            [folder("/localetc/"), file("/localetc/localpasswd", b"different")],
        ],
        lambda stack: (
            stack.read("localetc/localpasswd") == b"different"
            and stack.read("etc/passwd") == b"all users"
            and stack.is_same("etc/localpasswd", "etc/passwd")
        ),
    ),
    "WhiteoutSymlink": Attempt(
        [[*ETC, symlink("localetc", "/etc")], [file(".wh.localetc")]],
        lambda stack: stack.read("etc/passwd") == b"all users" and not stack.exists("localetc"),
    ),
    "WhiteoutSymlinkPath": Attempt(
        [
            [*ETC, file("/etc/whitedout", b"ahhhh"), symlink("localetc", "/etc")],
            [file("localetc/.wh.whitedout")],
        ],
        lambda stack: stack.paths() == ["etc/", "etc/passwd", "localetc"],
    ),
    "WhiteoutDirectoryName": Attempt(
        [ETC, [file(".wh.etc/somefile", b"non-empty")]],
        lambda stack: (
            stack.read("etc/passwd") == b"all users"
            and stack.read(".wh.etc/somefile") == b"non-empty"
        ),
    ),
    "WhiteoutDeadSymlinkParent": Attempt(
        [[*ETC, symlink("localetc", "/dne")], [file("localetc/.wh.etc")]],
        lambda stack: stack.read("etc/passwd") == b"all users",
    ),
    "WhiteoutRelativePath": Attempt(
        [[*ETC, symlink("localetc", "/dne")], [file("dne/../.wh.etc")]],
        lambda stack: stack.paths() == ["localetc"],
    ),
    "SymlinkOverridePath": Attempt(
        [[folder("a/b"), symlink("a/c", "/")], [symlink("a/b", "../../.."), file("a/b/x", b"in")]],
        lambda stack: stack.read("x") == b"in" and stack.paths() == ["a/", "a/b", "a/c", "x"],
    ),
    "HardlinkSymlinkBeforeCreateTarget": one(
        [
            *(folder("etc", 0o770), symlink("localpasswd", "/etc/passwd")),
            *(hardlink("localpasswd-dup", "localpasswd"), file("/etc/passwd", b"after")),
        ],
        same("localpasswd-dup", "etc/passwd"),
    ),
    "HardlinkSymlinkRelative": one(
        [
            *(*PASSWD, symlink("passwdlink", "../../../../../etc/passwd")),
            hardlink("localpasswd", "/passwdlink"),
        ],
        lambda stack: (
            stack.is_same("localpasswd", "etc/passwd")
            and stack.tree.resolve(b"localpasswd", follow=False).kind is Kind.SYMLINK
        ),
    ),
    "HardlinkSymlinkAbsolute": one(
        [*PASSWD, symlink("passwdlink", "/etc/passwd"), hardlink("localpasswd", "/passwdlink")],
        lambda stack: (
            stack.is_same("localpasswd", "etc/passwd")
            and stack.tree.resolve(b"localpasswd", follow=False).kind is Kind.SYMLINK
        ),
    ),
    "HardlinkSymlinkChmod": one(
        [
            symlink("/tmp/inside", "/tmp/perm400"),
            *(file("/tmp/perm400", mode=0o400), hardlink("sketchy", "/tmp/inside", mode=0o777)),
        ],
        lambda stack: stack.tree.resolve(b"tmp/perm400").mode == 0o400,
    ),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_it_ends_inside(name: str) -> None:
    attempt = ATTEMPTS[name]
    assert attempt.check(Stack(*attempt.layers))


@pytest.mark.parametrize(
    ("name", "path"), [("SymlinkParentDirectory", b".."), ("SymlinkEmptyFilename", b"")]
)
def test_a_symlink_in_place_of_the_root_is_refused(name: str, path: bytes) -> None:
    # containerd passes over it; CVE-2021-29136 says why it is better told.
    with pytest.raises(BadArchive, match="root"):
        toc_of([Entry(path, Kind.SYMLINK, linkname=b"/etc/")], layer=Digest.of(name.encode()))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("WhiteoutRootParent", ".wh..."),
        ("WhiteoutParent", "etc/.wh..."),
        ("WhiteoutRoot", ".wh.."),
        ("WhiteoutCurrentDirectory", "etc/.wh.."),
    ],
)
def test_a_whiteout_of_a_directory_from_inside_is_refused(name: str, path: str) -> None:
    with pytest.raises(BadArchive, match="whiteout"):
        toc_of([Entry(path.encode(), Kind.REG)], layer=Digest.of(name.encode()))
