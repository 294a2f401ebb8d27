"""Tag: another name for an image that is here."""

from __future__ import annotations

from nacre.oci import reference as references
from nacre.oci.reference import InvalidReference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue
    from nacre.engine.local import LocalStore
    from nacre.oci.reference import Reference

_ALGORITHMS = ("sha256", "sha512")


def tag(store: LocalStore, catalogue: Catalogue, source: str, target: str) -> None:
    """Point ``target`` at the image that ``source`` stands for.

    Raises:
        NoSuchImage: nothing goes by ``source``.
        InvalidReference: ``target`` is no name, has a digest or looks like one.
    """
    name = references.parse_tagged(target)
    if name.digest:
        raise InvalidReference(
            f"refusing to create a tag with a digest reference: {target}",
            remedy="leave out the digest",
        )
    check_unambiguous(name)
    with store.writing() as local:
        with store.state.changing():  # so that nobody removes it between looking and holding
            record = catalogue.find(source).records[0]
            local.hold(record.descriptor)
        local.tag(str(name), record.descriptor)


def is_ambiguous(name: Reference) -> bool:
    """Say whether a name looks like a digest, so that nothing could be found by it: sha256:new."""
    return name.familiar_name in _ALGORITHMS


def check_unambiguous(name: Reference) -> None:
    """Refuse a name that looks like a digest.

    Raises:
        InvalidReference: it does.
    """
    if is_ambiguous(name):
        raise InvalidReference(
            "refusing to create an ambiguous tag using digest algorithm as name",
            remedy="choose another name",
        )
