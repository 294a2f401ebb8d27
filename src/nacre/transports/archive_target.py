"""Writing archives: an OCI layout in a tar, which is a Docker archive as well if wanted.

The tar is written in one go, so it may end in a pipe. The same images give the same bytes:
members in the order of the image graph, no times, no owners. skopeo, Podman and Docker read the
listing files wherever they stand, so these come last, when all names are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nacre.content.layout import INDEX_FILE, LAYOUT_FILE
from nacre.content.target import Content, OnBytes, Placed
from nacre.content.verify import verified
from nacre.errors import Conflict
from nacre.oci import graph, manifest
from nacre.oci import reference as references
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest, make_index
from nacre.oci.platform import Platform
from nacre.oci.reference import InvalidReference, Reference
from nacre.oci.strictjson import encode
from nacre.transports.archive_contents import blob_name
from nacre.transports.docker_archive import docker_files
from nacre.transports.naming import name_annotations
from nacre.transports.tarball import Tarball, replacing
from nacre.transports.walk import is_file_system

_PIECE = 1024 * 1024
_LAYOUT = encode({"imageLayoutVersion": "1.0.0"})


class ArchiveTarget:
    """An archive being written; see `Target`. ``finish`` completes it.

    To ``tag`` something "" lists it without a name; so is a manifest that nothing refers to.

    Args:
        tarball: where it goes.
        docker: add what makes it a Docker archive.
        platform: which image of an index the Docker archive is to hold; needless when just one
            of its images is put in.
    """

    writes_in_order = True

    def __init__(self, tarball: Tarball, *, docker: bool, platform: Platform | None = None) -> None:
        self._tarball = tarball
        self._docker = docker
        self._platform = platform
        self._here: set[Digest] = set()
        self._documents: dict[Digest, tuple[Descriptor, Manifest | Index]] = {}
        self._names: dict[str, Descriptor] = {}
        self._unnamed: dict[Digest, Descriptor] = {}
        self._images: dict[Digest, Manifest | None] = {}
        self._broken = False

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether the blob was written already."""
        return descriptor.digest in self._here

    def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
        """Write a blob.

        Raises:
            CorruptBlob: the bytes are not what the descriptor says; the archive is spoilt then.
            Unavailable: the disk is full, or nobody reads the pipe any more.
        """
        self._check()
        if self.exists(descriptor):
            return Placed(0)
        self._broken = True
        kept: list[bytes] = []
        with verified(content(0), descriptor) as stream:
            pieces = _pieces(stream, on_bytes, kept if descriptor.is_manifest else None)
            self._tarball.add(blob_name(descriptor.digest), descriptor.size, pieces)
        if descriptor.is_manifest:
            document = manifest.parse(b"".join(kept), descriptor.media_type)
            self._documents[descriptor.digest] = (descriptor.bare(), document)
        self._here.add(descriptor.digest)
        self._broken = False
        return Placed(descriptor.size)

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Give content a name in this archive."""
        if name:
            self._names[name] = descriptor.bare()
        else:
            self._unnamed[descriptor.digest] = descriptor.bare()

    def finish(self) -> None:
        """Write the listing files and the end of the archive.

        Raises:
            Conflict: a blob could not be written whole.
        """
        self._check()
        listed = self._listed()
        index = make_index(
            descriptor.annotated(**name_annotations(name)) if name else descriptor
            for name, descriptor in listed
        )
        files = {INDEX_FILE: index.raw, LAYOUT_FILE: _LAYOUT}
        if self._docker:
            files |= docker_files(self._docker_images(listed))
        for name in sorted(files):
            self._tarball.add(name, len(files[name]), [files[name]])
        self._tarball.finish()

    def _check(self) -> None:
        if self._broken:
            raise Conflict(f"{self._tarball.path} is incomplete: writing it failed before")

    def _listed(self) -> list[tuple[str, Descriptor]]:
        documents = self._documents.values()
        known = {each.digest for _, document in documents for each in graph.successors(document)}
        known |= {descriptor.digest for descriptor in self._names.values()}
        loose = {each.digest: each for each, _ in documents if each.digest not in known}
        unnamed = (self._unnamed | loose).values()
        return [*sorted(self._names.items()), *(("", descriptor) for descriptor in unnamed)]

    def _docker_images(
        self, listed: list[tuple[str, Descriptor]]
    ) -> list[tuple[Manifest, list[Reference]]]:
        images: dict[Digest, tuple[Manifest, list[Reference]]] = {}
        for name, descriptor in listed:
            image = self._image(descriptor)
            if image is not None:
                _, names = images.setdefault(image.descriptor.digest, (image, []))
                names.extend(_reference(name))
        return list(images.values())

    def _image(self, root: Descriptor) -> Manifest | None:
        """Return the one image that a Docker archive would hold for a root, or None."""
        if root.digest not in self._images:
            self._images[root.digest] = self._find_image(root)
        return self._images[root.digest]

    def _find_image(self, root: Descriptor) -> Manifest | None:
        _, document = self._documents.get(root.digest, (root, None))
        if isinstance(document, Index):
            listed = {each.digest: each for each in document.manifests}
            held = [each for each in listed.values() if self._image(each)]
            choice = 0 if len(held) == 1 else None
            if self._platform is not None and len(held) > 1:
                choice = graph.match_one(held, self._platform)
            return None if choice is None else self._image(held[choice])
        if document is None or document.subject or not is_file_system(document):
            return None
        return document if all(map(self.exists, graph.successors(document))) else None


def _pieces(stream: BinaryIO, on_bytes: OnBytes, kept: list[bytes] | None) -> Iterator[bytes]:
    offset = 0
    while piece := stream.read(_PIECE):
        yield piece
        offset += len(piece)
        on_bytes(offset)
        if kept is not None:
            kept.append(piece)


def _reference(name: str) -> list[Reference]:
    """Return the tag that Docker is to give, none where the name cannot be one."""
    try:
        reference = references.parse_tagged(name)
    except InvalidReference:
        return []
    return [reference] if reference.tag else []


@contextmanager
def writing_archive(
    destination: Path | BinaryIO, *, docker: bool, platform: Platform | None = None
) -> Iterator[ArchiveTarget]:
    """Enter the writing of an archive; it is completed when the block ends well.

    Args:
        destination: a file, which appears whole or not at all, or an open stream.
        docker: see `ArchiveTarget`.
        platform: see `ArchiveTarget`.

    Raises:
        Denied: the folder cannot be written to.
        Unavailable: the disk is full, or nobody reads the pipe any more.

    """
    if isinstance(destination, Path):
        with replacing(destination) as out:
            yield from _completed(out, destination, docker=docker, platform=platform)
    else:
        path = Path("standard output")
        yield from _completed(destination, path, docker=docker, platform=platform)


def _completed(
    out: BinaryIO, path: Path, *, docker: bool, platform: Platform | None
) -> Iterator[ArchiveTarget]:
    target = ArchiveTarget(Tarball(out, path), docker=docker, platform=platform)
    yield target
    target.finish()
