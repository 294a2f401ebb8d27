"""What is too much stops with an error that names the limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nacre.layers.apply import Applier
from nacre.layers.errors import LayerLimit
from nacre.layers.rootpath import Root
from nacre.layers.tar import Scanner
from nacre.layers.tar.pax import format_records
from tests.unit.layers.stacks import Member, file, folder, symlink, tar_of
from tests.unit.layers.tar.headers import special as raw_member
from tests.unit.layers.trees import apply, apply_tar, ownership


def refused(tree: Path, *members: Member, **options: Any) -> tuple[str, int]:
    with pytest.raises(LayerLimit) as caught:
        apply(tree, *members, **options)
    return caught.value.limit, int(caught.value.maximum)


def test_the_size_of_all_files_is_limited(tmp_path: Path) -> None:
    limit = refused(tmp_path, file("a", b"x" * 600), file("b", b"x" * 600), max_size=1000)
    assert limit == ("max_size", 1000)
    assert not (tmp_path / "b").exists()


def test_holes_count(tmp_path: Path) -> None:
    records = [(b"GNU.sparse.map", b""), (b"GNU.sparse.size", b"%d" % (1 << 50))]
    tar = raw_member(b"x", format_records(records)) + tar_of([file("bomb")])
    with pytest.raises(LayerLimit, match="have more than 1099511627776 bytes of holes"):
        apply_tar(tmp_path, tar)


def test_the_number_of_entries_is_limited(tmp_path: Path) -> None:
    members = [file(str(number)) for number in range(11)]
    assert refused(tmp_path, *members, scanner=Scanner(max_entries=10)) == ("max_entries", 10)


def test_the_depth_of_names_is_limited(tmp_path: Path) -> None:
    assert refused(tmp_path, folder("d/" * 600)) == ("max_depth", 512)


def test_the_depth_that_links_reach_is_limited(tmp_path: Path) -> None:
    deep = "/".join("d" * 200)
    members = [
        folder(deep),
        symlink("a", deep),
        folder(f"a/{deep}"),
        symlink("b", f"a/{deep}"),
        folder(f"b/{deep}"),
    ]
    assert refused(tmp_path, *members) == ("max_depth", 512)


def test_the_length_of_names_is_limited(tmp_path: Path) -> None:
    assert refused(tmp_path, file("d/" * 40 + "x" * 5000)) == ("max_name", 4096)


def test_the_work_of_following_links_is_limited(tmp_path: Path) -> None:
    # Each link leads through the one before it many times.
    links = [symlink("l0", ".")]
    links += [symlink(f"l{n}", "/".join([f"l{n - 1}"] * 3)) for n in range(1, 4)]
    members = [*links, *(file(f"l3/{number}/x") for number in range(100))]
    tar = tar_of(members)
    with (
        Root.open(tmp_path, max_steps=500) as root,
        Applier(root, ownership=ownership()) as applier,
        pytest.raises(LayerLimit) as caught,
    ):
        applier.feed(tar)
    assert caught.value.limit == "max_steps"
