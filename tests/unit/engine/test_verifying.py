"""Verify: whatever files are read from is held against its digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.engine.images import Images
from nacre.oci.digest import Digest
from nacre.testing.builders import a_layer, an_image
from tests.unit.engine.stock import Stock

LAYER = a_layer({"a": b"hello world"})
IMAGE = an_image([LAYER])


@pytest.fixture
def images(stock: Stock) -> Images:
    stock.keep(IMAGE, "app:1", "app:2")
    return stock.images


@pytest.fixture
def tar(stock: Stock, images: Images) -> Path:
    """The raw tar of the layer, as a driver that uses it in place had it made."""
    return stock.store.layers.tar(Digest.of(LAYER))


def problems(images: Images) -> list[str]:
    return [str(problem) for one in images.verify() for problem in one.problems]


def test_a_raw_tar_that_files_are_read_from_is_checked(images: Images, tar: Path) -> None:
    assert problems(images) == []
    tar.write_bytes(LAYER.replace(b"hello", b"HELLO"))
    with images.open_file("app:1", "/a") as stream:
        assert stream.read() == b"HELLO world"
    (problem,) = problems(images)
    assert problem.startswith(f"raw tar of layer 0 {Digest.of(LAYER)}: ")
    assert "has digest" in problem
    assert "remove all images" in problem


def test_a_raw_tar_that_was_cut_short_is_told(images: Images, tar: Path) -> None:
    tar.write_bytes(LAYER[:-1])
    (problem,) = problems(images)
    assert "has digest" in problem


def test_a_raw_tar_that_is_no_file_is_told(images: Images, tar: Path) -> None:
    tar.unlink()
    tar.mkdir()
    (problem,) = problems(images)
    assert "is not a file" in problem


def test_what_was_damaged_is_whole_after_the_remedy(
    stock: Stock, images: Images, tar: Path
) -> None:
    images.files("app:1", "/")
    tar.write_bytes(LAYER.replace(b"hello", b"HELLO"))
    images.remove("app:1")
    images.remove("app:2")
    stock.keep(IMAGE, "app:1")
    stock.store.layers.tar(Digest.of(LAYER))
    with images.open_file("app:1", "/a") as stream:
        assert stream.read() == b"hello world"
    assert problems(images) == []
