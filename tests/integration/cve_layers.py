"""Layers that broke out of other engines, by the numbers of the CVEs that tell of it.

``LAYERS`` are sound as tars and show a tree in which all ends inside; ``REFUSED`` can only be meant
badly. docs/security.md says what each was about.

Whoever is broken by one of them writes to the host that the test made, never to the machine's own
root: all that leads outside leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nacre.layers.entry import Entry, Kind
from nacre.layers.tar import END_OF_ARCHIVE, header_blocks
from nacre.layers.tar.header import encode_header
from nacre.testing.members import (
    Member,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
    tar_of,
)

Layers = Sequence[Sequence[Member]]

_LOUD = {"xattrs": ((b"user.a", b"1"),), "mtime": 5}
_CLIMBING = ("../x", "../../y", "/../z", "a/../../v", "/w", "a/b/../../../u")


def _links_of_lower_layers(host: str) -> Layers:
    lower = [symlink("a", "b"), symlink("b", "/c"), symlink("c", f"../../../..{host}/etc")]
    return [lower, [file("a/passwd", b"x"), gone("a/shadow"), opaque("a")]]


def _links_as_parents(host: str) -> Layers:
    members = []
    targets = [f"{host}/", "..", "../..", f"/..{host}", "../../etc", host, f"{host}/etc"]
    for name, target in zip("abcdefg", targets, strict=True):
        members += [
            *(
                symlink(name, target),
                file(f"{name}/etc/passwd", b"x"),
                file(f"{name}/passwd", b"x"),
            ),
            *(folder(f"{name}/etc"), gone(f"{name}/passwd"), gone(f"{name}/etc/shadow")),
            *(symlink(f"{name}/tmp", "x"), special(f"{name}/pipe", Kind.FIFO)),
        ]
    return [members, [opaque("g"), opaque("f/etc"), gone("e/x")]]


def _chmod_of_a_link(host: str) -> Layers:
    outside = f"{host}/tmp/perm400"
    return [[symlink("l", outside), hardlink("h", "l", mode=0o4777, uid=7, gid=7, mtime=5)]]


def _chown_of_a_link(host: str) -> Layers:
    owned: dict[str, Any] = {"uid": 1, "gid": 1}
    lower = [symlink("etc", f"{host}/etc", **owned), symlink("x", f"{host}/x", **owned)]
    return [lower, [folder("etc/d", **owned), file("etc/passwd", **owned), hardlink("y", "x")]]


def _attributes_through_a_link(host: str) -> Layers:
    return [
        [
            *(symlink("l", f"{host}/etc", **_LOUD), folder("l", 0o777, **_LOUD)),
            *(symlink("m", f"{host}/etc/passwd"), file("m", b"x", mode=0o777, **_LOUD)),
            *(symlink("n", f"{host}/etc/passwd"), special("n", Kind.FIFO, mode=0o777, mtime=5)),
        ]
    ]


def _names_that_climb(host: str) -> Layers:
    names = [*_CLIMBING, f"../../../../../..{host}/etc/passwd"]
    return [[file(name, b"inside") for name in names]]


def _entries_behind_links(host: str) -> Layers:
    return [
        [
            *(symlink("out", f"{host}/etc"), file("out/passwd", b"x"), file("out/new", b"x")),
            *(symlink("up", "../../../etc"), file("up/passwd", b"y"), folder("up/d", 0o777)),
        ]
    ]


def _attributes_of_parents(host: str) -> Layers:
    above = [folder(name, 0o777, **_LOUD) for name in ("../..", f"../../../../../..{host}/etc")]
    return [[folder("d"), *above, folder("..", 0o700, mtime=9)]]


def _targets_not_resolved(host: str) -> Layers:
    return [
        [
            *(folder("d"), symlink("d/up", "../.."), symlink("d/out", f"up/../../..{host}/etc")),
            *(symlink("again", "d/out"), file("again/passwd", b"x"), file("d/up/w", b"x")),
        ]
    ]


def _links_to_links(host: str) -> Layers:
    return [
        [
            *(folder("a"), symlink("a/b", "./.."), symlink("a/c", f"b/b/..{host}/etc")),
            *(symlink("dummy", f"{host}/etc/passwd"), hardlink("hard", "dummy")),
            *(file("hard", b"x"), symlink("a/c/passwd", "/x"), file("a/c/shadow", b"x")),
        ]
    ]


def _too_long_to_resolve(host: str) -> Layers:
    # Who resolves paths as text gives up beyond PATH_MAX, and lets the rest pass.
    part, path = "d" * 247, ""
    members: list[Member] = []
    for link in "abcdefghijklmnop":
        members += [folder(path + part), symlink(path + link, part)]
        path += f"{link}/"
    members += [
        symlink(path + "l" * 254, "../" * 20),
        symlink("escape", f"{path}{'l' * 254}/../.."),
    ]
    return [[*members, file(f"escape{host}/etc/passwd", b"x")]]


LAYERS: dict[str, Callable[[str], Layers]] = {
    "CVE-2007-4559": _entries_behind_links,
    "CVE-2014-6407": _links_of_lower_layers,
    "CVE-2014-9356": _links_as_parents,
    "CVE-2020-10696": _names_that_climb,
    "CVE-2021-21272": _names_that_climb,
    "CVE-2021-21284": _chown_of_a_link,
    "CVE-2021-32760": _chmod_of_a_link,
    "CVE-2021-41089": _attributes_through_a_link,
    "CVE-2024-12718": _attributes_of_parents,
    "CVE-2025-4138": _targets_not_resolved,
    "CVE-2025-4330": _links_to_links,
    "CVE-2025-4517": _too_long_to_resolve,
}
"""Of the path of the host's root: layers, base first."""


def _roots_that_are_links(host: str) -> list[bytes]:
    target = f"{host}/etc".encode()
    slash = header_blocks(Entry(b"@", Kind.SYMLINK, linkname=target))
    slash = _summed(b"/" + slash[1:])
    named = [header_blocks(Entry(name, Kind.SYMLINK, linkname=target)) for name in (b".", b"..")]
    return [blocks + tar_of([file("passwd", b"x")]) for blocks in (slash, *named)]


def _one_bad_member_among_good_ones(host: str) -> list[bytes]:
    good = tar_of([folder("etc"), file("etc/passwd", b"x")])[: -len(END_OF_ARCHIVE)]
    bad = header_blocks(Entry(b"./.", Kind.SYMLINK, linkname=host.encode()))
    return [good + bad + good + END_OF_ARCHIVE]


def _negative_sizes(_host: str) -> list[bytes]:
    tars = []
    for typeflag in b"0", b"5", b"L", b"x", b"g":
        block = encode_header(name=b"a", typeflag=typeflag)
        size = (-512).to_bytes(12, "big", signed=True)
        tars.append(tar_of([file("a", b"x")])[:1024] + _summed(block[:124] + size + block[136:]))
    return tars


def _summed(block: bytes) -> bytes:
    checksum = sum(block[:148]) + 8 * 32 + sum(block[156:512])
    return block[:148] + b"%06o\0 " % checksum + block[156:]


REFUSED: dict[str, Callable[[str], list[bytes]]] = {
    "CVE-2021-29136": _roots_that_are_links,
    "CVE-2025-4435": _one_bad_member_among_good_ones,
    "CVE-2025-8194": _negative_sizes,
}
"""Of the same path: tars, each of which is refused as a whole."""
