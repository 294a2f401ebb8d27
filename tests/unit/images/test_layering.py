from __future__ import annotations

from pathlib import Path

import pytest

from nacre.images.layering import Blame, blame, layering
from nacre.layers.union import NoSuchPath
from tests.unit.images.shelves import tree_of
from tests.unit.layers.stacks import file, folder, gone, hardlink, symlink

LAYERS = (
    [folder("etc"), file("etc/a", b"1" * 10), file("etc/b", b"2" * 20), symlink("l", "etc")],
    [file("etc/a", b"3" * 30)],
    [gone("etc/b"), file("c", b"4")],
)


def said(found: list[Blame]) -> list[tuple[int, str, str, int, str]]:
    return [(one.layer, one.change, one.kind, one.size, one.step.created_by) for one in found]


def test_the_last_layer_that_touched_a_path_comes_first(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, *LAYERS)
    found = blame(tree, b"/etc/a")
    assert said(found) == [(1, "C", "file", 30, "layer 1"), (0, "A", "file", 10, "layer 0")]
    assert [one.diff_id for one in found] == [tree.image.diff_ids[1], tree.image.diff_ids[0]]


def test_a_deleted_path_says_who_deleted_it(tmp_path: Path) -> None:
    assert said(blame(tree_of(tmp_path, *LAYERS), b"etc/b")) == [
        (2, "D", "", 0, "layer 2"),
        (0, "A", "file", 20, "layer 0"),
    ]


def test_links_on_the_way_are_followed_and_at_the_end_not(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, *LAYERS)
    assert said(blame(tree, b"l/a")) == said(blame(tree, b"etc/a"))
    assert said(blame(tree, b"l")) == [(0, "A", "symlink", 0, "layer 0")]


def test_what_happens_in_a_directory_is_no_change_of_it(tmp_path: Path) -> None:
    assert said(blame(tree_of(tmp_path, *LAYERS), b"etc")) == [(0, "A", "directory", 0, "layer 0")]


def test_a_hard_link_is_of_the_layer_that_made_it(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, *LAYERS, [hardlink("h", "etc/a")])
    assert [(one.layer, one.change, one.size) for one in blame(tree, b"h")] == [(3, "A", 30)]


@pytest.mark.parametrize("path", [b"nope", b"etc/a/x"])
def test_a_path_that_never_was_is_told(tmp_path: Path, path: bytes) -> None:
    with pytest.raises(NoSuchPath, match="no layer has anything at"):
        blame(tree_of(tmp_path, *LAYERS), path)


def test_layers_say_what_they_hold_and_waste(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, *LAYERS)
    found = layering(tree).layers
    assert [(one.number, one.files, one.size, one.wasted) for one in found] == [
        (0, 2, 30, 30),
        (1, 1, 30, 0),
        (2, 1, 1, 0),  # the whiteout is no file
    ]
    assert [one.step.created_by for one in found] == ["layer 0", "layer 1", "layer 2"]
    assert [one.diff_id for one in found] == list(tree.image.diff_ids)


def test_the_efficiency_is_that_of_dive(tmp_path: Path) -> None:
    found = layering(tree_of(tmp_path, *LAYERS)).efficiency
    # a: 10 and 30, b: 20 and removed, c: 1, l: 0.
    assert found.score == pytest.approx((10 + 0 + 1) / (40 + 20 + 1))
    assert found.wasted == 40 + 20
    assert [one.path for one in found.repeated] == [b"etc/a", b"etc/b"]


def test_an_image_without_layers_wastes_nothing(tmp_path: Path) -> None:
    found = layering(tree_of(tmp_path))
    assert found.layers == []
    assert found.efficiency.score == 1.0
