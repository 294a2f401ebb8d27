"""What can be wrong with content: it is not here, or it is not what its name promises."""

from __future__ import annotations

from nacre.errors import Invalid, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.oci.digest import Digest


class BlobNotFound(NotFound):
    """There is no blob of this digest here."""

    usual_remedy = "get the whole image again"

    def __init__(self, digest: Digest, where: str) -> None:
        super().__init__(f"blob {digest} not found in {where}")
        self.digest = digest


class CorruptBlob(Invalid):
    """The bytes are not those that their digest or size promise."""

    usual_remedy = "get it again from a sound source"


class RefNotFound(NotFound):
    """There is no such name here."""
