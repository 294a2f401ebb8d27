"""A layer applied to disk is the tree that the union says, that GNU tar and umoci unpack, and that
overlayfs shows when the layer was converted for it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nacre.layers.apply import Applied, Applier, BadMember
from nacre.layers.diff import LowerTree, TreeReader, tree_changes, upper_changes, write_layer
from nacre.layers.entry import Kind
from nacre.layers.ownership import IdMap, IdRange, Ownership, Unmapped, rootless_map
from nacre.layers.rootpath import Root
from nacre.layers.union import BadLayer
from nacre.layers.whiteout import Overlay
from tests.integration.layer_apply import Listing, listing
from tests.integration.test_union import LAYERS
from tests.integration.union_listing import listed
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool, isolated_environment, require_tool
from tests.unit.layers.stacks import Member, Stack, file, folder, hardlink, special, symlink, tar_of

pytestmark = pytest.mark.root
NO_FIXTURE_CHECK = [HealthCheck.function_scoped_fixture]


def unpack(tree: Path, tar: bytes, overlay: Overlay | None = None) -> Applied:
    with Root.open(tree) as root, Applier(root, overlay=overlay) as applier:
        applier.feed(tar)
        return applier.finish()


def unpack_all(tree: Path, tars: Sequence[bytes]) -> None:
    for tar in tars:
        unpack(tree, tar)


def unpack_file(tree: Path, tar: Path) -> Applied:
    with Root.open(tree) as root, Applier(root) as applier, tar.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            applier.feed(chunk)
        return applier.finish()


@settings(max_examples=1500, suppress_health_check=NO_FIXTURE_CHECK)
@given(layers=st.lists(LAYERS, min_size=1, max_size=3))
def test_any_stack_on_disk_is_its_union(layers: list[list[Member]], tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as name:
        tars = [tar_of(layer) for layer in layers]
        try:
            expected = listed(Stack(*layers))
        except BadLayer:
            event("refused")
            with pytest.raises(BadMember):
                unpack_all(Path(name), tars)
            return
        unpack_all(Path(name), tars)
        assert listing(name.encode()) == expected


# Overlayfs


@contextmanager
def overlaid(folders: Sequence[Path], top: Path, *, upper: bool = False) -> Iterator[Path]:
    """Mount folders, base first, on a new one; with an upper directory if it is to be written."""
    merged, empty = top / "merged", top / "empty"
    for folder_ in (merged, empty, top / "upper", top / "work"):
        folder_.mkdir()
    lower = ":".join(str(one) for one in [*reversed(folders), empty])
    options = f"lowerdir={lower},index=off,redirect_dir=off,metacopy=off"
    if upper:
        options += f",upperdir={top}/upper,workdir={top}/work"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(merged)], check=True)
    try:
        yield merged
    finally:
        subprocess.run(["umount", str(merged)], check=True)


def converted(layers: Sequence[Sequence[Member]], top: Path) -> list[Path]:
    folders = []
    for number, layer in enumerate(layers):
        folder_ = top / str(number)
        folder_.mkdir()
        unpack(folder_, tar_of(layer), Overlay.TRUSTED)
        folders.append(folder_)
    return folders


BASE = [
    *(folder("./"), folder("a", 0o700, mtime=5), file("a/b", b"low"), folder("a/c", mtime=6)),
    *(file("a/c/d"), file("a/c/e"), file("f", b"1"), symlink("s", "a")),
]
REGULAR = {
    "whiteouts": [folder("./"), folder("a"), file("a/.wh.b"), file(".wh.s")],
    "a tree": [folder("./"), file(".wh.a")],
    "opaque": [folder("./"), folder("a", 0o711), file("a/.wh..wh..opq"), file("a/new")],
    "opaque last": [folder("./"), folder("a"), file("a/new"), file("a/.wh..wh..opq")],
    "opaque and whiteouts": [
        *(folder("./"), folder("a"), file("a/.wh..wh..opq"), file("a/.wh.b"), folder("a/c")),
        *(file("a/c/.wh.d"), file("a/c/new")),
    ],
    "directory again": [folder("./"), file(".wh.a"), folder("a"), file("a/new")],
    "file and directory": [folder("./"), file("a"), folder("a"), file("a/new")],
    "file over directory": [folder("./"), file("a", b"now a file")],
    "directory over file": [folder("./"), folder("f"), file("f/x")],
    "directory over link": [folder("./"), folder("s"), file("s/x")],
    "link over directory": [folder("./"), symlink("a", "f")],
    "links": [folder("./"), file("new", b"2"), hardlink("new2", "new")],
    "attributes": [folder("./", 0o711), folder("a", 0o1777, uid=3), file("f", b"1", mode=0o4755)],
    "overlayfs's own": [
        folder("./"),
        folder("a", xattrs=((b"trusted.overlay.opaque", b"y"), (b"user.a", b"1"))),
    ],
}


def shown(listed_: Listing) -> Listing:
    """Leave away what overlayfs shows in its own way: its links, and its attributes' escapes."""
    return {path: replace(seen, same=frozenset()) for path, seen in listed_.items()}


