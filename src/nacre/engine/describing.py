"""What is known of an image beyond its own bytes: names, sizes, times."""

from __future__ import annotations

from nacre.errors import Invalid, NotFound
from nacre.images.inspect import inspect
from nacre.oci.timestamp import format_rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nacre.engine.catalogue import LocalImage
    from nacre.engine.local import LocalStore


def describe(store: LocalStore, image: LocalImage) -> dict[str, Any]:
    """Return Docker's inspect document of an image."""
    tagged = max(record.last_tag_time for record in image.records)
    return inspect(
        image.view,
        tags=image.tags,
        repo_digests=image.repo_digests,
        size=size(store, image),
        last_tag_time=format_rfc3339(tagged) if tagged else "",
    )


def size(store: LocalStore, image: LocalImage) -> int:
    """Return the bytes of the layers: unpacked where known, else as they lie; 0 when damaged."""
    view = image.view
    try:
        if not view.is_image:
            return sum(layer.size for layer in view.layers)
        known = [store.state.layer_size(diff_id) for diff_id in view.diff_ids]
    except (NotFound, Invalid):
        return 0
    return sum(
        layer.size if unpacked is None else unpacked
        for layer, unpacked in zip(view.layers, known, strict=False)
    )
