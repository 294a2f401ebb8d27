"""A store of blobs and a store of names, joined into a source and a target of copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from nacre.content.refs import RefStore
from nacre.content.store import BlobNotFound, BlobStore, BlobWriter, CorruptBlob, Ingest
from nacre.content.target import Content, OnBytes, Placed
from nacre.errors import AlreadyExists
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest, InvalidDigest
from nacre.oci.manifest import InvalidManifest, media_type_of, parse
from nacre.oci.strictjson import MANIFEST_LIMIT

_PIECE = 1024 * 1024


class StoredImages:
    """Images whose bytes and names lie in two stores: a `Source` and a `Target`.

    Every blob store and every ref store will do; the two in memory make the twin of all places.
    """

    def __init__(self, blobs: BlobStore, refs: RefStore) -> None:
        self._blobs = blobs
        self._refs = refs

    def resolve(self, name: str) -> Descriptor:
        """Return what a name or a digest means.

        Raises:
            RefNotFound: neither a name nor the digest of a manifest here.
        """
        return by_digest(self._blobs, name) or self._refs.resolve(name)

    def names(self) -> Iterator[str]:
        """Go through all names, sorted."""
        return self._refs.names()

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return the checked bytes of a blob; see `BlobReader`."""
        return self._blobs.open(descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return unchecked bytes of a blob; see `BlobReader`."""
        return self._blobs.stream(descriptor, offset)

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob is here."""
        return self._blobs.exists(descriptor)

    def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
        """Take content in, going on where an interrupted attempt stopped; see `Target`."""
        return put(self._blobs, descriptor, content, on_bytes)

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Point a name at content; see `Target`."""
        self._refs.tag(name, descriptor)

    def delete(self, name: str) -> None:
        """Drop a name; see `Deletes`."""
        self._refs.untag(name)


def by_digest(blobs: BlobStore, text: str) -> Descriptor | None:
    """Return the manifest of a digest; None when the text is no digest, or of none here."""
    try:
        digest = Digest(text)
        size = blobs.size(digest)
    except (InvalidDigest, BlobNotFound):
        return None
    if size > MANIFEST_LIMIT:
        return None
    with blobs.stream(Descriptor("", digest, size)) as stream:
        raw = stream.read()
    try:
        return Descriptor(parse(raw, media_type_of(raw)).media_type, digest, size)
    except InvalidManifest:
        return None


def put(blobs: BlobWriter, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
    """Put content into a blob store; what is there already is not opened.

    Bytes kept from an interrupted attempt are trusted once: if they turn out wrong, all is read
    again from the start.

    Raises:
        CorruptBlob: the bytes are not what the descriptor says.
    """
    try:
        with blobs.ingest(descriptor) as ingest:
            start = ingest.offset
            try:
                _fill(ingest, content, on_bytes)
                ingest.commit(descriptor.media_type)
            except CorruptBlob:
                if not start:
                    raise
                start = 0
                ingest.restart()
                _fill(ingest, content, on_bytes)
                ingest.commit(descriptor.media_type)
            return Placed(descriptor.size - start)
    except AlreadyExists:
        return Placed(0)


def _fill(ingest: Ingest, content: Content, on_bytes: OnBytes) -> None:
    with content(ingest.offset) as stream:
        while piece := stream.read(_PIECE):
            ingest.write(piece)
            on_bytes(ingest.offset)
