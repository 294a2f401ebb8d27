"""What an archive holds, seen as an image layout: listed images, and blobs by digest."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from nacre.content.documents import read_document
from nacre.content.layout import INDEX_FILE, LAYOUT_FILE, check_version, parse_index
from nacre.content.store import BlobNotFound
from nacre.content.verify import verified
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest, InvalidDigest
from nacre.oci.manifest import Manifest
from nacre.oci.strictjson import MANIFEST_LIMIT
from nacre.transports.members import Members, Slice

BLOBS = "blobs/"


class ArchiveBlobs:
    """The blobs of an archive: a `BlobReader` over its members and a few bytes in memory."""

    def __init__(self, members: Members, blobs: Mapping[Digest, Slice | bytes]) -> None:
        self._members = members
        self._blobs = blobs

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return the checked bytes of a blob; see `BlobReader`."""
        return verified(self.stream(descriptor), descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return unchecked bytes of a blob; see `BlobReader`."""
        place = self._blobs.get(descriptor.digest)
        if place is None:
            raise BlobNotFound(descriptor.digest, self._members.where)
        if isinstance(place, bytes):
            return io.BytesIO(place[offset:])
        return self._members.stream(place, offset)

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether the blob is here."""
        return descriptor.digest in self._blobs


@dataclass(frozen=True, slots=True)
class Contents:
    """One way to see an archive."""

    entries: tuple[Descriptor, ...]
    """The images, as an ``index.json`` lists them: one for each name, names as annotations."""

    blobs: ArchiveBlobs


def layout_contents(members: Members) -> Contents | None:
    """Return what an archive holds as an image layout, or None when it is none.

    Raises:
        Invalid: its index breaks a rule.
        Unsupported: it is a layout of another version.
    """
    if not members.has(INDEX_FILE):
        return None
    if members.has(LAYOUT_FILE):
        check_version(members.read(LAYOUT_FILE, MANIFEST_LIMIT), members.where)
    index = parse_index(members.read(INDEX_FILE, MANIFEST_LIMIT), members.where)
    return Contents(index.manifests, ArchiveBlobs(members, dict(_stored(members))))


def is_complete(contents: Contents) -> bool:
    """Say whether every listed image is there, of an index at least one of its platforms."""
    return all(_is_whole(contents.blobs, entry) for entry in _each_once(contents.entries))


def configs_of(contents: Contents) -> dict[Digest, Descriptor]:
    """Return which listed image each config belongs to."""
    found: dict[Digest, Descriptor] = {}
    for entry in _each_once(contents.entries):
        for image in _images(contents.blobs, entry):
            found.setdefault(image.config.digest, entry)
    return found


def blob_digest(name: str) -> Digest | None:
    """Return the digest that a member's name states, as ``blobs/sha256/<hex>``, or None."""
    algorithm, slash, encoded = name.removeprefix(BLOBS).partition("/")
    if not name.startswith(BLOBS) or not slash:
        return None
    try:
        return Digest(f"{algorithm}:{encoded}")
    except InvalidDigest:
        return None


def blob_name(digest: Digest) -> str:
    """Return the member's name of a blob."""
    return f"{BLOBS}{digest.algorithm}/{digest.encoded}"


def _stored(members: Members) -> Iterator[tuple[Digest, Slice]]:
    for name in members.names():
        digest = blob_digest(name)
        if digest:
            yield digest, members.find(name)


def _each_once(entries: Iterable[Descriptor]) -> Iterable[Descriptor]:
    unique: dict[Digest, Descriptor] = {}
    for entry in entries:
        unique.setdefault(entry.digest, entry)
    return unique.values()


def _is_whole(blobs: ArchiveBlobs, root: Descriptor) -> bool:
    if not root.is_manifest:
        return blobs.exists(root)
    return any(_has_all_parts(blobs, image) for image in _images(blobs, root))


def _has_all_parts(blobs: ArchiveBlobs, image: Manifest) -> bool:
    wanted = (image.config, *image.layers)
    return all(blobs.exists(each) or mediatypes.is_foreign(each.media_type) for each in wanted)


def _images(blobs: ArchiveBlobs, root: Descriptor) -> Iterator[Manifest]:
    """Go through the manifests below a root that are here, each once, however deep indexes nest."""
    met: set[Digest] = set()
    waiting = [root]
    while waiting:
        descriptor = waiting.pop()
        if descriptor.digest in met or not descriptor.is_manifest or not blobs.exists(descriptor):
            continue
        met.add(descriptor.digest)
        document = read_document(blobs, descriptor)
        if isinstance(document, Manifest):
            yield document
        else:
            waiting.extend(document.manifests[::-1])
