"""What the devices of an index are called: the raw tars that it lies over, and the companion."""

from __future__ import annotations

from nacre.erofs.structures import MAX_TAG
from nacre.oci.digest import Digest

COMPANION = b"written out"
"""The tag of the companion in the image's table of devices."""


def tag(layer: Digest) -> bytes:
    """Return the name by which a layer's raw tar goes in the image's table of devices."""
    return layer.encoded.encode()[:MAX_TAG]
