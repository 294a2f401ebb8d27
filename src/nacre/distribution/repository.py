"""A repository: what can be asked of one repository of one registry."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

from nacre.distribution import blobs, listing, manifests, referrers, upload
from nacre.distribution.place import Place
from nacre.distribution.session import Session
from nacre.errors import Denied
from nacre.oci import wire
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest
from nacre.oci.reference import Reference


class Repository:
    """One repository, as `client.Client` gives it; its methods may be used by several threads.

    ``domain`` and ``path`` are as the user names it, wherever it is served. All methods raise
    `Denied` when the registry refuses access and `Unavailable` when it cannot be reached.
    """

    def __init__(self, session: Session, reference: Reference, *, reading: str = "pull") -> None:
        """See `Place` for ``reading``."""
        self.domain = reference.domain
        self.path = reference.path
        self._place = Place(session, reference.repository(), reading)
        self._started: dict[Digest, upload.Started] = {}
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return self._place.name

    def for_push(self) -> Repository:
        """Return this repository for a push: whatever is refused is told as a refused push."""
        return Repository(self._place.session, self._place.reference, reading="push")

    @property
    def host(self) -> str:
        """The ``host[:port]`` that serves it."""
        return self._place.session.endpoint.host

    def resolve(self, reference: str) -> Descriptor:
        """Return the descriptor of a manifest by tag or digest.

        Raises:
            NotFound: there is none.
            Invalid: the reply contradicts the question.
        """
        return manifests.resolve(self._place, reference)

    def manifest(self, reference: str) -> Manifest | Index:
        """Return a manifest by tag or digest, checked against every digest that is known.

        Raises:
            NotFound: there is none.
            Invalid: it is over 4 MiB, not the content asked for, or malformed.
        """
        return manifests.get(self._place, reference)

    def put_manifest(self, reference: str, raw: bytes, media_type: str) -> None:
        """Push a manifest under a tag or its digest; all it refers to must be here.

        Raises:
            Invalid: the registry refuses it, or keeps it under another digest.
        """
        tracked = manifests.put(self._place, reference, raw, media_type)
        document = None if tracked else referrers.subject_of(raw, media_type)
        if document is not None:
            referrers.record(self._place, document)

    def has_blob(self, digest: Digest) -> bool:
        """Say whether the blob is here."""
        return blobs.has(self._place, digest)

    def open_blob(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return a blob's bytes from ``offset`` on, unverified; broken connections are mended.

        ``readinto`` with a large buffer is the fast way to read them.

        Raises:
            NotFound: it is not here.
            Invalid: it is shorter or longer than its descriptor says; also raised while reading.
        """
        return blobs.open_stream(self._place, descriptor, offset)

    def mount(self, digest: Digest, origin: str) -> bool:
        """Take a blob over from another repository of this registry, if the registry will.

        ``origin`` is that repository's path as the user names it.
        """
        source = self._place.session.endpoint.path(origin)
        try:
            started = upload.start(self._place, mount=digest, origin=source)
        except Denied:
            # Some authorization services refuse everything when one of two scopes is refused.
            return False
        if started is None:
            return True
        with self._lock:
            earlier = self._started.pop(digest, None)
            self._started[digest] = started
        if earlier:
            upload.cancel(self._place, earlier)
        return False

    def upload(
        self,
        descriptor: Descriptor,
        content: Callable[[int], BinaryIO],
        on_bytes: Callable[[int], None],
    ) -> None:
        """Push a blob; the registry checks its digest.

        ``content`` opens the blob's bytes from an offset on; it is called again, further on, when
        the connection breaks. ``on_bytes`` is told the offset reached. An upload that a refused
        `mount` began is used.

        Raises:
            Invalid: the bytes are not what the descriptor says.
        """
        with self._lock:
            started = self._started.pop(descriptor.digest, None)
        upload.Upload(self._place, descriptor, content, on_bytes).run(started)

    def tags(self) -> Iterator[str]:
        """Go through the tags.

        Raises:
            NotFound: there is no such repository.
        """
        call = self._place.call("pull", "GET", wire.tags(self._place.path), kind="tags of")
        return listing.names(self._place.session, call, "tags")

    def referrers(self, digest: Digest, artifact_type: str = "") -> Index:
        """Return the manifests whose subject is ``digest``, or those of one type."""
        return referrers.listed(self._place, digest, artifact_type)

    def delete_manifest(self, reference: str) -> None:
        """Delete a tag, or a manifest by its digest.

        Raises:
            NotFound: there is none.
            Unsupported: the registry does not allow it.
        """
        manifests.delete(self._place, reference)

    def delete_blob(self, digest: Digest) -> None:
        """Delete a blob.

        Raises:
            NotFound: there is none.
            Unsupported: the registry does not allow it.
        """
        blobs.delete(self._place, digest)
