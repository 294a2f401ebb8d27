"""Whatever the layers: what is exported or copied out is the tree that applying them makes."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nacre.images.difference import difference
from nacre.images.export import named, write_tar
from nacre.images.takeout import Destination, take_out
from tests.integration.layer_apply import applied, listing
from tests.integration.test_union import LAYERS
from tests.unit.images.shelves import tree_of
from tests.unit.layers.stacks import Member, folder, tar_of

STACKS = st.lists(LAYERS, min_size=1, max_size=3).map(
    lambda layers: [[folder("./", mtime=0)], *layers]
)


@pytest.mark.root
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=STACKS, compressed=st.booleans())
def test_what_comes_out_is_the_tree_on_disk(
    layers: list[list[Member]], compressed: bool, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as made:
        place = Path(made)
        for name in ("plain", "unpacked"):
            (place / name).mkdir(mode=0o755)
        expected = applied([tar_of(layer) for layer in layers], place / "plain")
        if isinstance(expected, str):
            return
        tree = tree_of(place / "store", *layers, compressed=compressed)
        out = io.BytesIO()
        write_tar(out, named(tree.tree, tree.tree.root), tree.layers)
        assert applied([out.getvalue()], place / "unpacked") == expected
        top = Destination(place, b"copy")
        take_out(tree.tree, tree.tree.root, tree.layers, top, archive=True)
        assert listing(bytes(place / "copy")) == expected
        assert difference(tree, tree) == []
