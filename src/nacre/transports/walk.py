"""From a name to a plan: which manifests and which blobs make up what is to be copied.

The graph is read from its root downwards, every manifest checked and strictly parsed before
anything moves. The plan lists blobs in a fixed order and manifests in levels, so that whoever
follows it places children before parents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from nacre.errors import NotFound
from nacre.oci import graph, mediatypes
from nacre.oci import manifest as manifests
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, InvalidManifest, Manifest
from nacre.oci.platform import Platform
from nacre.value import Value

_DEPTH_LIMIT = 8
# Indexes of indexes are rare and shallow; a long chain would keep a client busy for hours.

_COUNT_LIMIT = 10_000
_WEIGHT_LIMIT = 64 * 1024 * 1024
# A plan is kept in memory with its manifests and configs; the largest known take a few MiB.


class Selection(Enum):
    """Which of an index's manifests to take, when no platforms are named."""

    ALL = "all"
    """Whatever the index lists."""

    PRESENT = "present"
    """What the source holds: a store that pulled one platform has the index, but not the rest."""


ALL = Selection.ALL
PRESENT = Selection.PRESENT
Platforms = Selection | Sequence[Platform]


class NoSuchPlatform(NotFound):
    """An index offers nothing for a platform that was asked for."""


class Document(Value):
    """A manifest or index as it will stand at the target, and which of its parts are copied."""

    descriptor: Descriptor
    content: Manifest | Index
    children: tuple[Descriptor, ...]
    """The parts to be copied; fewer than the content lists when the copy is sparse."""

    @property
    def manifests(self) -> tuple[Descriptor, ...]:
        """The children that are manifests themselves."""
        listed = self.children if isinstance(self.content, Index) else ()
        return tuple(child for child in listed if child.is_manifest)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The children that are plain bytes: config, layers, or files of an artifact."""
        inner = set(self.manifests)
        return tuple(child for child in self.children if child not in inner)


class Plan(Value):
    """What to copy: each level's documents refer only to blobs and to earlier levels."""

    root: Document
    levels: tuple[tuple[Document, ...], ...]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """All blobs, each once: configs before their layers, in the order of the manifests."""
        unique: dict[Digest, Descriptor] = {}
        for level in self.levels:
            for document in level:
                for blob in document.blobs:
                    unique.setdefault(blob.digest, blob)
        return tuple(unique.values())


Read = Callable[[Sequence[Descriptor]], Sequence[Manifest | Index]]
"""Reads several manifests, perhaps at once."""


def choose(
    descriptor: Descriptor,
    index: Index,
    platforms: Platforms,
    *,
    sparse: bool,
    exists: Callable[[Descriptor], bool],
    name: str,
) -> Document | Descriptor:
    """Decide what becomes the root: the index, a shorter one, or one of its manifests alone.

    Returns:
        The document to use as root, or the descriptor of the manifest that takes its place.

    Raises:
        NoSuchPlatform: a platform that was asked for is not on offer.
        NotFound: nothing that the index lists is at the source.

    """
    chosen = _chosen(index, platforms, exists, name)
    if sparse or len(chosen) == len(index.manifests):
        return Document(descriptor, index, chosen)
    images = [child for child in chosen if not _speaks_of_others(child)]
    if len(images) == 1:
        return images[0]
    shorter = manifests.with_manifests(index, chosen)
    return Document(shorter.descriptor, shorter, chosen)


def plan_from(root: Document, read: Read) -> Plan:
    """Read everything below ``root`` and put it in order.

    Raises:
        InvalidManifest: indexes are nested more than eight deep, lead to more manifests and
            configs than can be kept in memory, or list a blob as two different things; or as
            `read_document`.
    """
    known: dict[Digest, Document] = {root.descriptor.digest: root}
    front = _unknown(root.manifests, known)
    depth = weight = 0
    while front:
        depth += 1
        if depth > _DEPTH_LIMIT:
            raise InvalidManifest(f"indexes are nested more than {_DEPTH_LIMIT} deep")
        weight += sum(each.size for each in front)
        _check_amount(root, len(known) + len(front), weight)
        for descriptor, content in zip(front, read(front), strict=True):
            known[descriptor.digest] = whole(descriptor, content)
        weight += sum(_size_of_config(known[each.digest]) for each in front)
        front = _unknown((child for each in front for child in known[each.digest].manifests), known)
    _check_amount(root, len(known), weight)
    _check_agreement(known.values())
    return Plan(root, _levels(root, known))


