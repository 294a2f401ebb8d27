"""Where an image is, as people write it on a command line: ``transport:place``.

The transports and their spelling are skopeo's: ``docker://NAME``, ``oci:DIR[:REF]``,
``oci-archive:FILE[:REF]`` and ``docker-archive:FILE[:REF]``. A plain NAME, or ``store:NAME``, is
an image of the local store.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from nacre.errors import Invalid, Unsupported
from nacre.oci import reference as references
from nacre.oci.digest import id_prefix
from nacre.oci.quoting import quoted
from nacre.oci.reference import InvalidReference

_FORMS = (
    "write docker://NAME, oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF] "
    "or the NAME of a local image"
)
_FOREIGN = re.compile(r"(dir|docker-daemon|containers-storage|ostree|sif|atomic|tarball):")
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f]")


class InvalidLocation(Invalid):
    """The text does not say where an image is."""


class Kind(Enum):
    """What sort of place holds the image; the value is how its locations begin."""

    REGISTRY = "docker://"
    LAYOUT = "oci:"
    OCI_ARCHIVE = "oci-archive:"
    DOCKER_ARCHIVE = "docker-archive:"
    STORE = "store:"


@dataclass(frozen=True, slots=True)
class Location:
    """A place and the name of an image there."""

    kind: Kind
    path: str
    """The folder or file, ``-`` for a standard stream; empty for a registry and the store."""

    reference: str
    """The name there, as written; empty where a layout or an archive may go without."""

    def __str__(self) -> str:
        place = ":".join(part for part in (self.path, self.reference) if part)
        return self.kind.value + place


def parse(text: str) -> Location:
    """Read a location.

    A folder or file name ends at the first colon, as with skopeo; so it cannot hold one.

    Raises:
        InvalidLocation: a part is missing.
        InvalidReference: the name breaks Docker's grammar.
        Unsupported: it is of a transport that nacre has not got.
    """
    if _UNREADABLE.search(text):
        raise InvalidLocation(f"location {quoted(text)} holds a control character", remedy=_FORMS)
    for kind in Kind:
        if text.startswith(kind.value):
            return _parse_rest(kind, text.removeprefix(kind.value), text)
    if not id_prefix(text):
        _check_plain(text)
    return Location(Kind.STORE, "", text)


def _check_plain(text: str) -> None:
    try:
        references.parse(text)
    except InvalidReference as error:
        foreign = _FOREIGN.match(text)
        if foreign:
            raise Unsupported(
                f"{quoted(text)} is of the transport {foreign.group(1)}, which nacre has not got",
                remedy=_FORMS,
            ) from None
        raise InvalidReference(str(error), remedy=error.remedy or _FORMS) from None


def _parse_rest(kind: Kind, rest: str, text: str) -> Location:
    if kind in (Kind.REGISTRY, Kind.STORE):
        if not rest:
            raise InvalidLocation(f"{quoted(text)} names no image", remedy=f"write {text}NAME")
        if kind is Kind.REGISTRY or not id_prefix(rest):
            references.parse(rest)
        return Location(kind, "", rest)
    path, _, reference = rest.partition(":")
    if not path:
        place = "folder" if kind is Kind.LAYOUT else "file"
        raise InvalidLocation(
            f"{quoted(text)} names no {place}", remedy=f"write {kind.value}{place.upper()}[:REF]"
        )
    if kind is Kind.DOCKER_ARCHIVE and reference:
        references.parse(reference)
    return Location(kind, path, reference)