@pytest.mark.parametrize("name", REGULAR)
def test_overlayfs_shows_converted_layers_as_their_union(name: str, tmp_path: Path) -> None:
    layers = [BASE, REGULAR[name]]
    folders = converted(layers, tmp_path)
    with overlaid(folders, tmp_path) as merged:
        assert shown(listing(bytes(merged))) == shown(listed(Stack(*layers)))


def test_what_overlayfs_writes_is_a_layer(tmp_path: Path) -> None:
    folders = converted([BASE, REGULAR["whiteouts"]], tmp_path)
    with ExitStack() as stack:
        merged = stack.enter_context(overlaid(folders, tmp_path, upper=True))
        _change(merged)
        expected = listing(bytes(merged))
        below = tmp_path / "below"
        below.mkdir()
        lower = stack.enter_context(overlaid_again(folders, below))
        root = stack.enter_context(Root.open(tmp_path / "upper"))
        reader = stack.enter_context(TreeReader(stack.enter_context(Root.open(lower))))
        changes = upper_changes(root, LowerTree(reader))
        out = (tmp_path / "layer.tar").open("w+b")
        stack.enter_context(out)
        write_layer(out, root, changes, overlay=Overlay.TRUSTED)
        found = [f"{kind.value} {path.decode()}" for kind, path in changes]
    assert found == [
        *(
            "D f",
            "C a",
            "A a/again",
            "C a/c",
            "D a/c/d",
            "D a/c/e",
            "A a/c/g",
            "A a/new",
            "A made",
            "A made/x",
            "A over",
        ),
    ]
    tree = tmp_path / "tree"
    tree.mkdir()
    for layer in (tar_of(BASE), tar_of(REGULAR["whiteouts"])):
        unpack(tree, layer)
    unpack_file(tree, tmp_path / "layer.tar")
    assert _compared(listing(bytes(tree))) == _compared(expected)


@contextmanager
def overlaid_again(folders: Sequence[Path], top: Path) -> Iterator[Path]:
    with overlaid(folders, top) as merged:
        yield merged


def _change(merged: Path) -> None:
    (merged / "f").unlink()
    (merged / "over").write_text("x")
    (merged / "made").mkdir()
    (merged / "made" / "x").write_text("y")
    (merged / "a" / "new").write_text("new")
    os.link(merged / "a" / "new", merged / "a" / "again")
    # A directory removed and made again is opaque.
    for name in ("d", "e"):
        (merged / "a" / "c" / name).unlink()
    (merged / "a" / "c").rmdir()
    (merged / "a" / "c").mkdir()
    (merged / "a" / "c" / "g").touch()


def _compared(found: Listing) -> Listing:
    return {
        path: replace(seen, xattrs=(), same=frozenset(), mtime=0 if not path else seen.mtime)
        for path, seen in found.items()
    }


# Other people's tools


RICH = [
    *(folder("./", mtime=1), folder("d", 0o1777, uid=5, gid=6, mtime=2), file("d/f", b"x" * 5000)),
    *(file("d/suid", b"x", mode=0o4755, uid=7), hardlink("h", "d/f"), symlink("s", "/d", mtime=3)),
    *(special("pipe", Kind.FIFO, mode=0o600), special("null", Kind.CHR, devmajor=1, devminor=3)),
    *(special("disk", Kind.BLK, mode=0o660, gid=6, devmajor=8), file("n" * 150, mtime=-5)),
    file("cap", b"x", xattrs=((b"security.capability", b"\1\0\0\2\0\4" + bytes(14)),)),
    *(file("attributes", xattrs=((b"user.a", b"1"),)), file("é/ü", b"x", uid=3_000_000)),
    folder("é", 0o700, mtime=9),
]


