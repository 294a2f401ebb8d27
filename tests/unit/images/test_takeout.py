from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nacre.errors import Conflict, Denied, NacreError, NotFound
from nacre.images.takeout import Destination, TakenOut, destination, take_out
from nacre.images.tree import ImageTree
from nacre.layers.apply.attributes import Loss
from nacre.layers.entry import Kind
from tests.unit.images.shelves import tree_of
from tests.unit.layers.stacks import Member, file, folder, hardlink, special, symlink

BASE = [
    folder("d", 0o750, mtime=1000),
    file("d/motd", b"hello", mode=0o640, mtime=2000),
    file("d/sub/deep", b"x" * 5000),
    hardlink("d/again", "d/motd"),
    symlink("d/link", "/etc/passwd"),
    symlink("d/dir", "sub"),
    special("d/pipe", Kind.FIFO),
    file("lone", b"alone"),
    symlink("to-d", "d"),
]


@pytest.fixture
def tree(tmp_path: Path) -> ImageTree:
    return tree_of(tmp_path / "store", BASE)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def take(
    tree: ImageTree, path: str, folder: Path, name: str = "", *, archive: bool = False
) -> TakenOut:
    place = Destination(folder, name.encode())
    return take_out(tree.tree, tree.find(path.encode()), tree.layers, place, archive=archive)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_directory_comes_out_with_all_that_is_in_it(tree: ImageTree, out: Path) -> None:
    taken = take(tree, "d", out, "copy")
    assert names(out) == [
        "copy", "copy/again", "copy/dir", "copy/link", "copy/motd", "copy/pipe", "copy/sub",
        "copy/sub/deep",
    ]  # fmt: skip
    assert (out / "copy/sub/deep").read_bytes() == b"x" * 5000
    assert taken == TakenOut(members=8, size=5005, losses=())


def test_modes_and_times_are_those_of_the_image(tree: ImageTree, out: Path) -> None:
    take(tree, "d", out, "copy")
    for name, mode, mtime in (("copy", 0o750, 1000), ("copy/motd", 0o640, 2000)):
        found = (out / name).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (mode, mtime)
        assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


def test_hard_links_and_symbolic_links_stay_what_they_are(tree: ImageTree, out: Path) -> None:
    take(tree, "d", out, "copy")
    assert (out / "copy/again").samefile(out / "copy/motd")
    assert os.readlink(out / "copy/link") == "/etc/passwd"
    assert os.readlink(out / "copy/dir") == "sub"
    assert stat.S_ISFIFO((out / "copy/pipe").lstat().st_mode)


def test_what_is_in_a_directory_goes_into_another(tree: ImageTree, out: Path) -> None:
    (out / "mine").touch()
    before = stat.S_IMODE(out.stat().st_mode)
    take(tree, "d", out)
    assert {"mine", "motd", "sub/deep"} <= set(names(out))
    assert stat.S_IMODE(out.stat().st_mode) == before


