"""How the layers of an image make its tree: what each adds, wastes and did to a path."""

from __future__ import annotations

from typing import NamedTuple

from nacre.images.image import Image
from nacre.images.tree import ImageTree, kind_of, shown_path
from nacre.layers.errors import NoSuchPath
from nacre.layers.union.history import history
from nacre.layers.usage import Efficiency, efficiency, layer_usage
from nacre.oci.config import HistoryEntry, layer_steps
from nacre.oci.digest import Digest


class Blame(NamedTuple):
    """What one layer did to a path."""

    layer: int
    """Its number, the base being 0."""
    diff_id: Digest
    change: str
    """``A`` added, ``C`` changed or ``D`` deleted."""
    kind: str
    """What is there since, see ``FileInfo.kind``; empty when it was deleted."""
    size: int
    """Bytes of that, when it is a file."""
    step: HistoryEntry
    """The line of the history that made the layer."""


class LayerInfo(NamedTuple):
    """One layer of an image."""

    number: int
    """The base is 0."""
    diff_id: Digest
    files: int
    """Number of regular files in it."""
    size: int
    """Bytes of those files."""
    wasted: int
    """Bytes of those that nobody sees, because a layer above replaced or removed them."""
    step: HistoryEntry
    """The line of the history that made it."""


class Layering(NamedTuple):
    """The layers of an image, and how well they use their bytes."""

    layers: list[LayerInfo]
    """Base first."""
    efficiency: Efficiency
    """As dive computes it."""


def blame(tree: ImageTree, path: bytes) -> list[Blame]:
    """Return what each layer did to a path, the last that touched it first.

    Links on the way are followed, one at the end is not. What happens in a directory does not
    count as a change of it.

    Raises:
        NoSuchPath: no layer ever had anything there.
        TooManyLinks: links run in circles.
    """
    events = history(tree.tocs, path)
    if not events:
        raise NoSuchPath(f"no layer has anything at {shown_path(path)}", path=path)
    steps = _steps(tree.image)
    return [
        Blame(
            event.layer,
            tree.image.diff_ids[event.layer],
            event.change.value,
            kind_of(event.entry.kind) if event.entry else "",
            event.entry.size if event.entry else 0,
            steps[event.layer],
        )
        for event in reversed(events)
    ]


def layering(tree: ImageTree) -> Layering:
    """Return what the layers of an image hold and waste.

    Raises:
        NotFound, Invalid: as ``ImageTree.tree``.
    """
    steps = _steps(tree.image)
    layers = [
        LayerInfo(number, diff_id, *usage, steps[number])
        for number, (diff_id, usage) in enumerate(
            zip(tree.image.diff_ids, layer_usage(tree.tree), strict=True)
        )
    ]
    return Layering(layers, efficiency(tree.tocs))


def _steps(image: Image) -> list[HistoryEntry]:
    """Return the line of the history of each layer."""
    return [entry for entry, position in layer_steps(image.config) if position is not None]
