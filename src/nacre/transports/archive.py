"""Reading archives: an OCI layout or a ``docker save`` in one tar, read where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nacre.oci.descriptor import Descriptor
from nacre.oci.reference import Reference
from nacre.transports import docker_archive, naming
from nacre.transports.archive_contents import (
    Contents,
    configs_of,
    is_complete,
    layout_contents,
)
from nacre.transports.docker_archive import Item, config_digest, docker_contents
from nacre.transports.members import InvalidArchive, Members
from nacre.transports.naming import name_annotations, names_of
from nacre.transports.spool import seekable


class ArchiveSource:
    """The images of an archive, to be copied from; see `Source` and `ListsTags`."""

    def __init__(self, contents: Contents, where: str) -> None:
        self._entries = contents.entries
        self._blobs = contents.blobs
        self._where = where

    @property
    def entries(self) -> tuple[Descriptor, ...]:
        """What the archive lists: one descriptor for each name, and those without a name."""
        return self._entries

    def resolve(self, name: str) -> Descriptor:
        """Return what a name or a digest means; "" is the only image.

        Raises:
            RefNotFound: there is no such image, or no name is given and there are several.
        """
        found = naming.find(self._entries, name, self._where)
        if found is None:
            raise naming.not_found(self._entries, name, self._where)
        return found.bare()

    def names(self) -> Iterator[str]:
        """Go through the names of all images, sorted."""
        return naming.all_names(self._entries)

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return the checked bytes of a blob; see `BlobReader`."""
        return self._blobs.open(descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return unchecked bytes of a blob; see `BlobReader`."""
        return self._blobs.stream(descriptor, offset)

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether a blob is here."""
        return self._blobs.exists(descriptor)


@contextmanager
def reading_archive(source: Path | BinaryIO, *, spool: Path) -> Iterator[ArchiveSource]:
    """Open an archive of images, compressed or not, of a file or an open stream.

    An archive that is both an image layout and a Docker archive, as Docker and nacre write them,
    is read as a layout, so that digests survive; the names of both count.

    Args:
        source: the file; a stream that cannot be read by position is spooled first.
        spool: the folder for what has to be spooled or decompressed, kept in an unlinked file.

    Raises:
        NotFound: there is no such file.
        InvalidArchive: it is no archive of images, or one that names what lies outside.

    """
    where = str(source) if isinstance(source, Path) else "the archive"
    with seekable(source, spool, where) as file:
        members = Members(file, where)
        yield ArchiveSource(_contents(members), where)


def _contents(members: Members) -> Contents:
    layout = layout_contents(members)
    listed = docker_archive.items(members) if members.has(docker_archive.MANIFEST) else None
    if layout is None and listed is None:
        raise InvalidArchive(
            f"{members.where} is no archive of images: it has neither index.json nor manifest.json",
            remedy="use 'nacre image import' for the tar of a root file system",
        )
    if listed is None and layout is not None:
        return layout
    if layout is not None and is_complete(layout):
        named = _with_names(layout, members, listed or ())
        if named is not None:
            return named
    return docker_contents(members, listed or ())


def _with_names(layout: Contents, members: Members, listed: tuple[Item, ...]) -> Contents | None:
    """Add the names that only ``manifest.json`` knows; None when it knows more images."""
    roots = configs_of(layout)
    known = {naming.full_name(name) for entry in layout.entries for name in names_of(entry)[:1]}
    added: list[Descriptor] = []
    for item in listed:
        root = roots.get(config_digest(members, item))
        if root is None:
            return None
        added.extend(_named(root, name) for name in item.names if str(name) not in known)
    return Contents((*layout.entries, *added), layout.blobs)


def _named(root: Descriptor, name: Reference) -> Descriptor:
    return root.annotated(**name_annotations(str(name)))
