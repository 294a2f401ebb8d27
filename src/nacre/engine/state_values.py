"""What the rows of ``state.db`` mean."""

from __future__ import annotations

from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode, parse_object
from nacre.value import Value


class ImageRecord(Value):
    """A target (a manifest or an index) of the local store and what is known of it."""

    descriptor: Descriptor

    image_id: Digest
    """The digest of its config, where it has one; else its own."""

    added_at: int
    """Nanoseconds since the epoch."""

    last_tag_time: int
    """Nanoseconds since the epoch; 0 when it never had a name."""

    names: tuple[str, ...]
    """The names that point at it, sorted."""

    repo_digests: tuple[str, ...]
    """``repository@digest`` for every repository known to have it, sorted."""


def as_text(descriptor: Descriptor) -> str:
    """Return a descriptor as it is kept."""
    return encode(descriptor.to_json()).decode()


def as_descriptor(text: str) -> Descriptor:
    """Return the descriptor that was kept."""
    return Descriptor.from_json(parse_object(text.encode(), "descriptor"), "descriptor")
