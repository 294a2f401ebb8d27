"""Repositories of registries as sources and targets of copies."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from nacre.content.target import Content, OnBytes, Placed
from nacre.content.verify import verified
from nacre.distribution.repository import Repository
from nacre.errors import NotFound
from nacre.oci import reference as references
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, InvalidManifest, Manifest
from nacre.oci.reference import DEFAULT_TAG

MountFrom = Callable[[Digest], Iterable[str]]
"""Tells which repositories of the same registry may have a blob, by path, most likely first."""


class RegistrySource:
    """The images of a repository, to be copied from; lists its tags and referrers too.

    A name is a tag or a digest, alone or in a whole reference; "" is the default tag.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._documents: dict[Digest, Manifest | Index] = {}

    def resolve(self, name: str) -> Descriptor:
        """Return what a tag or a digest means; the manifest is fetched with it, and kept.

        Raises:
            NotFound: there is none.
        """
        version = _version(name)
        document = self._repository.manifest(version)
        digest = Digest(version) if ":" in version else document.descriptor.digest
        self._documents[digest] = document
        return Descriptor(document.media_type, digest, len(document.raw))

    def names(self) -> Iterator[str]:
        """Go through the tags of the repository."""
        return self._repository.tags()

    def referrers(self, digest: Digest, artifact_type: str = "") -> Index:
        """Return the manifests whose subject has this digest."""
        return self._repository.referrers(digest, artifact_type)

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return the checked bytes of a blob or a manifest; see `BlobReader`."""
        return verified(self.stream(descriptor), descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return unchecked bytes of a blob or a manifest; see `BlobReader`."""
        if descriptor.is_manifest:
            return io.BytesIO(self._document(descriptor).raw[offset:])
        return self._repository.open_blob(descriptor, offset)

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob or a manifest is here."""
        return _exists(self._repository, descriptor)

    def _document(self, descriptor: Descriptor) -> Manifest | Index:
        document = self._documents.pop(descriptor.digest, None)
        if document is None:
            document = self._repository.manifest(str(descriptor.digest))
        if document.media_type != descriptor.media_type:
            raise InvalidManifest(
                f"manifest {descriptor.digest} of {self._repository} was served as "
                f"{document.media_type}, not as {descriptor.media_type}"
            )
        return document


class RegistryTarget:
    """A repository that images are copied to.

    Args:
        repository: which one.
        mount_from: where else in the same registry a blob may be, so that it need not travel.
    """

    def __init__(
        self, repository: Repository, *, mount_from: MountFrom = lambda _digest: ()
    ) -> None:
        self._repository = repository.for_push()
        self._mount_from = mount_from

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob or a manifest is here."""
        return _exists(self._repository, descriptor)

    def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
        """Take content in: a blob by looking, then mounting, then uploading; see `Target`."""
        if placed := self.find(descriptor):
            return placed
        if descriptor.is_manifest:
            return self._push(str(descriptor.digest), descriptor, content)
        self._repository.upload(descriptor, content, on_bytes)
        return Placed(descriptor.size)

    def find(self, descriptor: Descriptor) -> Placed | None:
        """Look for content here and, if it is a blob, in other repositories to mount it from.

        Returns:
            how it came to be here; None when it is not.
        """
        if self.exists(descriptor):
            return Placed(0)
        if descriptor.is_manifest:
            return None
        for origin in self._mount_from(descriptor.digest):
            if origin != self._repository.path and self._repository.mount(
                descriptor.digest, origin
            ):
                return Placed(0, origin)
        return None

    def put_named(self, name: str, descriptor: Descriptor, content: Content) -> Placed:
        """Push a manifest under a tag, or for "" its digest, in one request; see `PutsNamed`."""
        version = _version(name) if name else str(descriptor.digest)
        return self._push(version, descriptor, content)

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Give a manifest that is here a tag."""
        document = self._repository.manifest(str(descriptor.digest))
        self._repository.put_manifest(_version(name), document.raw, document.media_type)

    def delete(self, name: str) -> None:
        """Delete a tag, or a manifest by its digest; see `Deletes`."""
        self._repository.delete_manifest(_version(name))

    def _push(self, version: str, descriptor: Descriptor, content: Content) -> Placed:
        with verified(content(0), descriptor) as stream:
            raw = stream.read()
        self._repository.put_manifest(version, raw, descriptor.media_type)
        return Placed(descriptor.size)


def _exists(repository: Repository, descriptor: Descriptor) -> bool:
    if not descriptor.is_manifest:
        return repository.has_blob(descriptor.digest)
    try:
        repository.resolve(str(descriptor.digest))
    except NotFound:
        return False
    return True


def _version(name: str) -> str:
    """Return the tag or digest that a name asks a repository for."""
    if not name:
        return DEFAULT_TAG
    if name.startswith(("sha256:", "sha512:")):
        return Digest(name)
    # A tag holds neither of these, a reference to another repository at least one.
    return references.parse(name).version if set(name) & set("/:@") else name
