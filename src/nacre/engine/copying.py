"""Copy: between any two places where images live, by the way they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nacre.content.target import Source, Target
from nacre.errors import Invalid
from nacre.oci import reference as references
from nacre.oci.reference import Reference
from nacre.transports import locate
from nacre.transports.archive import reading_archive
from nacre.transports.archive_target import writing_archive
from nacre.transports.copy import copy_many
from nacre.transports.layout import LayoutStore
from nacre.transports.locate import Kind, Location
from nacre.transports.registry import RegistrySource, RegistryTarget
from nacre.transports.walk import ALL, PRESENT, Platforms

if TYPE_CHECKING:
    from nacre.engine.parts import Parts
    from nacre.oci.descriptor import Descriptor
    from nacre.oci.platform import Platform
    from nacre.transports.events import OnEvent

_STREAM = "-"


@dataclass(frozen=True, slots=True)
class _From:
    """A place opened for reading, and the name of the one image that is meant."""

    source: Source
    name: str
    all_names: Callable[[], Iterator[str]] | None = None
    default_platforms: Platforms = ALL


@dataclass(frozen=True, slots=True)
class _To:
    """A place opened for writing, and the name that an image gets there."""

    target: Target
    name: str | None
    name_of: Callable[[str], str]
    """The name of an image that has this name at the source, for copies of all tags."""


def copy_between(
    parts: Parts,
    source: str,
    destination: str,
    *,
    platforms: Sequence[Platform] | None,
    all_tags: bool,
    referrers: bool,
    jobs: int,
    on_event: OnEvent,
) -> list[Descriptor]:
    """Copy one image, or every one that the source names; see `Images.copy`.

    Returns:
        the roots at the destination.

    """
    start, end = locate.parse(source), locate.parse(destination)
    with (
        parts.registries.telling(on_event),
        _open_source(parts, start) as come,
        _open_target(parts, end, platforms) as go,
    ):
        return copy_many(
            come.source,
            _pairs(come, go, start, end) if all_tags else [(come.name, go.name)],
            go.target,
            platforms=come.default_platforms if platforms is None else platforms,
            referrers=referrers,
            jobs=jobs,
            on_event=on_event,
        )


def _pairs(come: _From, go: _To, start: Location, end: Location) -> list[tuple[str, str]]:
    if come.all_names is None:
        raise Invalid(f"{start} cannot tell its tags")
    if _names_one(end):
        raise Invalid(f"{end} names one image", remedy="leave out the tag with --all-tags")
    return [(name, go.name_of(name)) for name in come.all_names()]


def _names_one(location: Location) -> bool:
    if location.kind in (Kind.REGISTRY, Kind.STORE):
        reference = references.parse(location.reference)
        return bool(reference.tag or reference.digest)
    return bool(location.reference)


@contextmanager
def _open_source(parts: Parts, location: Location) -> Iterator[_From]:
    match location.kind:
        case Kind.REGISTRY:
            reference = references.parse_tagged(location.reference).pinned()
            source = RegistrySource(parts.registries.pull_repositories(reference)[0])
            yield _From(source, str(reference), source.names)
        case Kind.LAYOUT:
            layout = LayoutStore(Path(location.path))
            yield _From(layout, location.reference, layout.names)
        case Kind.OCI_ARCHIVE | Kind.DOCKER_ARCHIVE:
            path = Path("/dev/stdin") if location.path == _STREAM else Path(location.path)
            with reading_archive(path, spool=parts.store.spool()) as archive:
                yield _From(archive, location.reference, archive.names)
        case Kind.STORE:
            yield _from_store(parts, location.reference)


def _from_store(parts: Parts, name: str) -> _From:
    def tags() -> Iterator[str]:
        return (str(tag) for tag in parts.store.tags_of(references.parse_repository(name)))

    root = parts.catalogue.find(name).records[0].descriptor
    known = {full: parts.store.resolve(full) for full in parts.store.names()}
    return _From(parts.store.at({**known, name: root}), name, tags, default_platforms=PRESENT)


@contextmanager
def _open_target(
    parts: Parts, location: Location, platforms: Sequence[Platform] | None
) -> Iterator[_To]:
    match location.kind:
        case Kind.REGISTRY:
            reference = references.parse_tagged(location.reference)
            target = RegistryTarget(
                parts.registries.repository(reference),
                mount_from=lambda digest: parts.store.state.blob_sources(digest, reference.domain),
            )
            yield _To(target, reference.tag or None, _tag_of)
        case Kind.LAYOUT:
            yield _To(LayoutStore(Path(location.path)), location.reference, lambda name: name)
        case Kind.OCI_ARCHIVE | Kind.DOCKER_ARCHIVE:
            with _archive(location, platforms) as archive:
                yield _To(archive, location.reference, lambda name: name)
        case Kind.STORE:
            reference = references.parse_tagged(location.reference)
            with parts.store.writing() as local:
                yield _To(local, str(reference), lambda name: _in(reference, name))


@contextmanager
def _archive(location: Location, platforms: Sequence[Platform] | None) -> Iterator[Target]:
    docker = location.kind is Kind.DOCKER_ARCHIVE
    platform = platforms[0] if platforms else None
    with ExitStack() as stack:
        out: Path | BinaryIO = Path(location.path)
        if location.path == _STREAM:
            out = stack.enter_context(Path("/dev/stdout").open("wb"))
        yield stack.enter_context(writing_archive(out, docker=docker, platform=platform))


def _tag_of(name: str) -> str:
    """Return the tag of a name at the source, be it a tag already or a whole reference."""
    return name if _is_tag(name) else references.parse(name).tag or references.DEFAULT_TAG


def _is_tag(name: str) -> bool:
    try:
        references.checked_tag(name)
    except references.InvalidReference:
        return False
    return True


def _in(repository: Reference, name: str) -> str:
    return str(repository.with_tag(_tag_of(name)))
