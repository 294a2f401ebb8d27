"""How far a request has brought an upload."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nacre.hub.registry.hashing import Running
    from nacre.hub.registry.uploads import Upload
    from nacre.oci.digest import Digest


class Progress:
    """The offset that it reached, and the hash that goes with it."""

    def __init__(self, upload: Upload, running: Running | None) -> None:
        self.offset = upload.offset
        self.running = running
        self.recorded = upload.digest

    def digest(self, algorithm: str) -> Digest | None:
        """Return the digest of all bytes if it is known without reading them."""
        if self.running is not None and self.running.algorithm == algorithm:
            return self.running.digest
        if self.recorded is not None and self.recorded.algorithm == algorithm:
            return self.recorded
        return None
