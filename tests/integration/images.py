"""Images of random bytes, large enough to be interrupted."""

from __future__ import annotations

import random
from pathlib import Path

from nacre.content.filesystem import FilesystemBlobs
from nacre.testing.builders import Content, a_layer, an_image
from nacre.transports.layout import LayoutStore
from tests.peers.nacre import NacreCli

MEBIBYTE = 1024 * 1024


def noise_image(seed: int, *sizes: int) -> Content:
    """Return an image with a gzipped layer of random bytes for each size in MiB."""
    dice = random.Random(seed)
    return an_image(
        [a_layer({f"noise-{at}": dice.randbytes(size * MEBIBYTE)}) for at, size in enumerate(sizes)]
    )


def place(image: Content, cli: NacreCli, folder: Path, *destinations: str) -> None:
    """Copy an image to places by way of an image layout in ``folder``."""
    folder.mkdir()
    image.into(FilesystemBlobs(folder))
    LayoutStore(folder).tag("1", image.root)
    for destination in destinations:
        cli("image", "copy", "-q", f"oci:{folder}:1", destination)


def size_of(image: Content) -> int:
    """Return the bytes of all blobs of an image."""
    return sum(map(len, image.blobs.values()))
