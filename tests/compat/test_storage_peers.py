"""The trees that drivers show are those of podman and docker, but for what is named here.

``docs/decisions/0022-where-engines-differ.md`` says why each difference is one.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from nacre.layers.entry import Kind
from nacre.testing import hard_stacks
from nacre.testing.hard_stacks import BAD_STACKS
from tests.compat import test_union
from tests.compat.stack_images import (
    ALL_DRIVERS,
    DockerPeer,
    Peer,
    Shower,
    ghosts,
    podman_peer,
    write_archive,
)
from tests.integration.layer_apply import Listing, listing
from tests.integration.union_listing import listed
from tests.peers.mounting import nothing_stays_mounted
from tests.peers.tools import Tool
from tests.unit.layers.stacks import Member, Stack, file, folder, hardlink, special, symlink, tar_of

pytestmark = pytest.mark.root

_SMALL_BASE = [folder("d", 0o750, uid=3), file("d/f", b"f", mode=0o4755, uid=5, gid=6, mtime=7)]


def _bytes_named(member: Member, name: bytes) -> Member:
    return replace(member, entry=member.entry._replace(name=name))


_MORE: Mapping[str, hard_stacks.Stack] = {
    "names that are no text": (
        _SMALL_BASE,
        [folder("d", 0o750), _bytes_named(file("x", b"x", mtime=3), b"d/\xff\xfe")],
        [folder("d", 0o750), _bytes_named(file("x"), b"d/.wh.\xff\xfe"), file("d/y")],
    ),
    "a capability and set-ID bits": (
        _SMALL_BASE,
        [
            folder("d", 0o2775, gid=9),
            file(
                "d/ping",
                b"ping",
                mode=0o2755,
                xattrs=((b"security.capability", b"\1\0\0\2" + b"\0\x20\0\0" + bytes(12)),),
            ),
        ],
    ),
    "devices and a pipe": (
        _SMALL_BASE,
        [
            *(folder("dev"), special("dev/sda", Kind.BLK, devmajor=8, devminor=300)),
            special("dev/tty", Kind.CHR, mode=0o666, devmajor=5),
            special("dev/pipe", Kind.FIFO),
        ],
    ),
    "hard links in one layer above": (
        _SMALL_BASE,
        [folder("d"), file("d/g", b"g", mtime=4), hardlink("d/h", "d/g"), hardlink("i", "d/g")],
    ),
    "a hard link whose header says something else": (
        [file("f", b"f", mtime=5), hardlink("g", "f", mode=0o600, uid=7, mtime=8)],
    ),
    "a symlink with an owner": ([symlink("s", "nowhere", uid=1, gid=2, mtime=9)],),
}
"""What stacks elsewhere do not show."""


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _truthful(layers: hard_stacks.Stack) -> list[list[Member]]:
    # Tools write the attributes of the file into each of its links; our short-hands do not.
    told = []
    for number, layer in enumerate(layers):
        tree = Stack(*layers[: number + 1]).tree
        nodes = dict(tree.walk())
        told.append(
            [
                _with_attributes(member, nodes[member.entry.name])
                if member.entry.kind is Kind.LINK
                else member
                for member in layer
            ]
        )
    return told


def _with_attributes(member: Member, node: object) -> Member:
    names = ("mode", "uid", "gid", "mtime")
    return replace(
        member, entry=member.entry._replace(**{name: getattr(node, name) for name in names})
    )


_LEFT_OUT = ("no layers", "many layers")  # no engine loads the first; the second only takes time
_UNTRUTHFUL = "a hard link whose header says something else"
CASES: Mapping[str, Sequence[Sequence[Member]]] = {
    _slug(name): layers if name == _UNTRUTHFUL else _truthful(layers)
    for name, layers in {**test_union.STACKS, **hard_stacks.STACKS, **_MORE}.items()
    if name not in _LEFT_OUT
}

_TWICE = {"a-path-that-occurs-twice": "refused: duplicates of file paths not supported"}
_DEAD = {"a-parent-that-is-a-dead-symlink": "refused: open /dead/x: no such file"}
_LINK_HEADERS = {
    "a-hard-link-whose-header-says-something-else": "~f mode uid mtime|~g mode uid mtime"
}
_REFUSED = "refused: "
_NOT_HERE = "refused: no such file or directory"

_UNLISTED, _LISTED = "a-lone-layer-that-does-not-list-the-root", "the-root-with-other-attributes"

BY_APPLYING = {
    **_TWICE,
    **_DEAD,
    **_LINK_HEADERS,
    "a-parent-that-is-a-file-below": "refused: open /etc/motd/f: not a directory",
    "a-whiteout-after-its-own-entry": "-etc/a",
}
"""Where podman's driver ``vfs``, which applies one layer after the other to a copy, differs."""

