"""Verify: images whose every byte is held against its digest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nacre.content.store import BlobNotFound
from nacre.images.validate import Memory, Problem, validate
from nacre.oci.descriptor import Descriptor
from nacre.oci.mediatypes import OCI_LAYER_TAR

if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue, LocalImage
    from nacre.engine.local import LocalStore
    from nacre.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification found of one image."""

    name: str
    problems: tuple[Problem, ...]


def verify(
    store: LocalStore, catalogue: Catalogue, names: Iterable[str] | None
) -> Iterator[Verified]:
    """Yield what was found of each image named, or of all images.

    Every blob is read, raw tars too. What drivers made of them is not, see decision 17.
    """

    def raw_tar(diff_id: Digest) -> Descriptor | None:
        # As large as it is, not as it should be: one that was cut short is read from as well.
        try:
            return Descriptor(OCI_LAYER_TAR, diff_id, store.blobs.size(diff_id))
        except BlobNotFound:
            return None

    chosen = catalogue.all() if names is None else [catalogue.find(name) for name in names]
    memory: Memory = {}
    for image in chosen:
        problems = [
            problem
            for record in image.records
            for problem in validate(store, record.descriptor, memory=memory, raw_tar=raw_tar)
        ]
        yield Verified(_name(image), tuple(problems))


def _name(image: LocalImage) -> str:
    return image.tags[0] if image.tags else str(image.id)
