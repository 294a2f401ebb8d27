"""An image as a row of ``images`` and of ``system df -v``."""

from __future__ import annotations

import time
from collections.abc import Iterator

from nacre.cli.render.times import ago, format_go
from nacre.cli.render.units import human_size
from nacre.oci import reference as references
from nacre.oci.timestamp import stated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.catalogue import LocalImage

TYPE_NAME = "*formatter.imageContext"
HEADERS = {
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Digest": "DIGEST",
    "ID": "IMAGE ID",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
    "Containers": "CONTAINERS",
    "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
}
_NONE = "<none>"
Fields = dict[str, object]


def image_fields(image: LocalImage, size: int, *, whole: bool) -> Fields:
    """Return the fields that all rows of an image share; ``whole`` asks for the whole ID."""
    created = stated(image.created)
    return {
        "ID": str(image.id) if whole else image.id.short,
        "CreatedSince": ago(created, time.time_ns()),
        "CreatedAt": format_go(created),
        "Size": human_size(size, precision=3),
        "Containers": "N/A",
        "SharedSize": "N/A",
        "UniqueSize": "N/A",
    }


def first_name(image: LocalImage) -> Fields:
    """Return repository and tag of an image that gets one row only."""
    for name in image.names:
        reference = references.parse(name)
        return _name(reference.familiar_name, reference.tag, "")
    return _name(_NONE, _NONE, "")


def names(image: LocalImage, *, digests: bool) -> Iterator[Fields]:
    """Go through repository, tag and digest of each of an image's rows.

    There is one for each tag, and then one for each repository that knows the image by digest
    only. With ``digests`` there is one for each digest of the repository instead.
    """
    by_repository: dict[str, list[str]] = {}
    for text in image.repo_digests:
        reference = references.parse(text)
        by_repository.setdefault(reference.familiar_name, []).append(str(reference.digest))
    tagged = [references.parse(name) for name in image.names]
    for reference in tagged:
        known = by_repository.get(reference.familiar_name, []) if digests else []
        for digest in known or [_NONE]:
            yield _name(reference.familiar_name, reference.tag, digest)
    for reference in tagged:
        by_repository.pop(reference.familiar_name, None)
    for repository, known in by_repository.items():
        for digest in known if digests else [""]:
            yield _name(repository, _NONE, digest)
    if not tagged and not by_repository:
        yield _name(_NONE, _NONE, _NONE)


def _name(repository: str, tag: str, digest: str) -> Fields:
    return {"Repository": repository, "Tag": tag, "Digest": digest}
