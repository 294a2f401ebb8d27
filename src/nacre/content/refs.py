"""Refs: names that point at content and can be moved.

A name is text the store does not interpret; the engine uses full references, an image layout its
``org.opencontainers.image.ref.name``. Pointing a name at a descriptor is one atomic step: another
process sees the old descriptor or the new one. What a name points at is alive; content that no
name, however indirectly, points at and that nobody leases is garbage.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from nacre.content.errors import RefNotFound
from nacre.oci.descriptor import Descriptor

__all__ = ["RefNotFound", "RefStore"]


class RefStore(Protocol):
    """Names and what they point at."""

    def resolve(self, name: str) -> Descriptor:
        """Return what a name points at.

        Raises:
            RefNotFound: there is no such name.
        """

    def tag(self, name: str, descriptor: Descriptor) -> None:
        """Point a name at content, whether or not it existed before."""

    def untag(self, name: str) -> None:
        """Drop a name; what it pointed at stays until it is collected.

        Raises:
            RefNotFound: there is no such name.
        """

    def names(self) -> Iterator[str]:
        """Go through all names, sorted."""
