"""What a client takes, by its ``Accept`` (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re

from nacre.oci import mediatypes

_WIDER = ("application/json", "application/*", "*/*")
_NEVER = re.compile(r"\s*q\s*=\s*0(?:\.0{0,3})?\s*")


def accepts(accept: str, media_type: str) -> bool:
    """Say whether a client that sends this ``Accept`` takes a media type; "" takes everything.

    The narrowest range that fits decides. A quality of 0 refuses; others are not looked at: what
    is stored is sent or not, there is nothing to choose.
    """
    if not accept or (media_type in accept and ";" not in accept):
        return True
    ranges = dict(map(_range, accept.lower().split(",")))
    return next((ranges[one] for one in (media_type, *_WIDER) if one in ranges), False)


def knows_no_indexes(accept: str) -> bool:
    """Say whether a client takes manifests of images and no kind of index."""
    return not any(accepts(accept, one) for one in mediatypes.INDEXES) and any(
        accepts(accept, one) for one in mediatypes.IMAGE_MANIFESTS
    )


def _range(text: str) -> tuple[str, bool]:
    """Return a range of media types, and whether it is taken."""
    name, *parameters = text.split(";")
    return name.strip(), not any(map(_NEVER.fullmatch, parameters))
