"""The union of layers is the tree that applying them to a disk makes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Kind
from nacre.layers.union import BadLayer
from tests.integration.layer_apply import Listing, applied
from tests.integration.union_listing import listed
from tests.unit.layers.stacks import (
    Member,
    Stack,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
    tar_of,
)

PATHS = st.sampled_from(
    ["a", "b", "c", "a/a", "a/b", "b/a", "b/b/a", "a/b/c", "c/a/b", "./a/", "/b/c", "../c/../a"]
)
TARGETS = st.sampled_from(["a", "b", "/b", "../a", "b/b", "/", ".", "..", "/a/b", "../../c", "c/"])
ATTRIBUTES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "mode": st.sampled_from([0o644, 0o755, 0o1777, 0o4711]),
        "uid": st.sampled_from([0, 5]),
        "gid": st.sampled_from([0, 6]),
        "mtime": st.integers(0, 3),
        "xattrs": st.sampled_from([(), ((b"user.a", b"1"),), ((b"user.b", b"2"),)]),
    }
)


@st.composite
def members(draw: st.DrawFn) -> Member:
    name = draw(PATHS)
    attributes = draw(ATTRIBUTES)
    kind = draw(st.sampled_from("fffffddddddsssshp"))
    if kind == "d":
        return folder(name.rstrip("/"), **attributes)
    name = name.rstrip("/")
    if kind == "f":
        return file(name, draw(st.binary(max_size=3)), **attributes)
    if kind == "h":
        return hardlink(name, draw(PATHS).rstrip("/"))
    if kind == "s":
        return symlink(name, draw(TARGETS), mtime=attributes["mtime"], uid=attributes["uid"])
    return special(name, Kind.CHR, mode=attributes["mode"], devmajor=1, devminor=3)


MARKED = PATHS.map(lambda path: path.strip("./").replace("/../", "/"))
MARKERS = st.one_of(MARKED.map(gone), MARKED.map(opaque), st.just(opaque()))
LAYERS = st.tuples(st.lists(MARKERS, max_size=2), st.lists(members(), max_size=6)).map(
    lambda layer: [*layer[0], *layer[1]]
)


def on_disk(tars: Sequence[bytes], where: Path) -> Listing | str:
    with tempfile.TemporaryDirectory(dir=where) as root:
        Path(root).chmod(0o755)
        return applied(tars, Path(root))


@pytest.mark.root
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=st.lists(LAYERS, min_size=1, max_size=3))
def test_any_stack_is_the_tree_on_disk(layers: list[list[Member]], tmp_path: Path) -> None:
    layers = [[folder("./", mtime=0)], *layers]
    found = on_disk([tar_of(layer) for layer in layers], tmp_path)
    if isinstance(found, str):
        with pytest.raises(BadLayer):
            Stack(*layers)
    else:
        assert listed(Stack(*layers)) == found