BY_STACKING = {
    **_TWICE,
    **_DEAD,
    **_LINK_HEADERS,
    # What a layer does not hold, it cannot link to, and it finds no link on the way.
    "a-hard-link-to-a-lower-file": _NOT_HERE,
    "a-hard-link-to-a-symlink": _NOT_HERE,
    "a-hard-link-into-a-lower-layer": _NOT_HERE,
    "a-hard-link-through-a-link-below": _NOT_HERE,
    "a-hard-link-to-a-link-below": _NOT_HERE,
    "a-parent-that-is-a-symlink": "+lib/new|-usr/lib/new|~lib kind mode target",
    "a-parent-that-is-a-link-below": "+bin/ls|-usr/bin/ls|~bin kind mode target",
    # Directories that a layer does not list are new ones.
    "a-parent-that-keeps-its-attributes": "~tmp mode uid gid",
    "implied-parents-with-attributes-from-below": "~tmp mode",
    "an-opaque-directory-that-is-not-listed": "~home/u mode uid gid xattrs",
    # A whiteout and an entry of the same name are one inode.
    "regular-layers": "+home/u|+home/u/notes",
    "a-whiteout-and-what-comes-back": "refused: open /home/v/g: not a directory",
    "a-whiteout-after-its-own-entry": "refused: file exists",
    # overlayfs takes no notice of an opaque root, and shows whiteouts that cover nothing.
    "an-opaque-root": (
        "+bin|+etc|+etc/motd|+etc/shadow|+home|+home/u|+home/u/notes|+pipe|+tmp|+usr|+usr/bin"
        "|+usr/bin/ksu|+usr/bin/su"
    ),
    "a-whiteout": "?not/there",
    "a-whiteout-behind-a-symlink": "?lib/libc",
    "a-repeated-layer": "?etc/shadow",
}
"""Where docker's and podman's drivers for overlayfs differ: each layer is a folder of its own."""


class Known(NamedTuple):
    """What is known of an engine: where it differs, and what its roots are like."""

    differences: Mapping[str, str]
    roots: Mapping[str, tuple[int, int]]

    def refused(self) -> list[str]:
        """Return the stacks that it does not load."""
        return [name for name, what in self.differences.items() if what.startswith(_REFUSED)]


KNOWN = {
    "podman vfs": Known(BY_APPLYING, {_UNLISTED: (0o555, 0), _LISTED: (0o711, 9)}),
    "podman overlay": Known(BY_STACKING, {_UNLISTED: (0o555, 0), _LISTED: (0o555, 0)}),
    "docker overlay2": Known(BY_STACKING, {_UNLISTED: (0o755, 0), _LISTED: (0o755, 0)}),
}


@pytest.fixture(params=KNOWN)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Peer, Known]]:
    """An engine without images."""
    name: str = request.param
    engine, _, driver = name.partition(" ")
    with nothing_stays_mounted(tmp_path):
        if engine == "podman":
            with podman_peer(tmp_path, driver) as found:
                yield found, KNOWN[name]
            return
        docker: Tool = request.getfixturevalue("docker")
        (tmp_path / "mounts").mkdir()
        assert docker("info", "--format", "{{.Driver}}") == f"{driver}\n"
        yield DockerPeer(docker, tmp_path / "mounts"), KNOWN[name]


