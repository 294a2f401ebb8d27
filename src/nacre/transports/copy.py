"""`copy`, the one verb behind pull, push, save, load and mirror.

An image is a graph: a root manifest refers to a config and layers, an index to manifests. `copy`
walks it at the source and rebuilds it at the target from the leaves upwards: blobs first, several
at a time; then manifests, children before parents; then the root; then its name. So whatever
interrupts it, a name never points at something incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from nacre.content.documents import read_document
from nacre.content.target import ListsReferrers, Source, Target
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, InvalidManifest, Manifest
from nacre.oci.platform import Platform, WrongPlatform, suits
from nacre.transports.crew import Crew
from nacre.transports.events import OnEvent, Warned, ignore
from nacre.transports.mover import Mover
from nacre.transports.sides import SOURCE, blaming
from nacre.transports.walk import ALL, Document, Platforms, Selection, choose, plan_from, whole

_MOST_REFERRERS = 1000
# A source may invent them while it is asked, each referring to the last.


def copy(
    source: Source,
    source_ref: str,
    target: Target,
    target_ref: str | None = None,
    *,
    platforms: Platforms = ALL,
    exact: bool = True,
    sparse: bool = False,
    referrers: bool = False,
    jobs: int = 3,
    on_event: OnEvent = ignore,
) -> Descriptor:
    """Copy one image, or whatever else a name stands for, and return its root at the target.

    Only what the target lacks is moved. Layers with foreign URLs are never fetched from there:
    where the source has not got them, they are left out with a warning.

    Args:
        source: where it is.
        source_ref: its name there.
        target: where it goes.
        target_ref: the name it gets there; None leaves it without one.
        platforms: which manifests of an index to take. Of one, that manifest itself becomes the
            root; of several, a shorter index does.
        exact: an image that is no index must be for one of the ``platforms``, if such are named;
            else it is copied all the same, with a warning.
        sparse: keep an index byte for byte although not all that it lists is copied.
        referrers: also copy what refers to the root: signatures, SBOMs.
        jobs: how many blobs move at a time.
        on_event: told of everything that happens, from several threads.

    Raises:
        NotFound: the name, a blob or a wanted platform is not at the source; `WrongPlatform`.
        InvalidManifest: a manifest breaks a rule of its format.
        InvalidConfig: a config does not go with its manifest.
        NacreError: whatever either side raises; the error's notes say which side.

    """
    [root] = copy_many(
        source,
        [(source_ref, target_ref)],
        target,
        platforms=platforms,
        exact=exact,
        sparse=sparse,
        referrers=referrers,
        jobs=jobs,
        on_event=on_event,
    )
    return root


def copy_many(
    source: Source,
    names: Iterable[tuple[str, str | None]],
    target: Target,
    *,
    platforms: Platforms = ALL,
    exact: bool = True,
    sparse: bool = False,
    referrers: bool = False,
    jobs: int = 3,
    on_event: OnEvent = ignore,
) -> list[Descriptor]:
    """Copy several images of one source, one after another; what they share is moved once.

    ``names`` are pairs of the name at the source and the one at the target; the rest is as for
    `copy`. Images that were complete when a later one fails stay.
    """
    with Crew(jobs) as crew:
        mover = Mover(source, target, crew, on_event)
        copier = _Copier(source, crew, mover, platforms=platforms, exact=exact, sparse=sparse)
        roots: list[Descriptor] = []
        for name, target_name in names:
            root = copier.copy(name, target_name)
            offer = _other_platform(mover, root.content, copier.wanted)
            if offer:
                asked = ", ".join(map(str, copier.wanted))
                on_event(Warned(f"{name} is for {offer}, not for {asked}"))
            if referrers:
                copier.copy_referrers(root.descriptor)
            roots.append(root.descriptor)
        return roots


class _Copier:
    """Finds roots and follows the plans made from them."""

    def __init__(
        self,
        source: Source,
        crew: Crew,
        mover: Mover,
        *,
        platforms: Platforms,
        exact: bool,
        sparse: bool,
    ) -> None:
        self._source = source
        self._crew = crew
        self._mover = mover
        self.wanted = () if isinstance(platforms, Selection) else tuple(platforms)
        self._platforms = platforms
        self._exact = exact
        self._sparse = sparse

    def copy(self, name: str, target_name: str | None) -> Document:
        with blaming(SOURCE):
            root = self._root(name)
        self._follow(root, target_name)
        return root

    def copy_referrers(self, root: Descriptor) -> None:
        """Copy what refers to ``root``, and what refers to that."""
        if not isinstance(self._source, ListsReferrers):
            return
        seen: set[Digest] = set()
        front = [root]
        while front:
            with blaming(SOURCE):
                listed = self._source.referrers(front.pop().digest).manifests
            for descriptor in listed:
                if descriptor.digest in seen:
                    continue
                seen.add(descriptor.digest)
                if len(seen) > _MOST_REFERRERS:
                    raise InvalidManifest(
                        f"more than {_MOST_REFERRERS} manifests refer to {root.digest}",
                        remedy="copy it without its referrers",
                    )
                front.append(descriptor)
                with blaming(SOURCE):
                    document = whole(descriptor, read_document(self._source, descriptor))
                self._follow(document, None)

    def _follow(self, root: Document, name: str | None) -> None:
        with blaming(SOURCE):
            plan = plan_from(root, self._read)
        self._mover.move(plan)
        self._mover.place(plan, name)

    def _root(self, name: str) -> Document:
        descriptor = self._source.resolve(name)
        content = read_document(self._source, descriptor)
        if not isinstance(content, Index):
            offer = _other_platform(self._mover, content, self.wanted) if self._exact else None
            if offer:
                raise WrongPlatform(name, self.wanted, offer)
            return whole(descriptor, content)
        choice = choose(
            descriptor,
            content,
            self._platforms,
            sparse=self._sparse,
            exists=self._source.exists,
            name=name,
        )
        if isinstance(choice, Document):
            return choice
        return whole(choice, read_document(self._source, choice))

    def _read(self, descriptors: Iterable[Descriptor]) -> list[Manifest | Index]:
        wanted = list(descriptors)
        found: dict[Digest, Manifest | Index] = {}

        def read(descriptor: Descriptor) -> None:
            found[descriptor.digest] = read_document(self._source, descriptor)

        self._crew.do(partial(read, descriptor) for descriptor in wanted)
        return [found[descriptor.digest] for descriptor in wanted]


def _other_platform(
    mover: Mover, content: Manifest | Index, wanted: Sequence[Platform]
) -> Platform | None:
    """Return what a lone image is for, by its config, if platforms are wanted and it is none."""
    config = mover.config_of(content) if wanted and isinstance(content, Manifest) else None
    return config.platform if config and not suits(config.platform, wanted) else None
