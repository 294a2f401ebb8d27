"""History: rows newest first, with sizes of the layers they made."""

from __future__ import annotations

import pytest

from nacre.images.history import HistoryRow, history
from nacre.images.image import Image, NotAnImage
from nacre.oci.config import InvalidConfig
from nacre.oci.digest import Digest
from tests.unit.images.building import AMD64, BASE, TOP, Builder

STEPS = [
    {"created": "2026-01-01T00:00:00Z", "created_by": "ADD rootfs", "comment": "base"},
    {"created": "2026-01-02T00:00:00Z", "created_by": "ENV A=b", "empty_layer": True},
    {"created": "2026-01-03T00:00:00Z", "created_by": "RUN make"},
]


def unknown(_diff_id: Digest) -> None:
    return None


def test_newest_first_and_the_image_id_on_top(built: Builder) -> None:
    image = Image(built.blobs, built.image(history=STEPS), AMD64)
    sizes = {BASE.diff_id: 10, TOP.diff_id: 0}
    assert history(image, sizes.get) == [
        HistoryRow(image.id, "2026-01-03T00:00:00Z", "RUN make", 0, ""),
        HistoryRow(None, "2026-01-02T00:00:00Z", "ENV A=b", 0, ""),
        HistoryRow(None, "2026-01-01T00:00:00Z", "ADD rootfs", 10, "base"),
    ]


def test_sizes_nobody_knows_are_those_of_the_blobs(built: Builder) -> None:
    image = Image(built.blobs, built.image(history=STEPS), AMD64)
    assert [row.size for row in history(image, unknown)] == [
        TOP.descriptor.size,
        0,
        BASE.descriptor.size,
    ]


def test_layers_without_history_are_rows_all_the_same(built: Builder) -> None:
    image = Image(built.blobs, built.image(), AMD64)
    rows = history(image, unknown)
    assert [(row.id, row.created_by, row.size) for row in rows] == [
        (image.id, "", TOP.descriptor.size),
        (None, "", BASE.descriptor.size),
    ]


def test_no_layers_and_no_history(built: Builder) -> None:
    assert history(Image(built.blobs, built.image([]), AMD64), unknown) == []


def test_history_that_claims_more_layers(built: Builder) -> None:
    image = Image(built.blobs, built.image(history=[*STEPS, STEPS[0]]), AMD64)
    with pytest.raises(InvalidConfig, match="too many non-empty layers in History section"):
        history(image, unknown)


def test_artifacts_have_none(built: Builder) -> None:
    with pytest.raises(NotAnImage):
        history(Image(built.blobs, built.artifact(), AMD64), unknown)
