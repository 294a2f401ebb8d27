"""Sparse files are written with their holes."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.layers.entry import Extent
from nacre.layers.tar.pax import format_records
from tests.unit.layers.stacks import (
    file,
    tar_of,
)
from tests.unit.layers.tar.headers import special as raw_member
from tests.unit.layers.trees import apply_tar


@pytest.mark.parametrize("step", [512, 777, 1 << 20])
def test_sparse_files_are_written_with_their_holes(tree: Path, step: int) -> None:
    size = 10 << 20
    extents = [Extent(0, 512), Extent(5 << 20, 1000)]
    numbers = [
        (b"GNU.sparse.map", b"0,512,%d,1000" % (5 << 20)),
        (b"GNU.sparse.size", b"%d" % size),
    ]
    data = b"a" * 512 + b"b" * 1000
    tar = raw_member(b"x", format_records(numbers)) + tar_of([file("sparse", data)])
    apply_tar(tree, tar, step=step)
    content = (tree / "sparse").read_bytes()
    assert len(content) == size
    assert content[:512] == b"a" * 512
    assert content[5 << 20 : (5 << 20) + 1000] == b"b" * 1000
    assert content.count(b"\0") == size - sum(extent.length for extent in extents)
    assert (tree / "sparse").stat().st_blocks * 512 < size // 2


@pytest.mark.parametrize("step", [512, 700, 1024, 1 << 20])
def test_the_map_of_a_sparse_file_may_lie_before_its_data(tree: Path, step: int) -> None:
    # The reader takes some of the data in together with such a map.
    extents = [(number * 4096, 1024) for number in range(130)]
    lines = [len(extents), *(number for extent in extents for number in extent)]
    text = b"".join(b"%d\n" % number for number in lines)
    text += bytes(-len(text) % 512)
    data = b"".join(b"%04d" % number * 256 for number in range(130))
    records = [
        *((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0")),
        *((b"GNU.sparse.name", b"sparse"), (b"GNU.sparse.realsize", b"%d" % (1 << 20))),
    ]
    tar = raw_member(b"x", format_records(records)) + tar_of(
        [file("y", text + data), file("z", b"z")]
    )
    apply_tar(tree, tar, step=step)
    content = (tree / "sparse").read_bytes()
    assert len(content) == 1 << 20
    for number in range(130):
        assert content[number * 4096 :][:1024] == b"%04d" % number * 256
    assert (tree / "z").read_bytes() == b"z"


def test_a_sparse_file_may_end_in_a_hole_and_hold_nothing(tree: Path) -> None:
    records = [(b"GNU.sparse.map", b""), (b"GNU.sparse.size", b"5000")]
    apply_tar(tree, raw_member(b"x", format_records(records)) + tar_of([file("hole")]))
    assert (tree / "hole").read_bytes() == bytes(5000)
