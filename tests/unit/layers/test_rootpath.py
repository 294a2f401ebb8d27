from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.errors import Conflict
from nacre.layers import rootpath
from nacre.layers.errors import LayerLimit, NoSuchPath, TooManyLinks
from nacre.layers.rootpath import Directories, Directory, Root
from tests.unit.layers.trees import open_files_unchanged


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree beside a directory that nothing in it may reach."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "outside").touch()
    tree = tmp_path / "tree"
    (tree / "etc" / "deep").mkdir(parents=True)
    (tree / "etc" / "passwd").touch()
    (tree / "usr" / "bin").mkdir(parents=True)
    return tree


@pytest.fixture(params=["openat2", "by hand"])
def root(
    tree: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Root]:
    """The root of that tree, on new kernels and on old ones."""
    if request.param == "by hand":
        # An old kernel, or a sandbox, answers that there is no such call.
        monkeypatch.setattr(rootpath, "_OPENAT2", 100_000)
    with open_files_unchanged(), Root.open(tree) as opened:
        yield opened


def found(root: Root, path: bytes) -> bytes:
    with root.directory(path) as directory:
        reached = os.fstat(directory.fd)
        real = os.stat(directory.path or b".", dir_fd=root.fd, follow_symlinks=False)
        assert os.path.samestat(reached, real)
        return directory.path


def test_a_path_without_links_leads_where_it_says(root: Root) -> None:
    assert found(root, b"etc/deep") == b"etc/deep"


def test_the_empty_path_is_the_root(root: Root, tree: Path) -> None:
    assert found(root, b"") == b""
    with root.parent(b"") as place:
        assert (place.path, place.name) == (b"", b".")
        assert os.path.samestat(os.stat(b".", dir_fd=place.fd), tree.stat())


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("etc", b"etc"),
        ("/etc", b"etc"),
        ("../etc", b"etc"),
        ("../../../../etc", b"etc"),
        ("/../etc/./deep//", b"etc/deep"),
        ("usr/bin/../../etc", b"etc"),
        ("usr/../../../etc", b"etc"),
        (".", b""),
        ("..", b""),
        ("/", b""),
        ("other", b"usr/bin"),
        ("other/..", b"usr"),
        ("other/../../etc/deep", b"etc/deep"),
    ],
)
def test_a_link_is_followed_inside_the_root(
    root: Root, tree: Path, target: str, expected: bytes
) -> None:
    (tree / "other").symlink_to("usr/bin")
    (tree / "link").symlink_to(target)
    assert found(root, b"link") == expected


def test_the_last_part_of_a_place_is_not_followed(root: Root, tree: Path) -> None:
    (tree / "link").symlink_to("/etc")
    (tree / "etc" / "name").symlink_to("/usr")
    with root.parent(b"link/name") as place:
        assert (place.path, place.name) == (b"etc/name", b"name")
        assert os.readlink(place.name, dir_fd=place.fd) == b"/usr"


@pytest.mark.parametrize("path", [b"nothing", b"etc/nothing/below", b"etc/passwd", b"etc/passwd/x"])
def test_what_is_no_directory_is_not_found(root: Root, path: bytes) -> None:
    with pytest.raises(NoSuchPath, match="cannot open '(nothing|etc/nothing|etc/passwd)'"):
        root.open_directory(path)


def test_a_link_to_outside_finds_nothing(root: Root, tree: Path) -> None:
    (tree / "link").symlink_to(tree.parent / "etc")
    with pytest.raises(NoSuchPath):
        root.open_directory(b"link")


def test_links_in_circles_are_refused(root: Root, tree: Path) -> None:
    (tree / "one").symlink_to("two")
    (tree / "two").symlink_to("/one")
    with pytest.raises(TooManyLinks, match="'one/x' leads through more than 40 links"):
        root.open_directory(b"one/x")


def test_work_is_limited(tree: Path) -> None:
    (tree / "link").symlink_to("a/../" * 100)
    (tree / "a").mkdir()
    with Root.open(tree, max_steps=150) as root, pytest.raises(LayerLimit) as caught:
        root.open_directory(b"link")
    assert (caught.value.limit, caught.value.maximum) == ("max_steps", 150)


def test_an_obstacle_may_be_cleared(root: Root, tree: Path) -> None:
    (tree / "link").symlink_to("/new/dir")

    def make(directory: Directory, name: bytes, problem: OSError) -> None:
        assert isinstance(problem, FileNotFoundError)
        os.mkdir(name, dir_fd=directory.fd)

    with root.directory(b"link/sub", obstacle=make) as directory:
        assert directory.path == b"new/dir/sub"
    assert (tree / "new" / "dir" / "sub").is_dir()


def test_an_obstacle_that_comes_back_is_given_up(root: Root) -> None:
    with pytest.raises(Conflict, match="is being changed by someone else"):
        root.open_directory(b"nothing", obstacle=lambda *_: None)


def test_the_error_of_an_obstacle_leaves_nothing_open(root: Root) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        root.open_directory(b"usr/nothing", obstacle=fail)


def test_a_directory_that_was_moved_out_does_not_lead_out(tree: Path) -> None:
    (tree / "link").symlink_to("usr/bin/../../etc")
    (tree / "usr" / "bin").rmdir()

    def swap(directory: Directory, name: bytes, problem: OSError) -> None:
        # Somebody who may write outside moves the way away while it is walked.
        (tree / "usr").rename(tree.parent / "usr")
        (tree / "usr" / "bin").mkdir(parents=True)
        os.mkdir(name, dir_fd=directory.fd)

    with Root.open(tree) as root, root.directory(b"link", obstacle=swap) as reached:
        assert reached.path == b"etc"
        assert os.path.samestat(os.fstat(reached.fd), (tree / "etc").stat())


def test_deep_paths_need_few_open_files(root: Root, tree: Path) -> None:
    (tree / "/".join("d" * 300)).mkdir(parents=True)
    (tree / "link").symlink_to("d/" * 300 + "../" * 150)
    assert found(root, b"link") == b"/".join([b"d"] * 150)


class TestDirectories:
    def test_the_same_directory_is_opened_once(self, root: Root) -> None:
        with Directories(root) as directories:
            assert directories.get(b"etc") is directories.get(b"etc")

    def test_only_so_many_stay_open(self, root: Root, tree: Path) -> None:
        before = len(os.listdir("/proc/self/fd"))
        with Directories(root, size=4) as directories:
            for number in range(50):
                (tree / f"d{number}").mkdir()
                last = directories.get(b"d%d" % number)
                os.fstat(last.fd)
            assert len(os.listdir("/proc/self/fd")) <= before + 6

    def test_the_one_before_is_still_open(self, root: Root) -> None:
        with Directories(root, size=1) as directories:
            one = directories.get(b"etc")
            two = directories.get(b"usr")
            assert os.fstat(one.fd).st_ino != os.fstat(two.fd).st_ino
            directories.forget()
            os.fstat(two.fd)

    def test_what_was_forgotten_is_resolved_anew(self, root: Root, tree: Path) -> None:
        (tree / "link").symlink_to("etc")
        with Directories(root) as directories:
            assert directories.get(b"link").path == b"etc"
            (tree / "link").unlink()
            (tree / "link").symlink_to("usr")
            directories.forget()
            assert directories.get(b"link").path == b"usr"
