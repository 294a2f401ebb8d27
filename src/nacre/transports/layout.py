"""OCI image layouts: a folder of blobs with an ``index.json``, as skopeo's ``oci:`` and umoci's.

Anybody may write to the folder at the same time: the index is changed under a lock and replaced
as a whole, and entries and properties that are not ours stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from nacre.content import layout
from nacre.content.documents import read_document
from nacre.content.filesystem import FilesystemBlobs
from nacre.content.target import Content, OnBytes, Placed
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, make_index, with_manifests
from nacre.transports import naming
from nacre.transports.naming import name_annotations, names_of
from nacre.transports.stored import by_digest, put

_MODE = 0o777
# Before the umask, like any folder: a layout is made to be handed on.


class LayoutStore:
    """The images of a layout folder, made when first written to.

    A `Source` and a `Target`; also lists its names and referrers, and deletes. A name is what
    ``index.json`` says, a digest, or "" for the only image there is. To ``tag`` something ""
    lists it without a name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._blobs = FilesystemBlobs(path, mode=_MODE)

    def resolve(self, name: str) -> Descriptor:
        """Return what a name or a digest means; see the class.

        Raises:
            RefNotFound: there is no such image, or no name is given and there are several.
            NotALayout: the folder is no image layout.
        """
        entries = layout.read_index(self._path).manifests
        found = naming.find(entries, name, str(self._path)) or by_digest(self._blobs, name)
        if found is None:
            raise naming.not_found(entries, name, str(self._path))
        return found.bare()

    def names(self) -> Iterator[str]:
        """Go through the names of all images, sorted."""
        return naming.all_names(layout.read_index(self._path).manifests)

    def referrers(self, digest: Digest, artifact_type: str = "") -> Index:
        """Return the listed manifests whose subject has this digest, as an index."""
        found: list[Descriptor] = []
        for entry in layout.read_index(self._path).manifests:
            if entry.is_manifest and self.exists(entry):
                document = read_document(self, entry)
                subject = document.subject
                if subject and subject.digest == digest:
                    found.append(_with_type(entry, document.artifact_type))
        unique = {each.digest: each for each in found}.values()
        return make_index(each for each in unique if artifact_type in ("", each.artifact_type))

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
        """Take content in; see `Target`. A manifest that has a subject is listed at once."""
        placed = put(self._blobs, descriptor, content, on_bytes)
        if descriptor.is_manifest:
            document = read_document(self, descriptor)
            if document.subject:
                # Nothing else leads to it: neither a name nor another manifest.
                self._list(_with_type(descriptor, document.artifact_type))
        return placed

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Give content here a name, and the name to nothing else."""
        if not name:
            self._list(descriptor.bare())
        else:
            entry = descriptor.bare().annotated(**name_annotations(name))
            self._update(lambda index: layout.tagged(index, name, entry))
        self._blobs.sweep_ingests()

    def delete(self, name: str) -> None:
        """Take a name, or by digest an image with all its names, off the list; blobs stay.

        Raises:
            RefNotFound: there is none.
        """

        def without(index: Index) -> Index:
            kept = [e for e in index.manifests if name not in (*names_of(e), e.digest)]
            if len(kept) == len(index.manifests):
                raise naming.not_found(index.manifests, name, str(self._path))
            return with_manifests(index, kept)

        self._update(without)

    def _list(self, entry: Descriptor) -> None:
        def with_entry(index: Index) -> Index:
            if any(each.digest == entry.digest for each in index.manifests):
                return index
            return with_manifests(index, [*index.manifests, entry])

        self._update(with_entry)

    def _update(self, change: Callable[[Index], Index]) -> None:
        layout.update_index(self._path, change, mode=_MODE)


def _with_type(descriptor: Descriptor, artifact_type: str) -> Descriptor:
    fields = {"artifactType": artifact_type}
    return Descriptor(descriptor.media_type, descriptor.digest, descriptor.size, fields)
