"""Tag: another name for an image that is here."""

from __future__ import annotations

from nacre.oci import reference as references
from nacre.oci.reference import InvalidReference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue
    from nacre.engine.local import LocalStore


def tag(store: LocalStore, catalogue: Catalogue, source: str, target: str) -> None:
    """Point ``target`` at the image that ``source`` stands for.

    Raises:
        NoSuchImage: nothing goes by ``source``.
        InvalidReference: ``target`` is no name, or has a digest.
    """
    name = references.parse_tagged(target)
    if name.digest:
        raise InvalidReference(
            f"refusing to create a tag with a digest reference: {target}",
            remedy="leave out the digest",
        )
    with store.writing() as local:
        with store.state.changing():  # so that nobody removes it between looking and holding
            record = catalogue.find(source).records[0]
            local.hold(record.descriptor)
        local.tag(str(name), record.descriptor)