def whole(descriptor: Descriptor, content: Manifest | Index) -> Document:
    """Return a document all of whose parts are to be copied."""
    return Document(descriptor, content, graph.successors(content))


def is_file_system(manifest: Manifest) -> bool:
    """Say whether all that a manifest holds are layers, which its config must match one to one."""
    return manifest.is_image and all(
        mediatypes.is_layer(layer.media_type) for layer in manifest.layers
    )


def _chosen(
    index: Index, platforms: Platforms, exists: Callable[[Descriptor], bool], name: str
) -> tuple[Descriptor, ...]:
    if platforms is Selection.ALL:
        return index.manifests
    if platforms is Selection.PRESENT:
        present = tuple(child for child in index.manifests if exists(child))
        if index.manifests and not present:
            raise NotFound(
                f"none of the images that {name} lists is here", remedy="pull the image again"
            )
        return present
    for platform in platforms:
        if graph.match_one(index.manifests, platform) is None:
            offers = ", ".join(dict.fromkeys(str(each) for each in graph.available(index)))
            raise NoSuchPlatform(
                f"{name} has no image for {platform}",
                remedy=f"it offers {offers}" if offers else "it states no platforms",
            )
    return graph.select(index, platforms)


def _speaks_of_others(child: Descriptor) -> bool:
    return child.platform is not None and child.platform.is_unknown


def _check_amount(root: Document, count: int, weight: int) -> None:
    if count > _COUNT_LIMIT or weight > _WEIGHT_LIMIT:
        raise InvalidManifest(
            f"index {root.descriptor.digest} leads to more than {_COUNT_LIMIT} manifests, or to "
            f"more than {_WEIGHT_LIMIT} bytes of manifests and configs",
            remedy="name one of its platforms",
        )


def _check_agreement(documents: Iterable[Document]) -> None:
    """Check that blobs that are listed several times are the same each time.

    Only one of the descriptors is used to fetch and check the blob, so it must speak for all.
    """
    claims: dict[Digest, Descriptor] = {}
    for document in documents:
        for blob in document.blobs:
            check_same(claims.setdefault(blob.digest, blob), blob)


def check_same(known: Descriptor, again: Descriptor) -> None:
    """Check that two descriptors of one digest do not contradict each other.

    Raises:
        InvalidManifest: their sizes differ, or just one of them is a layer that is not compressed.
    """
    if known.size != again.size:
        raise InvalidManifest(
            f"blob {known.digest} is listed with {known.size} and with {again.size} bytes"
        )
    types = (known.media_type, again.media_type)
    is_plain = {media_type in mediatypes.PLAIN_LAYERS for media_type in types}
    if all(map(mediatypes.is_layer, types)) and len(is_plain) > 1:
        raise InvalidManifest(f"blob {known.digest} is listed as {types[0]} and as {types[1]}")


def _size_of_config(document: Document) -> int:
    content = document.content
    return content.config.size if isinstance(content, Manifest) and content.is_image else 0


def _unknown(descriptors: Iterable[Descriptor], known: dict[Digest, Document]) -> list[Descriptor]:
    fresh = {each.digest: each for each in descriptors if each.digest not in known}
    return list(fresh.values())


def _levels(root: Document, known: dict[Digest, Document]) -> tuple[tuple[Document, ...], ...]:
    heights: dict[Digest, int] = {}

    def height(document: Document) -> int:
        digest = document.descriptor.digest
        if digest not in heights:
            below = [height(known[child.digest]) for child in document.manifests]
            heights[digest] = 1 + max(below, default=-1)
        return heights[digest]

    levels: list[list[Document]] = [[] for _ in range(height(root) + 1)]
    for document in known.values():
        levels[heights[document.descriptor.digest]].append(document)
    return tuple(tuple(level) for level in levels)
