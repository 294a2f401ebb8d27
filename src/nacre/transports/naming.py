"""Names in an ``index.json``: which image of a layout or an archive somebody means.

An image layout writes a name as ``org.opencontainers.image.ref.name``. skopeo and umoci put there
what the user said, often just a tag; Docker and containerd put the tag there and the whole name
into ``io.containerd.image.name``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nacre.content.layout import REF_NAME
from nacre.content.refs import RefNotFound
from nacre.oci import reference as references
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.quoting import quoted
from nacre.oci.reference import InvalidReference

IMAGE_NAME = "io.containerd.image.name"
_SHOWN = 5


def name_annotations(name: str) -> Mapping[str, str]:
    """Return the annotations that name an entry: for skopeo, Podman, Docker and containerd."""
    if not name:
        return {}
    full = full_name(name)
    return {IMAGE_NAME: name, REF_NAME: name} if full == name else {REF_NAME: name}


def full_name(name: str) -> str:
    """Return the whole reference that a name stands for, or "" when it is no reference."""
    try:
        return str(references.parse_tagged(name))
    except InvalidReference:
        return ""


def names_of(entry: Descriptor) -> tuple[str, ...]:
    """Return the names an entry goes by, the most telling first."""
    found = (entry.annotations.get(key) for key in (IMAGE_NAME, REF_NAME))
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str) and name))


def all_names(entries: Iterable[Descriptor]) -> Iterator[str]:
    """Go through the most telling names of all entries, sorted, each once."""
    return iter(sorted({names[0] for entry in entries if (names := names_of(entry))}))


def find(entries: Iterable[Descriptor], name: str, where: str) -> Descriptor | None:
    """Return the entry that a name or a digest means, or None; "" means the only image.

    Raises:
        RefNotFound: no name is given and there is not just one image.
    """
    entries = list(entries)
    if not name:
        return _only(entries, where)
    for entry in entries:
        if name in names_of(entry) or name == entry.digest:
            return entry
    wanted = full_name(name)
    for entry in entries:
        if wanted and wanted in map(full_name, names_of(entry)[:1]):
            return entry
    return None


def not_found(entries: Iterable[Descriptor], name: str, where: str) -> RefNotFound:
    """Return the error that says what there is instead."""
    listed = list(all_names(entries))
    more = ", …" if len(listed) > _SHOWN else ""
    remedy = f"it holds {', '.join(listed[:_SHOWN])}{more}" if listed else ""
    return RefNotFound(f"no image {quoted(name)} in {where}", remedy=remedy)


def _only(entries: list[Descriptor], where: str) -> Descriptor:
    images: dict[Digest, Descriptor] = {}
    for entry in entries:
        # What states an artifact type speaks about an image: a signature, an SBOM.
        if not entry.artifact_type:
            images.setdefault(entry.digest, entry)
    if len(images) == 1:
        return next(iter(images.values()))
    if not images:
        raise RefNotFound(f"there is no image in {where}")
    listed = ", ".join(list(all_names(entries))[:_SHOWN])
    raise RefNotFound(
        f"{where} holds {len(images)} images and none was named",
        remedy=f"add one of {listed}" if listed else "add a digest",
    )
