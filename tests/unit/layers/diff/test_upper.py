"""The changes in the upper directory of an overlay, made by hand as overlayfs leaves them."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from nacre.layers.diff import LowerTree, TreeReader, UnresolvedOverlay, Unstorable, upper_changes
from nacre.layers.rootpath import Root
from nacre.layers.tar import scan
from nacre.layers.whiteout import Overlay
from tests.unit.layers.stacks import file, folder, symlink
from tests.unit.layers.trees import apply, layer, letters, open_files_unchanged


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    """The tree under the upper directory."""
    lower = tmp_path / "lower"
    lower.mkdir()
    apply(
        lower,
        *(folder("d"), file("d/f"), file("d/g"), folder("d/sub"), file("d/sub/x"), file("d/sub/y")),
        *(file("f"), symlink("s", "d")),
    )
    return lower


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    upper = tmp_path / "upper"
    upper.mkdir()
    return upper


def found(upper: Path, lower: Path, overlay: Overlay = Overlay.USER) -> list[str]:
    with (
        open_files_unchanged(),
        Root.open(upper) as root,
        Root.open(lower) as below,
        TreeReader(below) as reader,
    ):
        return letters(upper_changes(root, LowerTree(reader), overlay=overlay))


def white(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR, 0)


def opaque(path: Path) -> None:
    os.setxattr(path, "user.overlay.opaque", b"y")


def test_an_empty_upper_changes_nothing(upper: Path, lower: Path) -> None:
    assert found(upper, lower) == []


def test_what_is_in_the_upper_is_added_or_changed(upper: Path, lower: Path) -> None:
    apply(upper, file("f", b"new"), file("new"), file("d/f"), file("d/new/x"))
    assert found(upper, lower) == ["C /d", "C /d/f", "A /d/new", "A /d/new/x", "C /f", "A /new"]


def test_a_whiteout_is_a_deletion(upper: Path, lower: Path) -> None:
    (upper / "d").mkdir()
    white(upper / "d" / "f")
    white(upper / "s")
    assert found(upper, lower) == ["D /s", "C /d", "D /d/f"]


def test_a_whiteout_of_nothing_is_left_away(upper: Path, lower: Path) -> None:
    (upper / "new").mkdir()
    white(upper / "nothing")
    white(upper / "new" / "f")
    assert found(upper, lower) == ["A /new"]


def test_an_opaque_directory_lists_what_it_hides(upper: Path, lower: Path) -> None:
    (upper / "d" / "sub").mkdir(parents=True)
    (upper / "d" / "g").touch()
    (upper / "d" / "sub" / "y").touch()
    opaque(upper / "d")
    assert found(upper, lower) == [
        "C /d",
        "D /d/f",
        "C /d/g",
        "C /d/sub",
        "D /d/sub/x",
        "C /d/sub/y",
    ]


def test_a_new_directory_that_overlayfs_made_opaque_hides_nothing(upper: Path, lower: Path) -> None:
    (upper / "new").mkdir()
    opaque(upper / "new")
    assert found(upper, lower) == ["A /new"]


def test_a_directory_over_something_else_hides_nothing(upper: Path, lower: Path) -> None:
    # What is behind the link "s" below does not show.
    apply(upper, file("s/f"), file("f/x"))
    opaque(upper / "s")
    assert found(upper, lower) == ["C /f", "A /f/x", "C /s", "A /s/f"]


def test_a_file_over_a_directory_is_one_change(upper: Path, lower: Path) -> None:
    (upper / "d").touch()
    assert found(upper, lower) == ["C /d"]


def test_whiteouts_may_be_files_with_an_attribute(upper: Path, lower: Path) -> None:
    (upper / "f").touch()
    os.setxattr(upper / "f", "user.overlay.whiteout", b"y")
    assert found(upper, lower) == ["D /f"]


def test_sockets_are_left_away(upper: Path, lower: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(upper)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert found(upper, lower) == []


def test_the_root_is_never_listed(upper: Path, lower: Path) -> None:
    upper.chmod(0o700)
    opaque(upper)
    assert found(upper, lower) == ["D /d", "D /f", "D /s"]


@pytest.mark.parametrize(
    ("attribute", "feature"), [("redirect", "redirect_dir"), ("metacopy", "metacopy")]
)
def test_content_that_is_elsewhere_is_refused(
    upper: Path, lower: Path, attribute: str, feature: str
) -> None:
    (upper / "a").mkdir()
    os.setxattr(upper / "a", f"user.overlay.{attribute}", b"/d")
    with pytest.raises(UnresolvedOverlay, match=f"at 'a': it uses {feature}") as caught:
        found(upper, lower)
    assert caught.value.remedy == "mount with redirect_dir=off and metacopy=off"


def test_a_name_that_would_be_a_whiteout_is_refused(upper: Path, lower: Path) -> None:
    (upper / ".wh.f").touch()
    with pytest.raises(Unstorable):
        found(upper, lower)


def test_attributes_of_overlayfs_do_not_get_into_the_layer(upper: Path, lower: Path) -> None:
    (upper / "d").mkdir()
    opaque(upper / "d")
    for name, value in (("origin", b"x"), ("impure", b"y"), ("overlay.opaque", b"an image's own")):
        os.setxattr(upper / "d", f"user.overlay.{name}", value)
    os.setxattr(upper / "d", "user.a", b"1")
    with Root.open(upper) as root, Root.open(lower) as below, TreeReader(below) as reader:
        changes = upper_changes(root, LowerTree(reader), overlay=Overlay.USER)
    entries = scan(layer(upper, changes, overlay=Overlay.USER))
    assert entries[0].name == b"d/"
    assert entries[0].xattrs == ((b"user.a", b"1"), (b"user.overlay.opaque", b"an image's own"))
    assert [entry.name for entry in entries[1:]] == [b"d/.wh.f", b"d/.wh.g", b"d/.wh.sub"]


def test_attributes_elsewhere_are_an_images_own(upper: Path, lower: Path) -> None:
    # With the usual place in use, user.overlay means nothing to overlayfs.
    (upper / "d").mkdir()
    opaque(upper / "d")
    assert found(upper, lower, Overlay.TRUSTED) == ["C /d"]
