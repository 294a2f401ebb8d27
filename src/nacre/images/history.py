"""History: the steps that made an image, newest first, as ``docker history`` lists them."""

from __future__ import annotations

from collections.abc import Callable

from nacre.images.image import Image
from nacre.oci.config import HistoryEntry, layer_steps
from nacre.oci.digest import Digest
from nacre.value import Value

LayerSize = Callable[[Digest], int | None]
"""Returns how many bytes the tar of a layer has, by diff_id, or None when nobody knows."""


class HistoryRow(Value):
    """One step.

    ``id`` is the image ID for the newest step and None for all others: what they led to is no
    image here. ``size`` is in bytes; 0 for a step that changed no file.
    """

    id: Digest | None
    created: str
    created_by: str
    size: int
    comment: str


def history(image: Image, layer_size: LayerSize) -> list[HistoryRow]:
    """Return the steps, newest first.

    Where ``layer_size`` does not know a layer, its size as it lies is given.

    Raises:
        InvalidConfig: history and layers contradict each other.
        NotAnImage: it is an artifact.
    """
    steps = layer_steps(image.config)
    rows = [_row(image, entry, position, layer_size) for entry, position in steps]
    newest_first = rows[::-1]
    if newest_first:
        top = newest_first[0]
        newest_first[0] = HistoryRow(image.id, top.created, top.created_by, top.size, top.comment)
    return newest_first


def _row(
    image: Image, entry: HistoryEntry, position: int | None, layer_size: LayerSize
) -> HistoryRow:
    size = 0
    if position is not None:
        known = layer_size(image.diff_ids[position])
        size = image.layers[position].size if known is None else known
    return HistoryRow(None, entry.created, entry.created_by, size, entry.comment)
