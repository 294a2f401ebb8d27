"""Media types: every layer form is exactly one of plain, gzip and zstd."""

from __future__ import annotations

import pytest

from nacre.oci import mediatypes


def test_layer_forms_are_disjoint() -> None:
    forms = (mediatypes.PLAIN_LAYERS, mediatypes.GZIP_LAYERS, mediatypes.ZSTD_LAYERS)
    assert sum(map(len, forms)) == len(mediatypes.LAYERS)


def test_foreign_layers_are_layers() -> None:
    assert mediatypes.FOREIGN_LAYERS < mediatypes.LAYERS
    assert all(map(mediatypes.is_foreign, mediatypes.FOREIGN_LAYERS))
    assert not mediatypes.is_foreign(mediatypes.OCI_LAYER_GZIP)


def test_kinds_do_not_overlap() -> None:
    assert not mediatypes.INDEXES & mediatypes.IMAGE_MANIFESTS
    assert not mediatypes.MANIFESTS & (mediatypes.LAYERS | mediatypes.IMAGE_CONFIGS)
    assert not mediatypes.is_layer(mediatypes.OCI_EMPTY)


def test_accept_names_every_manifest_once() -> None:
    accepted = mediatypes.MANIFEST_ACCEPT.split(", ")
    assert sorted(accepted) == sorted(mediatypes.MANIFESTS)


@pytest.mark.parametrize(
    ("plain", "gzip"),
    [
        (mediatypes.OCI_LAYER_TAR, mediatypes.OCI_LAYER_GZIP),
        (mediatypes.DOCKER_LAYER_TAR, mediatypes.DOCKER_LAYER_GZIP),
        (mediatypes.OCI_LAYER_ZSTD, mediatypes.OCI_LAYER_ZSTD),
        ("text/plain", "text/plain"),
    ],
)
def test_compressed_stays_in_the_family(plain: str, gzip: str) -> None:
    assert mediatypes.compressed(plain) == gzip


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (mediatypes.OCI_LAYER_GZIP, mediatypes.OCI_LAYER_TAR),
        (mediatypes.OCI_LAYER_ZSTD, mediatypes.OCI_LAYER_TAR),
        (mediatypes.DOCKER_LAYER_GZIP, mediatypes.DOCKER_LAYER_TAR),
        (mediatypes.DOCKER_LAYER_TAR, mediatypes.DOCKER_LAYER_TAR),
        (mediatypes.DOCKER_FOREIGN_LAYER, mediatypes.DOCKER_FOREIGN_LAYER),
        ("text/plain", "text/plain"),
    ],
)
def test_plain_stays_in_the_family(packed: str, plain: str) -> None:
    assert mediatypes.plain(packed) == plain
