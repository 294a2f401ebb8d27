"""The graph of content: which bytes a manifest refers to, and which of them a platform needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nacre.oci import platform as platforms
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index, Manifest
from nacre.oci.platform import Platform

_ATTESTED = "vnd.docker.reference.digest"


def successors(document: Manifest | Index) -> tuple[Descriptor, ...]:
    """Return what a document is made of, in order: config and layers, or listed manifests.

    A ``subject`` is not part: it is what the document speaks about.
    """
    if isinstance(document, Index):
        return document.manifests
    return (document.config, *document.layers)


def select(index: Index, wanted: Iterable[Platform]) -> tuple[Descriptor, ...]:
    """Return the manifests of an index that suit the wanted platforms best, in index order.

    Attestations of a chosen manifest come along. A wanted platform without a match is left out;
    ask `match_one` which.
    """
    children = index.manifests
    chosen = {match for each in wanted if (match := match_one(children, each)) is not None}
    digests = {str(children[position].digest) for position in chosen}
    return tuple(
        child
        for position, child in enumerate(children)
        if position in chosen or child.annotations.get(_ATTESTED) in digests
    )


def match_one(children: Sequence[Descriptor], wanted: Platform) -> int | None:
    """Return the position of the manifest that suits a platform best, or None.

    Manifests that state no platform match nothing, unless the index lists just one; blobs that
    are no manifests match nothing either.
    """
    none = Platform("", "")
    offers = [(child.platform or none) if child.is_manifest else none for child in children]
    best = platforms.best(wanted, offers)
    if best is None and len(children) == 1 and offers == [none] and children[0].is_manifest:
        return 0
    return best


def available(index: Index) -> tuple[Platform, ...]:
    """Return the platforms that an index offers, attestations left out."""
    found = (child.platform for child in index.manifests)
    return tuple(each for each in found if each is not None and not each.is_unknown)
