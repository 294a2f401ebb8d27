"""What drivers are given: the layers that are here, by diff ID, in whatever form they are kept."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from nacre.layers.toc import Toc
from nacre.oci.digest import Digest


class Layers(Protocol):
    """Layers by diff ID.

    A layer may be here compressed, as a raw tar, or both. Reading one that is only compressed
    inflates it from its beginning; ``tar`` makes the raw tar and keeps it.
    """

    def toc(self, layer: Digest) -> Toc:
        """Return the table of contents; made from the layer, and kept, where there is none yet.

        Raises:
            NotFound: the layer is not here.
            BadArchive, LayerLimit: it is no tar, or one that exceeds a limit.
        """

    def read(self, layer: Digest) -> AbstractContextManager[BinaryIO]:
        """Open the raw tar at its beginning, to be read once and in order.

        What is read to its end is checked: the last read raises ``CorruptBlob`` if the tar is not
        what the diff ID says.

        Raises:
            NotFound: the layer is not here.
        """

    def slice(self, layer: Digest, offset: int, size: int) -> AbstractContextManager[BinaryIO]:
        """Open ``size`` bytes of the raw tar from ``offset`` on, to be read once and in order.

        Raises:
            NotFound: the layer is not here.
        """

    def tar(self, layer: Digest) -> Path:
        """Return the raw tar as a file, made durable where it was not here; not to be written.

        Raises:
            NotFound: the layer is not here in any form.
            Unavailable: the disk is full or failed.
        """