def gnu_tar(tar: Path, tree: Path) -> None:
    options = ["--numeric-owner", "--same-owner", "--xattrs", "--xattrs-include=*"]
    subprocess.run(
        [
            require_tool("tar"),
            "-xpf",
            str(tar),
            "-C",
            str(tree),
            *options,
            "--delay-directory-restore",
        ],
        check=True,
        timeout=240,
    )


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    return ours, theirs


def test_gnu_tar_unpacks_the_same(two: tuple[Path, Path], tmp_path: Path) -> None:
    ours, theirs = two
    tar = tmp_path / "rich.tar"
    tar.write_bytes(tar_of(RICH))
    unpack_file(ours, tar)
    gnu_tar(tar, theirs)
    assert listing(bytes(ours)) == listing(bytes(theirs))


def test_gnu_tar_unpacks_the_same_debian(two: tuple[Path, Path], debian_rootfs_tar: Path) -> None:
    ours, theirs = two
    assert unpack_file(ours, debian_rootfs_tar).losses == ()
    gnu_tar(debian_rootfs_tar, theirs)
    assert listing(bytes(ours)) == listing(bytes(theirs))


def test_debian_packed_applied_and_compared_is_the_same(
    two: tuple[Path, Path], debian_rootfs_tar: Path, tmp_path: Path
) -> None:
    ours, again = two
    unpack_file(ours, debian_rootfs_tar)
    packed = tmp_path / "packed.tar"
    with Root.open(ours) as root, packed.open("wb") as out:
        write_layer(out, root, tree_changes(None, root))
    unpack_file(again, packed)
    assert listing(bytes(ours)) == listing(bytes(again))
    with Root.open(ours) as old, Root.open(again) as new:
        assert tree_changes(old, new) == []


@pytest.fixture
def umoci(tmp_path: Path) -> Tool:
    return Tool((require_tool("umoci"),), isolated_environment(tmp_path / "umoci"))


@pytest.mark.peers
def test_umoci_unpacks_the_same_stack(
    tmp_path: Path, umoci: Tool, nacre_cli: NacreCli, two: tuple[Path, Path]
) -> None:
    ours, _ = two
    base, upper = tmp_path / "base.tar", tmp_path / "upper.tar"
    base.write_bytes(tar_of([*RICH, *BASE[1:]]))
    upper.write_bytes(tar_of(REGULAR["opaque"]))
    layout = f"{tmp_path / 'layout'}:image"
    umoci("init", "--layout", tmp_path / "layout")
    umoci("new", "--image", layout)
    for layer in (base, upper):
        umoci("raw", "add-layer", "--image", layout, layer)
        unpack_file(ours, layer)
    umoci("unpack", "--image", layout, tmp_path / "bundle")
    theirs = listing(bytes(tmp_path / "bundle" / "rootfs"))
    assert _compared(listing(bytes(ours))) == _compared(theirs)


# Owners


def test_owners_are_mapped_and_mapped_back(two: tuple[Path, Path], tmp_path: Path) -> None:
    ours, again = two
    ids = rootless_map(1000, [(100_000, 65536)])
    ownership = Ownership(ids, ids)
    members = [folder("./"), file("a"), file("b", uid=5, gid=65536), symlink("s", "x", uid=1)]
    with Root.open(ours) as root, Applier(root, ownership=ownership) as applier:
        applier.feed(tar_of(members))
        applier.finish()
    found = {name: ((ours / name).lstat().st_uid, (ours / name).lstat().st_gid) for name in "abs"}
    assert found == {"a": (1000, 1000), "b": (100_004, 165_535), "s": (100_000, 1000)}
    packed = tmp_path / "packed.tar"
    with Root.open(ours) as root, packed.open("wb") as out:
        write_layer(out, root, tree_changes(None, root), ownership=ownership)
    unpack_file(again, packed)
    assert {path: (seen.uid, seen.gid) for path, seen in listing(bytes(again)).items()} == {
        b"": (0, 0),
        b"a": (0, 0),
        b"b": (5, 65536),
        b"s": (1, 0),
    }


def test_an_owner_outside_the_map_is_refused(tmp_path: Path) -> None:
    ids = IdMap((IdRange(0, 1000, 1),))
    with (
        Root.open(tmp_path) as root,
        Applier(root, ownership=Ownership(ids, ids)) as applier,
        pytest.raises(Unmapped, match="the ID 5 of the layer is not mapped") as caught,
    ):
        applier.feed(tar_of([file("a", uid=5)]))
    assert "subuid" in caught.value.remedy
