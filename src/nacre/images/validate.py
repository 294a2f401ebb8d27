"""Validate: is every byte of an image what its digest says, and do its parts belong together?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from nacre.content.documents import read_config, read_document
from nacre.content.store import BlobNotFound, BlobReader
from nacre.errors import NacreError
from nacre.images.receive import measure
from nacre.oci import mediatypes
from nacre.oci.config import check_layer_count
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, Manifest

_PIECE = 1024 * 1024
_ANEW = "remove all images that have the layer, then pull or load them again"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one part of an image.

    ``what`` names the part's role, as "layer 2"; ``reason`` says what is wrong with it.
    """

    descriptor: Descriptor
    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} {self.descriptor.digest}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading a blob once has told: what is wrong with it, or "", and a layer's diff_id."""

    reason: str
    diff_id: Digest | None = None


Memory = dict[Descriptor, Checked]

RawTar = Callable[[Digest], Descriptor | None]
"""Returns the raw tar of a layer, by its diff_id, as it lies there; None if there is none."""


def _none(_diff_id: Digest) -> None:
    """Know of no raw tars."""


def validate(
    reader: BlobReader,
    root: Descriptor,
    *,
    complete: bool = False,
    memory: Memory | None = None,
    raw_tar: RawTar = _none,
) -> Iterator[Problem]:
    """Yield all that is wrong with what a descriptor stands for, reading each blob once.

    Sizes, digests, the number of layers and their diff_ids (by unpacking) are checked. So are raw
    tars that are kept beside the form that the manifest names: files are read from them.

    Args:
        reader: where the blobs are.
        root: a manifest, an index, or any blob.
        complete: also report what is allowed to be absent: manifests of other platforms that
            an index lists, and layers that may not be distributed.
        memory: what is known of blobs that were read before; pass the same for several images
            that share layers.
        raw_tar: finds the raw tars of layers.

    """
    memory = {} if memory is None else memory
    walk = _Walk(reader, complete=complete, memory=memory, raw_tar=raw_tar)
    yield from walk.document(root, "manifest", is_required=True)


class _Walk:
    def __init__(
        self, reader: BlobReader, *, complete: bool, memory: Memory, raw_tar: RawTar
    ) -> None:
        self._reader = reader
        self._complete = complete
        self._memory = memory
        self._raw_tar = raw_tar
        self._visited: set[Digest] = set()

    def document(
        self, descriptor: Descriptor, what: str, *, is_required: bool
    ) -> Iterator[Problem]:
        if descriptor.digest in self._visited:
            return
        self._visited.add(descriptor.digest)
        try:
            document = read_document(self._reader, descriptor)
        except BlobNotFound:
            if is_required or self._complete:
                yield Problem(descriptor, what, "is not here")
            return
        except (NacreError, OSError) as error:
            yield Problem(descriptor, what, str(error))
            return
        if isinstance(document, Index):
            yield from self._children(document)
        else:
            yield from self._parts(document)

    def _children(self, index: Index) -> Iterator[Problem]:
        for position, child in enumerate(index.manifests):
            what = f"manifest {position}"
            if child.is_manifest:
                yield from self.document(child, what, is_required=False)
            else:
                yield from self._blob(child, what, is_required=False)

    def _parts(self, manifest: Manifest) -> Iterator[Problem]:
        promised: tuple[Digest, ...] = ()
        if manifest.is_image:
            try:
                config = read_config(self._reader, manifest)
                promised = config.diff_ids
                check_layer_count(config, manifest.layers)
            except BlobNotFound:
                yield Problem(manifest.config, "config", "is not here")
            except (NacreError, OSError) as error:
                yield Problem(manifest.config, "config", str(error))
        else:
            yield from self._blob(manifest.config, "config", is_required=True)
        for position, layer in enumerate(manifest.layers):
            expected = promised[position] if position < len(promised) else None
            yield from self._layer(layer, f"layer {position}", expected)

    def _layer(
        self, descriptor: Descriptor, what: str, promised: Digest | None
    ) -> Iterator[Problem]:
        # A layer that may not be distributed is not missing when it is absent.
        is_required = not mediatypes.is_foreign(descriptor.media_type)
        yield from self._blob(descriptor, what, is_required=is_required)
        checked = self._memory.get(descriptor)
        if checked and checked.diff_id and promised and checked.diff_id != promised:
            reason = f"unpacks to {checked.diff_id}, not to {promised} as its config says"
            yield Problem(descriptor, what, reason)
        tar = self._raw_tar(promised) if promised and promised != descriptor.digest else None
        for problem in self._blob(tar, f"raw tar of {what}", is_required=False) if tar else ():
            # What comes in again would leave it as it is: it is here already.
            yield replace(problem, reason=f"{problem.reason}; {_ANEW}")

    def _blob(self, descriptor: Descriptor, what: str, *, is_required: bool) -> Iterator[Problem]:
        if descriptor not in self._memory:
            try:
                self._memory[descriptor] = self._read(descriptor)
            except BlobNotFound:
                if is_required or self._complete:
                    yield Problem(descriptor, what, "is not here")
                return
        if self._memory[descriptor].reason:
            yield Problem(descriptor, what, self._memory[descriptor].reason)

    def _read(self, descriptor: Descriptor) -> Checked:
        try:
            if not mediatypes.is_layer(descriptor.media_type):
                self._read_through(descriptor)
                return Checked("")
            received = measure(self._reader, descriptor)
            if received.diff_id == descriptor.digest:
                self._read_through(descriptor)  # a plain tar, not read so far
            return Checked("", received.diff_id)
        except BlobNotFound:
            raise
        except (NacreError, OSError) as error:
            return Checked(str(error))

    def _read_through(self, descriptor: Descriptor) -> None:
        with self._reader.open(descriptor) as stream:
            while stream.read(_PIECE):
                pass
