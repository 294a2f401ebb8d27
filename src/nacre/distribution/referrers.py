"""Referrers: the manifests that speak about another (distribution-spec "Listing Referrers").

Where a registry has no such API, an index under the tag ``sha256-…`` stands in; whoever pushes a
manifest with a subject keeps it up to date ("Referrers Tag Schema").
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from nacre.distribution import listing, manifests
from nacre.distribution.errors import InvalidReply
from nacre.distribution.place import Place
from nacre.errors import Invalid, NotFound, Unsupported
from nacre.oci import mediatypes, wire
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest, make_index, parse

_LIMIT = 10_000


def listed(place: Place, digest: Digest, artifact_type: str = "") -> Index:
    """Return the manifests whose subject is ``digest``, only those of a type if one is given.

    Raises:
        InvalidReply: the registry's list is not an index, or is absurdly long.
    """
    try:
        found = _from_api(place, digest, artifact_type)
    except (NotFound, Unsupported):
        found = list(_from_tag(place, digest))
    # A registry may ignore the filter; those that apply it lose nothing by a second look.
    wanted = [item for item in found if artifact_type in ("", item.artifact_type)]
    return make_index(wanted)


def record(place: Place, document: Manifest | Index) -> None:
    """Add a pushed manifest to the stand-in index of its subject."""
    subject = document.subject
    if subject is None:
        return
    entry = _entry(document)
    others = [item for item in _from_tag(place, subject.digest) if item.digest != entry.digest]
    index = make_index([*others, entry])
    manifests.put(place, wire.referrers_tag(subject.digest), index.raw, index.media_type)


def _from_api(place: Place, digest: Digest, artifact_type: str) -> list[Descriptor]:
    address = wire.referrers(place.path, digest)
    if artifact_type:
        address += f"?artifactType={quote(artifact_type, safe='')}"
    call = place.call(
        "pull",
        "GET",
        address,
        kind="referrers of",
        reference=digest,
        headers={"Accept": mediatypes.OCI_INDEX},
    )
    found: list[Descriptor] = []
    for _, page in listing.pages(place.session, call):
        found += _descriptors(page, place)
        if len(found) > _LIMIT:
            raise InvalidReply(f"{place.name} lists more than {_LIMIT} referrers of {digest}")
    return found


def _from_tag(place: Place, digest: Digest) -> tuple[Descriptor, ...]:
    try:
        document = manifests.get(place, wire.referrers_tag(digest))
    except NotFound:
        return ()
    return document.manifests if isinstance(document, Index) else ()


def _descriptors(page: dict[str, Any], place: Place) -> list[Descriptor]:
    entries = page.get("manifests")
    if not isinstance(entries, list):
        raise InvalidReply(f"{place.reference.domain} sent a list of referrers that is no index")
    try:
        return [Descriptor.from_json(entry, "referrer") for entry in entries]
    except Invalid as error:
        raise InvalidReply(f"{place.reference.domain} sent a bad list: {error}") from None


def _entry(document: Manifest | Index) -> Descriptor:
    descriptor = document.descriptor
    fields: dict[str, Any] = {}
    if document.artifact_type:
        fields["artifactType"] = document.artifact_type
    if document.annotations:
        fields["annotations"] = dict(document.annotations)
    return Descriptor(descriptor.media_type, descriptor.digest, descriptor.size, fields)


def subject_of(raw: bytes, media_type: str) -> Manifest | Index | None:
    """Return the manifest when it has a subject, else None; unreadable ones have none."""
    try:
        document = parse(raw, media_type)
    except (Invalid, Unsupported):
        return None
    return document if document.subject else None
