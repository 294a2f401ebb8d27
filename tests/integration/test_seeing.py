"""Looking into images through the real command, held against what GNU tar and ls say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from nacre.layers.entry import Kind
from nacre.testing.builders import an_image
from tests.integration.images import place
from tests.peers.nacre import NacreCli
from tests.peers.tools import require_tool, run, succeed
from tests.unit.layers.stacks import (
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


def keep(cli: NacreCli, where: Path, name: str, *layers: Sequence[Member]) -> None:
    """Put an image with these layers, compressed, into the store."""
    place(an_image([tar_of(layer) for layer in layers]), cli, where / "layout", name)


# A real image.


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory, debian_rootfs_tar: Path) -> NacreCli:
    """A nacre with ``debian:base``; only to be looked at."""
    cli = NacreCli(tmp_path_factory.mktemp("seeing"))
    cli("import", debian_rootfs_tar, "debian:base")
    return cli


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory, debian_rootfs_tar: Path) -> Path:
    """The same, unpacked by GNU tar."""
    root = tmp_path_factory.mktemp("unpacked")
    succeed(run(require_tool("tar"), "-xpf", debian_rootfs_tar, "-C", root, "--exclude=./dev/*"))
    return root


def ls(root: Path, *words: str) -> str:
    """Return what ls says in a folder."""
    env = {"LC_ALL": "C", "TZ": "UTC"}
    argv = [require_tool("ls"), *words]
    return subprocess.run(
        argv, cwd=root, env=env, capture_output=True, text=True, check=True
    ).stdout


def members(path: Path) -> dict[str, list[str]]:
    """Return mode, owner and size of each member of a tar, as GNU tar tells them."""
    done = succeed(run(require_tool("tar"), "--numeric-owner", "-tvf", path))
    found = {}
    for line in done.stdout.splitlines():
        mode, owner, *size, _, _, name = re.split(r" +", line, maxsplit=5)
        name = re.split(" -> | link to ", name)[0]
        found["/" + name.removeprefix("./").rstrip("/")] = [mode, owner, *size]
    return found


def test_a_real_image_is_listed_as_gnu_tar_lists_its_layer(
    debian: NacreCli, debian_rootfs_tar: Path
) -> None:
    expected = members(debian_rootfs_tar)
    found = {
        one["path"]: one for one in json.loads(debian("image", "ls", "--json", "-R", "debian:base"))
    }
    assert found.keys() | {"/"} == expected.keys()
    for path, one in found.items():
        mode, owner, size = expected[path]
        if mode.startswith("h"):
            assert one["links"] > 1
            continue
        assert f"{one['uid']}/{one['gid']}" == owner
        assert int(one["mode"], 8) & 0o777 == _permissions(mode)
        if "device" in one:
            assert ",".join(map(str, one["device"])) == size
        else:
            assert str(one["size"]) == size


def _permissions(mode: str) -> int:
    return int("".join("0" if letter in "-ST" else "1" for letter in mode[1:10]), 2)


@pytest.mark.parametrize("path", ["/etc", "/usr/bin", "/", "/bin/", "/bin", "/usr/share"])
def test_names_are_those_of_ls(debian: NacreCli, unpacked: Path, path: str) -> None:
    assert debian("image", "ls", f"debian:base:{path}") == ls(unpacked, "-1A", f".{path}/")


@pytest.mark.parametrize("path", ["/etc", "/usr/lib"])
def test_a_recursive_listing_is_that_of_ls(debian: NacreCli, unpacked: Path, path: str) -> None:
    expected = re.sub(r"^\.(?=/)", "", ls(unpacked, "-1AR", f".{path}"), flags=re.MULTILINE)
    found = debian("image", "ls", "-R", f"debian:base:{path}")
    assert sorted(found.split("\n\n")) == sorted(expected.split("\n\n"))


def test_a_long_listing_is_that_of_ls(debian: NacreCli, unpacked: Path) -> None:
    expected = ls(unpacked, "-lAn", "--time-style=long-iso", "./usr/bin/").splitlines()[1:]
    found = debian("image", "ls", "-l", "debian:base:/usr/bin/").splitlines()
    assert [line.split() for line in found] == [line.split() for line in expected]


def test_a_long_listing_shows_a_link_itself_unless_a_slash_follows(debian: NacreCli) -> None:
    assert debian("image", "ls", "-l", "debian:base:/bin").rstrip().endswith(" /bin -> usr/bin")
    with_slash = debian("image", "ls", "-l", "debian:base:/bin/")
    assert with_slash == debian("image", "ls", "-l", "debian:base:/usr/bin")


def test_every_byte_of_a_file_is_there(debian: NacreCli, unpacked: Path) -> None:
    paths = ["/etc/passwd", "/bin/bash", "/usr/bin/perl", "/etc/os-release"]
    argv = debian.argv("image", "cat", *(f"debian:base:{path}" for path in paths))
    done = subprocess.run(argv, env=debian.env, capture_output=True, check=True)
    real = ["etc/passwd", "usr/bin/bash", "usr/bin/perl", "usr/lib/os-release"]
    assert done.stdout == b"".join((unpacked / path).read_bytes() for path in real)


@pytest.mark.root
def test_an_export_is_what_was_imported(
    debian: NacreCli, debian_rootfs_tar: Path, unpacked: Path, tmp_path: Path
) -> None:
    debian("image", "export", "-o", tmp_path / "out.tar", "debian:base")
    assert members(tmp_path / "out.tar").keys() == members(debian_rootfs_tar).keys()
    words = ("--diff", "--numeric-owner", "--exclude=dev/*", "-C", unpacked)
    succeed(run(require_tool("tar"), "-f", tmp_path / "out.tar", *words))


@pytest.mark.root
def test_what_is_copied_out_is_what_is_in_it(
    debian: NacreCli, unpacked: Path, tmp_path: Path
) -> None:
    debian("image", "cp", "-a", "debian:base:/etc", tmp_path)
    debian("image", "cp", "debian:base:/usr/share/perl5/.", tmp_path / "perl5")
    for mine, real in (("etc", "etc"), ("perl5", "usr/share/perl5")):
        done = run(require_tool("diff"), "-r", "--no-dereference", tmp_path / mine, unpacked / real)
        assert done.stdout == ""
    assert ls(tmp_path, "-lAnR", "--time-style=+%s", "etc") == ls(
        unpacked, "-lAnR", "--time-style=+%s", "etc"
    )


def test_a_real_image_does_not_differ_from_what_is_made_of_its_export(
    debian: NacreCli, tmp_path: Path
) -> None:
    cli = NacreCli(tmp_path / "other")
    debian("image", "export", "-o", tmp_path / "out.tar", "debian:base")
    cli("import", tmp_path / "out.tar", "debian:base")
    debian("save", "-o", tmp_path / "image.tar", "debian:base")
    cli("tag", "debian:base", "debian:flat")
    cli("load", "-i", tmp_path / "image.tar")
    assert cli("image", "diff", "debian:base", "debian:flat") == ""


# Layers, as told by ourselves and by plain arithmetic.

BASE = [
    folder("etc"),
    file("etc/a", b"a" * 1000),
    file("etc/b", b"b" * 500),
    file("big", b"c" * 9000),
]
MIDDLE = [file("etc/a", b"A" * 2000), gone("big")]
TOP = [opaque("etc"), file("etc/a", b"x" * 100), hardlink("again", "etc/a"), file("new", b"n")]


@pytest.fixture
def layered(nacre_cli: NacreCli, tmp_path: Path) -> NacreCli:
    keep(nacre_cli, tmp_path, "app:1", BASE, MIDDLE, TOP)
    return nacre_cli


def test_the_numbers_of_layers_are_those_of_dive(layered: NacreCli) -> None:
    found = json.loads(layered("image", "layers", "--json", "app:1"))
    # dive: of each path all sizes, and the least of them, over all layers; a removed file is 0.
    sizes = defaultdict(list)
    for path, size in [("etc/a", 1000), ("etc/b", 500), ("big", 9000), ("etc/a", 2000), ("big", 0),
                       ("etc/a", 100), ("again", 0), ("new", 1)]:  # fmt: skip
        sizes[path].append(size)
    total = sum(map(sum, sizes.values()))
    assert found["efficiency"] == pytest.approx(sum(map(min, sizes.values())) / total)
    assert found["wasted"] == sum(sum(each) for each in sizes.values() if len(each) > 1)
    assert [(one["size"], one["wasted"]) for one in found["layers"]] == [
        (10_500, 10_500),
        (2000, 2000),
        (101, 0),
    ]


def test_layers_are_a_table_with_the_worst_paths(layered: NacreCli) -> None:
    header, *rows = layered("image", "layers", "app:1").splitlines()
    assert header.split() == ["LAYER", "DIFF", "ID", "FILES", "SIZE", "WASTED", "CREATED", "BY"]
    assert [row.split()[0] for row in rows[:3]] == ["0", "1", "2"]
    assert rows[4].startswith("Efficiency: ")
    assert rows[5].endswith("9kB in 2 layers: /big")


def test_blame_names_the_layer_and_the_line(layered: NacreCli) -> None:
    _, *rows = layered("image", "blame", "app:1:/etc/a").splitlines()
    assert [re.split(r" {3,}", row)[::2] for row in rows] == [
        ["2", "C", "layer 2"],
        ["1", "C", "layer 1"],
        ["0", "A", "layer 0"],
    ]
    (first, *_) = json.loads(layered("image", "blame", "--json", "app:1:/big"))
    assert (first["layer"], first["change"], first["createdBy"]) == (1, "D", "layer 1")


def test_a_difference_is_a_letter_a_size_and_a_path(layered: NacreCli, tmp_path: Path) -> None:
    place(an_image([tar_of(BASE)]), layered, tmp_path / "base", "app:0")
    assert layered("image", "diff", "app:0", "app:1").splitlines() == [
        "A +100B /again",
        "D  -9kB /big",
        "C -900B /etc/a",
        "D -500B /etc/b",
        "A   +1B /new",
    ]
    found = json.loads(layered("image", "diff", "--json", "app:0", "app:1"))
    assert found[2] == {
        "path": "/etc/a", "change": "C", "type": "file", "sizeBefore": 1000, "sizeAfter": 100,
    }  # fmt: skip


def test_one_layer_is_listed_with_its_whiteouts(layered: NacreCli) -> None:
    assert layered("image", "ls", "--layer", "1", "app:1").split() == [".wh.big", "etc"]
    assert layered("image", "ls", "--layer=2", "app:1:/etc").split() == [".wh..wh..opq", "a"]
    assert "no layer 3" in layered.refused("image", "ls", "--layer", "3", "app:1")


def test_looking_twice_reads_the_layers_once(layered: NacreCli) -> None:
    before = layered("image", "ls", "-lR", "app:1")
    for blob in (layered.root / "blobs/sha256").iterdir():
        if blob.read_bytes()[:2] == b"\x1f\x8b":
            blob.unlink()
    assert layered("image", "ls", "-lR", "app:1") == before


# How images, paths and destinations are written.


def test_without_a_path_or_an_option_for_files_images_are_listed(layered: NacreCli) -> None:
    assert layered("image", "ls", "app:1").splitlines()[0].startswith("REPOSITORY")
    assert layered("image", "ls", "-l", "app:1").splitlines()[0].endswith("again")
    assert layered("images", "app:1:/").split() == ["again", "etc", "new"]


@pytest.mark.parametrize("name", ["app:1", "app:1@", "ID", "short"])
def test_an_image_is_named_in_every_way(layered: NacreCli, name: str) -> None:
    image_id = layered("images", "-q", "--no-trunc", "app:1").strip()
    named = {"ID": image_id, "short": image_id[7:15]}.get(name, name.rstrip("@"))
    assert layered("image", "cat", f"{named}:/new") == "n"


def test_a_registry_with_a_port_is_no_path(layered: NacreCli) -> None:
    layered("tag", "app:1", "localhost:5000/team/app:v1")
    assert layered("image", "cat", "localhost:5000/team/app:v1:/new") == "n"


def test_a_tar_goes_to_standard_output(layered: NacreCli) -> None:
    for words in (["image", "cp", "app:1:/etc", "-"], ["image", "export", "app:1"]):
        done = subprocess.run(
            layered.argv(*words), env=layered.env, capture_output=True, check=True
        )
        tar = subprocess.run(
            [require_tool("tar"), "-t"], input=done.stdout, capture_output=True, check=True
        )
        assert b"etc/a" in tar.stdout
        assert done.stderr == b""


def test_a_reader_that_has_enough_ends_it_quietly(debian: NacreCli) -> None:
    done = debian.in_shell("nacre image export debian:base | head -c 100 | wc -c")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "100", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["image", "ls", "app:1:/nope"], "Error: cannot find '/nope': there is no such path"),
        (["image", "ls", "app:1:/new/x"], "'new' in it is no directory"),
        (["image", "cat", "app:1:/etc"], "Error: /etc is no file but a directory"),
        (["image", "cat", "app:1"], 'Error: "app:1" names no path (write IMAGE:/PATH'),
        (["image", "cat", "app:1:etc"], 'Error: "app:1:etc" names no path'),
        (["image", "cat", "gone:1:/x"], "Error: No such image: gone:1"),
        (["image", "blame", "app:1:/never"], "no layer has anything at /never"),
        (["image", "export", "gone:1"], "Error: No such image: gone:1"),
        (["image", "ls", "-R"], "files of which image?"),
        (["image", "ls", "--layer", "x", "app:1"], "invalid argument"),
        (["image", "cp", "app:1:/etc", "no/such/folder/x"], "there is no folder no/such/folder"),
        (["image", "cp", "app:1:/etc", "/dev/null"], "cannot copy a directory to /dev/null"),
    ],
)
def test_what_cannot_be_is_one_line(layered: NacreCli, words: list[str], said: str) -> None:
    error = layered.refused(*words)
    assert said in error
    assert error.count("\n") == 1


def test_a_tar_is_not_written_to_a_terminal(layered: NacreCli) -> None:
    for words in (["image", "export", "app:1"], ["image", "cp", "app:1:/etc", "-"]):
        with layered.at_terminal(*words) as terminal:
            assert terminal.end() == 1
            assert "terminal" in terminal.text


# Hostile images.

HOSTILE = [
    symlink("loop", "loop"),
    symlink("out", "../../../../../../etc/passwd"),
    symlink("dir", "/"),
    file("two\nlines", b"1"),
    file("\x1b[31mred", b"2"),
    file("d/.hidden", b"3"),
    special("disk", Kind.BLK, devmajor=8, mode=0o666),
    file("su", b"#!", mode=0o4755),
]


@pytest.fixture
def hostile(nacre_cli: NacreCli, tmp_path: Path) -> NacreCli:
    keep(nacre_cli, tmp_path, "bad:1", HOSTILE)
    return nacre_cli


def test_names_come_raw_in_pipes_and_quoted_on_terminals(hostile: NacreCli) -> None:
    piped = hostile("image", "ls", "bad:1:/")
    assert "two\nlines\n" in piped
    assert "\x1b[31mred\n" in piped
    for words in (["image", "ls"], ["image", "ls", "-l"]):
        with hostile.at_terminal(*words, "bad:1:/") as terminal:
            assert terminal.end() == 0
            assert "\x1b[31m" not in terminal.shown
            assert "'two'$'\\n''lines'" in terminal.shown
            assert "$'\\033''[31mred'" in terminal.shown


def test_links_that_lead_out_lead_nowhere(hostile: NacreCli) -> None:
    assert "cannot find" in hostile.refused("image", "cat", "bad:1:/out")
    assert "links" in hostile.refused("image", "cat", "bad:1:/loop")
    assert hostile("image", "ls", "bad:1:/dir/dir/d").split() == [".hidden"]


def test_copying_out_harms_nothing(hostile: NacreCli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "out/su").symlink_to(victim)
    done = hostile.run("image", "cp", "bad:1:/", tmp_path / "out")
    assert done.returncode == 0
    assert "Left behind: device, of 1, such as 'disk'" in done.stderr
    assert "Successfully copied" in done.stderr
    assert victim.read_text() == "precious"
    assert (tmp_path / "out/su").stat().st_mode & 0o7777 == 0o755
    assert not (tmp_path / "out/disk").exists()
    assert os.readlink(tmp_path / "out/out") == "../../../../../../etc/passwd"


def test_a_layer_that_only_its_parent_could_explain(nacre_cli: NacreCli, tmp_path: Path) -> None:
    base = [folder("usr/bin"), symlink("bin", "usr/bin"), folder("etc", 0o711), file("lib/x", b"x")]
    top = [
        file("bin/sh", b"sh"),
        file("etc/motd", b"m"),
        hardlink("link", "bin/sh"),
        symlink("lib", "usr"),
    ]
    keep(nacre_cli, tmp_path, "odd:1", base, top)
    assert nacre_cli("image", "cat", "odd:1:/usr/bin/sh", "odd:1:/link") == "shsh"
    assert nacre_cli("image", "ls", "odd:1:/lib/").split() == ["bin"]
    assert nacre_cli("image", "ls", "-l", "odd:1:/").splitlines()[1].startswith("drwx--x--x")


def test_a_bomb_of_holes_is_refused(nacre_cli: NacreCli, tmp_path: Path) -> None:
    tar = tmp_path / "sparse.tar"
    (tmp_path / "hole").touch()
    os.truncate(tmp_path / "hole", 2 << 40)
    succeed(run(require_tool("tar"), "--sparse", "-cf", tar, "-C", tmp_path, "hole"))
    assert "more than 1099511627776 bytes of holes" in nacre_cli.refused("import", tar, "bomb:1")
    assert nacre_cli("images", "-aq") == ""
    # Who allows it may look at it; it is still not unpacked.
    nacre_cli.config.write_text("[limits]\nsize = 4_398_046_511_104\n")
    nacre_cli("import", tar, "bomb:1")
    assert "2199023255552" in nacre_cli("image", "ls", "-l", "bomb:1")
    export = ("export", "-o", str(tmp_path / "x.tar"), "bomb:1")
    for words in (export, ("cp", "bomb:1:/", str(tmp_path / "y"))):
        assert "more than 1099511627776 bytes" in nacre_cli.refused("image", *words)
    assert not (tmp_path / "x.tar").exists()
    assert not (tmp_path / "y").exists()


def test_nothing_is_left_of_an_image_that_was_looked_at(hostile: NacreCli) -> None:
    hostile("image", "ls", "bad:1:/")
    assert list((hostile.root / "tocs").iterdir())
    hostile("rmi", "bad:1")
    assert not list((hostile.root / "tocs").iterdir())
    assert not list((hostile.root / "blobs/sha256").iterdir())


@pytest.mark.root
def test_a_store_that_cannot_be_written_to_can_be_looked_at(
    hostile: NacreCli, tmp_path: Path
) -> None:
    mount, unmount = require_tool("mount"), require_tool("umount")
    succeed(run(mount, "--bind", hostile.root, hostile.root))
    try:
        succeed(run(mount, "-o", "remount,ro,bind", hostile.root))
        assert "su" in hostile("image", "ls", "bad:1:/").split()
    finally:
        succeed(run(unmount, hostile.root))
