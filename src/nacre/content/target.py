"""Sources and targets: anywhere an image can be, and what `copy` asks of it.

A registry, the local store, an image layout and an archive all resolve names and deliver bytes
(`Source`); most also take bytes and names (`Target`). A target is given a descriptor and a way to
read the bytes from any offset, not the bytes themselves: so it can decline what it has, continue
where an earlier attempt stopped, mount from a neighbour, and choose its own buffer size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, runtime_checkable

from nacre.content.store import BlobReader
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index
from nacre.value import Value

Content = Callable[[int], BinaryIO]
"""Opens the bytes of a descriptor from an offset on, unchecked: the target checks."""

OnBytes = Callable[[int], None]
"""Told the offset reached, in bytes, while content moves."""


class Placed(Value):
    """How content came to be at a target."""

    moved: int
    """Bytes that travelled; 0 when it was there already or was mounted."""

    origin: str = ""
    """The repository it was mounted from, or ""."""


class Source(BlobReader, Protocol):
    """Where an image is copied from."""

    def resolve(self, name: str) -> Descriptor:
        """Return the root that a name or a digest stands for.

        Raises:
            NotFound: there is none.
        """


class Target(Protocol):
    """Where an image is copied to."""

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether the content is here."""

    def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
        """Take content in, checked; all that a manifest refers to is put before it.

        Raises:
            CorruptBlob: the bytes are not what the descriptor says; nothing is visible then.
        """

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Point a name at content that is here."""


@runtime_checkable
class ListsTags(Protocol):
    """A source that can tell its names."""

    def names(self) -> Iterator[str]:
        """Go through the names of all images here."""


@runtime_checkable
class ListsReferrers(Protocol):
    """A source that knows which manifests speak about another."""

    def referrers(self, digest: Digest, artifact_type: str = "") -> Index:
        """Return the manifests whose subject has this digest, as an index."""


@runtime_checkable
class Deletes(Protocol):
    """A place that can drop a name or a manifest."""

    def delete(self, name: str) -> None:
        """Drop a tag, or a manifest by its digest.

        Raises:
            NotFound: there is none.
            Unsupported: this place does not allow it.
        """


def ignore_bytes(_offset: int) -> None:
    """Take no interest in how far content has moved."""