def test_peers_show_the_union_of_layers(peer: tuple[Peer, Known], tmp_path: Path) -> None:
    engine, known = peer
    refused = known.refused()
    images = {name: image(name) for name in CASES if name not in refused}
    # One after the other would take long.
    archive = tmp_path / "images.tar"
    write_archive(archive, {images[name]: Stack(*CASES[name]).tars for name in images})
    engine.tool("load", "--input", archive)
    with engine.shown([*images.values()]) as trees:
        found = {
            name: difference(trees[place], Stack(*CASES[name])) for name, place in images.items()
        }
        roots = {name: trees[images[name]].stat() for name in known.roots}
    assert {name: what for name, what in found.items() if what} == {
        name: what for name, what in known.differences.items() if name not in refused
    }
    assert {
        name: (stat.S_IMODE(at.st_mode), at.st_uid) for name, at in roots.items()
    } == known.roots


def test_peers_refuse_what_is_known(peer: tuple[Peer, Known], tmp_path: Path) -> None:
    engine, known = peer
    for name in known.refused():
        done = load(engine, name, CASES[name], tmp_path)
        assert done.returncode != 0, name
        assert known.differences[name].removeprefix(_REFUSED) in done.stderr, name


def test_peers_refuse_what_nacre_refuses(peer: tuple[Peer, Known], tmp_path: Path) -> None:
    """Stacking finds nothing wrong where the links of one layer lead into another."""
    engine, known = peer
    accepted = ["a hard link to what is gone", "links that run in circles"]
    for name, layers in BAD_STACKS.items():
        done = load(engine, _slug(name), layers, tmp_path)
        expected = known.differences is BY_STACKING and name in accepted
        assert (done.returncode == 0) == expected, name


@pytest.mark.parametrize("driver", ALL_DRIVERS)
def test_drivers_show_the_union_of_layers(driver: str, tmp_path: Path) -> None:
    with nothing_stays_mounted(tmp_path):
        shown = Shower(driver, tmp_path)
        for name, layers in CASES.items():
            stack = Stack(*layers)
            with shown(stack.tars) as tree:
                assert listing(os.fsencode(tree)) == listed(stack), name


def load(
    peer: Peer, name: str, layers: Sequence[Sequence[Member]], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Give a peer one image."""
    archive = folder / "image.tar"
    write_archive(archive, {image(name): [tar_of(layer) for layer in layers]})
    return peer.tool.attempt("load", "--input", archive)


def image(name: str) -> str:
    return f"localhost/stacks/{name}:1"


def difference(tree: Path, stack: Stack) -> str:
    """Return what is in a tree that is not as in the union of a stack; empty when all is.

    Paths that only the tree has, with ``+``; that it lacks, with ``-``; that differ, with ``~``
    and the names of what is not the same; and that it lists and nobody can open, with ``?``.
    """
    # Of a tree with such names nothing more can be told.
    if dead := ghosts(tree):
        return "|".join(f"?{os.fsdecode(path)}" for path in dead)
    return compared(listed(stack), listing(os.fsencode(tree)))


def compared(ours: Listing, theirs: Listing) -> str:
    """Return the difference of two trees; see ``difference``."""
    only_theirs = [f"+{os.fsdecode(path)}" for path in sorted(theirs.keys() - ours.keys())]
    only_ours = [f"-{os.fsdecode(path)}" for path in sorted(ours.keys() - theirs.keys())]
    changed = []
    # What the root is like, and the times of directories, are their own affair.
    for path in sorted(ours.keys() & theirs.keys() - {b""}):
        one, other = ours[path], theirs[path]
        names = [each.name for each in fields(one)]
        if "d" in (one.kind, other.kind):
            names.remove("mtime")
        found = [name for name in names if getattr(one, name) != getattr(other, name)]
        if found:
            changed.append(" ".join([f"~{os.fsdecode(path)}", *found]))
    return "|".join([*only_theirs, *only_ours, *changed])