def test_a_file_replaces_a_file_and_not_what_a_link_leads_to(
    tree: ImageTree, out: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (out / "lone").symlink_to(victim)
    take(tree, "lone", out, "lone")
    assert victim.read_text() == "precious"
    assert (out / "lone").read_text() == "alone"
    assert not (out / "lone").is_symlink()


def test_a_file_whose_other_names_are_elsewhere_does_not_change_them(
    tree: ImageTree, out: Path
) -> None:
    (out / "lone").write_text("old")
    os.link(out / "lone", out / "other")
    take(tree, "lone", out, "lone")
    assert (out / "other").read_text() == "old"


def test_a_directory_is_merged_and_the_attributes_of_the_old_one_stay(
    tree: ImageTree, out: Path
) -> None:
    (out / "copy/sub").mkdir(parents=True)
    (out / "copy/mine").write_text("mine")
    (out / "copy/motd").write_text("old")
    (out / "copy").chmod(0o711)
    take(tree, "d", out, "copy")
    assert (out / "copy/mine").read_text() == "mine"
    assert (out / "copy/motd").read_text() == "hello"
    assert stat.S_IMODE((out / "copy").stat().st_mode) == 0o711
    assert stat.S_IMODE((out / "copy/sub").stat().st_mode) != 0


def test_links_in_the_destination_are_never_followed(
    tree: ImageTree, out: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (out / "copy").mkdir()
    (out / "copy/sub").symlink_to(outside)
    with pytest.raises(Conflict, match="cannot replace something else with a directory"):
        take(tree, "d", out, "copy")
    assert names(outside) == []


@pytest.mark.parametrize("path", ["lone", "to-d/link"])
def test_a_directory_is_never_replaced_by_something_else(
    tree: ImageTree, out: Path, path: str
) -> None:
    (out / "x/y").mkdir(parents=True)
    node = tree.find(path.encode(), follow=False)
    with pytest.raises(Conflict, match="cannot replace a directory"):
        take_out(tree.tree, node, tree.layers, Destination(out, b"x"))
    assert names(out) == ["x", "x/y"]


def test_a_directory_inside_is_not_replaced_either(tree: ImageTree, out: Path) -> None:
    (out / "copy/motd").mkdir(parents=True)
    with pytest.raises(Conflict):
        take(tree, "d", out, "copy")


def test_a_failure_leaves_nothing_behind(tree: ImageTree, out: Path) -> None:
    (blob,) = (out.parent / "store/blobs/sha256").glob(tree.image.layers[0].digest.encoded)
    tree.tree  # noqa: B018 - while the layer is sound
    blob.write_bytes(blob.read_bytes()[:200])
    with pytest.raises(NacreError):
        take(tree, "d", out, "copy")
    assert names(out) == []


def test_a_failure_leaves_the_old_file(tree: ImageTree, out: Path) -> None:
    (blob,) = (out.parent / "store/blobs/sha256").glob(tree.image.layers[0].digest.encoded)
    tree.tree  # noqa: B018
    (out / "lone").write_text("old")
    blob.write_bytes(b"garbage")
    with pytest.raises(NacreError):
        take(tree, "lone", out, "lone")
    assert (out / "lone").read_text() == "old"
    assert names(out) == ["lone"]


# What could do harm stays behind.

HOSTILE: list[Member] = [
    file("h/su", b"#!", mode=0o6755, uid=0, xattrs=((b"user.a", b"1"),)),
    special("h/disk", Kind.BLK, devmajor=8, mode=0o666),
    special("h/null", Kind.CHR, devmajor=1, devminor=3),
    hardlink("h/disk2", "h/disk"),
    folder("h/group", 0o2775),
    folder("h/tmp", 0o1777),
]


def test_set_id_bits_and_devices_stay_behind(tmp_path: Path, out: Path) -> None:
    taken = take(tree_of(tmp_path / "store", HOSTILE), "h", out, "h")
    assert names(out) == ["h", "h/group", "h/su", "h/tmp"]
    modes = {name: stat.S_IMODE((out / "h" / name).stat().st_mode) for name in ("su", "group")}
    assert modes == {"su": 0o755, "group": 0o775}
    assert stat.S_IMODE((out / "h/tmp").stat().st_mode) == 0o1777
    # By the name that it has in the end, not the one under which it was made.
    assert taken.losses == (Loss("device", 3, b"h/disk"),)


def test_a_lone_device_leaves_nothing(tmp_path: Path, out: Path) -> None:
    taken = take(tree_of(tmp_path / "store", HOSTILE), "h/null", out, "null")
    assert names(out) == []
    assert taken.losses == (Loss("device", 1, b"null"),)


@pytest.mark.root
def test_an_archive_keeps_all(tmp_path: Path, out: Path) -> None:
    members = [*HOSTILE, file("h/mine", b"", uid=12, gid=34)]
    take(tree_of(tmp_path / "store", members), "h", out, "h", archive=True)
    assert stat.S_IMODE((out / "h/su").stat().st_mode) == 0o6755
    assert (out / "h/null").stat().st_rdev == os.makedev(1, 3)
    assert ((out / "h/mine").stat().st_uid, (out / "h/mine").stat().st_gid) == (12, 34)


def test_a_directory_with_the_name_of_a_whiteout_removes_nothing(tmp_path: Path, out: Path) -> None:
    (out / "h").mkdir()
    (out / "h/victim").write_text("precious")
    take(tree_of(tmp_path / "store", [file("h/.wh.victim/x", b"1")]), "h", out, "h")
    assert (out / "h/victim").read_text() == "precious"
    assert (out / "h/.wh.victim/x").read_text() == "1"


def test_a_locked_directory_is_filled_all_the_same(tmp_path: Path, out: Path) -> None:
    take(tree_of(tmp_path / "store", [folder("d", 0o500), file("d/x", b"1")]), "d", out, "d")
    assert (out / "d/x").read_text() == "1"
    assert stat.S_IMODE((out / "d").stat().st_mode) == 0o500
    (out / "d").chmod(0o700)


def test_names_that_no_file_system_takes_are_told(tmp_path: Path, out: Path) -> None:
    deep = "/".join(["n" * 200] * 15)
    take(tree_of(tmp_path / "store", [file(f"d/{deep}", b"1")]), "d", out, "d")
    with pytest.raises(NacreError):
        take(tree_of(tmp_path / "s2", [file("d/x")]), "d", out, "n" * 300)


# Where things go, by the rules of docker cp.


@pytest.mark.parametrize(
    ("given", "is_directory", "found"),
    [
        ("there", False, ("there", b"name")),
        ("there/", True, ("there", b"name")),
        ("new", False, (".", b"new")),
        ("new", True, (".", b"new")),
        ("new/", True, (".", b"new")),
        ("there/new", False, ("there", b"new")),
        ("file", False, (".", b"file")),
        (".", False, (".", b"name")),
        ("there/..", True, ("there/..", b"name")),
        ("link", True, ("link", b"name")),
        ("dangling", False, (".", b"dangling")),
    ],
)
def test_the_place_is_found_as_docker_does(
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str,
    is_directory: bool,
    found: tuple[str, bytes],
) -> None:
    monkeypatch.chdir(out)
    Path("there").mkdir()
    Path("file").touch()
    Path("link").symlink_to("there")
    Path("dangling").symlink_to("nowhere")
    assert destination(given, b"name", is_directory=is_directory) == (Path(found[0]), found[1])


@pytest.mark.parametrize(
    ("given", "is_directory", "error"),
    [
        ("file", True, Conflict),
        ("dangling", True, Conflict),
        ("new/", False, NotFound),
        ("no/where", False, NotFound),
        ("no/where", True, NotFound),
        ("file/x", False, NotFound),
        ("file/..", True, NotFound),
        ("", True, NotFound),
        ("", False, NotFound),
    ],
)
def test_a_place_that_cannot_be_is_told(
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str,
    is_directory: bool,
    error: type[NacreError],
) -> None:
    monkeypatch.chdir(out)
    Path("file").touch()
    Path("dangling").symlink_to("nowhere")
    with pytest.raises(error):
        destination(given, b"name", is_directory=is_directory)


def test_a_folder_that_may_not_be_written_to_is_told(
    tree: ImageTree, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises((Denied, NacreError)):
        take(tree, "lone", Path("/proc/self"), "lone")
