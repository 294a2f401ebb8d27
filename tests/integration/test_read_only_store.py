"""A store on a read-only file system: it can be read, and whoever writes is told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.content import layout
from nacre.content.filesystem import FilesystemBlobs
from nacre.engine.engine import Engine
from nacre.engine.settings import Settings
from nacre.engine.state import State
from nacre.errors import AlreadyExists, Denied, NotFound
from nacre.oci.descriptor import Descriptor
from nacre.testing import a_layer, an_image
from nacre.testing.builders import LINUX, put
from nacre.value import replace
from tests.integration.mounts import read_only

pytestmark = pytest.mark.root
IMAGE = an_image()
NEW = Descriptor.of("application/octet-stream", b"new")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "store"
    with State(root) as state:
        state.tag("a", IMAGE.into(FilesystemBlobs(root)))
    layout.update_index(root, lambda index: layout.tagged(index, "a", IMAGE.root))
    with read_only(root):
        yield root


def test_blobs_and_names_can_be_read(store: Path) -> None:
    blobs = FilesystemBlobs(store)
    assert set(blobs) == set(IMAGE.blobs)
    with blobs.open(IMAGE.root) as stream:
        assert stream.read() == IMAGE.blobs[IMAGE.root.digest]
    assert [name for name, _ in layout.named(layout.read_index(store))] == ["a"]
    with State(store) as state, state.lease() as lease:
        lease.hold([IMAGE.root])
        assert state.resolve("a") == IMAGE.root
        assert len(state.images()) == 1


def test_a_blob_that_is_there_is_there(store: Path) -> None:
    with pytest.raises(AlreadyExists), FilesystemBlobs(store).ingest(IMAGE.root):
        pass


def test_whoever_writes_blobs_is_told(store: Path) -> None:
    blobs = FilesystemBlobs(store)
    for write in (
        lambda: put(blobs, NEW, b"new"),
        lambda: blobs.delete(IMAGE.root.digest),
        lambda: blobs.discard([IMAGE.root.digest]),
        lambda: layout.update_index(store, lambda index: index),
    ):
        with pytest.raises(Denied, match=f"{store} is read-only"):
            write()


def test_whoever_writes_names_is_told(store: Path) -> None:
    with State(store) as state:
        with pytest.raises(Denied, match=f"the store in {store} is read-only") as caught:
            state.tag("b", IMAGE.root)
        with pytest.raises(Denied), state.collecting():
            pass
    assert caught.value.remedy


@pytest.mark.parametrize("driver", ["erofs", "overlay", "fuse", "copying"])
def test_what_is_ready_is_seen_with_a_driver_that_is_forced(tmp_path: Path, driver: str) -> None:
    root = tmp_path / "store"
    run = tmp_path / "run"
    settings = Settings(root=root, storage_driver=driver, run=run, platform=LINUX, environment={})
    with Engine(settings=settings) as engine:
        engine.images.import_(io.BytesIO(a_layer({"f": b"1"})), "a")
        with engine.images.mounted("a") as tree:
            assert (tree / "f").read_bytes() == b"1"
    anew = replace(settings, run=tmp_path / "another run")  # where nothing is known to work
    with read_only(root), Engine(settings=anew) as engine, engine.images.mounted("a") as tree:
        assert (tree / "f").read_bytes() == b"1"


def test_there_is_no_store_where_none_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with read_only(tmp_path / "empty") as folder, pytest.raises(NotFound, match="no store in"):
        State(folder)
