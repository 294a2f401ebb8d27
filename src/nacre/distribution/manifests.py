"""Manifests of a repository (distribution-spec "Pulling manifests", "Pushing Manifests")."""

from __future__ import annotations

from nacre.distribution.errors import InvalidReply
from nacre.distribution.place import Place, stated_digest
from nacre.distribution.session import Call
from nacre.errors import Invalid, NotFound, Unsupported
from nacre.oci import mediatypes, wire
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest, checked_digest, media_type_of, parse
from nacre.oci.strictjson import MANIFEST_LIMIT

_ACCEPT = {"Accept": mediatypes.MANIFEST_ACCEPT}
_VAGUE = frozenset({"", "application/json", "application/octet-stream", "text/plain"})


def resolve(place: Place, reference: str) -> Descriptor:
    """Return the descriptor of a manifest by tag or digest, in one request where possible.

    Raises:
        NotFound: there is no such manifest.
        Invalid: what came is not what was asked for.
    """
    try:
        found = _head(place, reference)
    except Unsupported:
        found = None
    except NotFound:
        # A reply to HEAD has no body that would say why; the reply to GET has one. Who asks for
        # a digest mostly wants to know whether it must be pushed, and needs no reason.
        if _digest_in(reference):
            raise
        found = None
    if found is not None:
        return found
    document = get(place, reference)
    digest = _digest_in(reference) or document.descriptor.digest
    return Descriptor(document.media_type, digest, len(document.raw))


def get(place: Place, reference: str) -> Manifest | Index:
    """Return a manifest by tag or digest, checked.

    Raises:
        NotFound: there is no such manifest.
        Invalid: it is over 4 MiB, does not match its digest, or is not what its media type says.
    """
    what = f"manifest for {_whole(place, reference)}"
    with place.session.request(_read(place, "GET", reference)) as reply:
        raw = reply.read(MANIFEST_LIMIT)
        if len(raw) > MANIFEST_LIMIT:
            raise InvalidReply(f"{what} is larger than {MANIFEST_LIMIT} bytes")
        promises = {_digest_in(reference), stated_digest(reply, what)} - {None}
        media_type = reply.media_type
    for promised in sorted(digest for digest in promises if digest):
        checked_digest(raw, promised, what)
    try:
        return parse(raw, media_type_of(raw) if media_type in _VAGUE else media_type)
    except Invalid as error:
        raise InvalidReply(f"{what} is invalid: {error}") from None


def put(place: Place, reference: str, raw: bytes, media_type: str) -> bool:
    """Push a manifest, and return whether the registry keeps track of its subject.

    Raises:
        ContentUnknown: the registry lacks what it refers to.
        InvalidReply: the registry refuses it or keeps it under another digest.
    """
    call = place.call(
        "push",
        "PUT",
        wire.manifest(place.path, reference),
        kind="manifest",
        reference=reference,
        expect=(200, 201, 202),
        headers={"Content-Type": media_type},
        body=raw,
    )
    retrier = place.session.retrier
    with retrier.until_seen(str(call.purpose), lambda: place.session.request(call)) as reply:
        kept = stated_digest(reply, f"the reply to pushing {_whole(place, reference)}")
        tracked = bool(reply.header(wire.SUBJECT))
    if kept and Digest.of(raw, kept.algorithm) != kept:
        raise InvalidReply(
            f"{place.reference.domain} keeps {_whole(place, reference)} as {kept}, "
            "which is not the digest of what was pushed"
        )
    return tracked


def delete(place: Place, reference: str) -> None:
    """Delete a tag, or a manifest by its digest.

    Raises:
        NotFound: there is none.
        Unsupported: the registry does not allow it.
    """
    call = place.call(
        "delete",
        "DELETE",
        wire.manifest(place.path, reference),
        kind="manifest",
        reference=reference,
        expect=(200, 202, 204),
    )
    try:
        place.session.request(call).close()
    except InvalidReply as error:
        if _digest_in(reference):
            raise
        raise Unsupported(
            f"{place.reference.domain} does not delete tags", remedy="delete by digest"
        ) from error


def _head(place: Place, reference: str) -> Descriptor | None:
    """Return the descriptor that the headers give, or None when they do not suffice."""
    with place.session.request(_read(place, "HEAD", reference)) as reply:
        stated = stated_digest(reply, f"manifest for {_whole(place, reference)}")
        media_type, size = reply.media_type, reply.length
    asked = _digest_in(reference)
    if asked and stated and asked.algorithm == stated.algorithm and asked != stated:
        raise InvalidReply(f"{place.name} answered with {stated} when asked for {asked}")
    digest = asked or stated
    if not digest or not size or not mediatypes.is_manifest(media_type):
        return None
    if size > MANIFEST_LIMIT:
        raise InvalidReply(
            f"manifest for {_whole(place, reference)} is larger than {MANIFEST_LIMIT} bytes"
        )
    return Descriptor(media_type, digest, size)


def _read(place: Place, method: str, reference: str) -> Call:
    return place.call(
        "pull",
        method,
        wire.manifest(place.path, reference),
        kind="manifest",
        reference=reference,
        headers=_ACCEPT,
    )


def _digest_in(reference: str) -> Digest | None:
    return Digest(reference) if ":" in reference else None


def _whole(place: Place, reference: str) -> str:
    return f"{place.name}{'@' if ':' in reference else ':'}{reference}"
