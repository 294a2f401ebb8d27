"""What a client takes, by its ``Accept`` (RFC 9110, 12.5.1)."""

from __future__ import annotations

from nacre.oci import mediatypes


def accepts(accept: str, media_type: str) -> bool:
    """Say whether a client that sends this ``Accept`` takes a media type; "" takes everything.

    Quality values are not looked at: what is stored is sent or not, there is nothing to choose.
    """
    if not accept or media_type in accept:
        return True
    ranges = {part.partition(";")[0].strip() for part in accept.split(",")}
    return bool(ranges & {"*/*", "application/*", "application/json"})


def knows_no_indexes(accept: str) -> bool:
    """Say whether a client takes manifests of images and no kind of index."""
    return not any(accepts(accept, one) for one in mediatypes.INDEXES) and any(
        accepts(accept, one) for one in mediatypes.IMAGE_MANIFESTS
    )
