"""``nacre images``: what is on this machine."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nacre.cli.options import add_filter, add_format
from nacre.cli.render.format import render_rows
from nacre.cli.render.times import created_since, format_go
from nacre.cli.render.units import human_size
from nacre.oci import reference as references
from nacre.oci.timestamp import parse_rfc3339

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.engine.catalogue import LocalImage

_NONE = "<none>"
_TABLE = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
_DIGEST_TABLE = (
    "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
)
_HEADERS = {
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


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("pattern", metavar="REPOSITORY", nargs="?", help="Show only this name")
    parser.add_argument("-a", "--all", action="store_true", help="Show all images")
    parser.add_argument("--digests", action="store_true", help="Show digests")
    add_filter(parser, "-f")
    add_format(parser)
    parser.add_argument("--no-trunc", action="store_true", help="Don't truncate output")
    parser.add_argument("-q", "--quiet", action="store_true", help="Only show image IDs")


def run(arguments: Namespace, console: Console) -> int:
    """Print one row a tag, newest image first."""
    filters = list(arguments.filter)
    if arguments.pattern:
        filters.append(f"reference={arguments.pattern}")
    images = console.engine.images.list(filters=filters)
    rows = (
        row
        for image in images
        for row in _rows(image, console, whole=arguments.no_trunc, digests=arguments.digests)
    )
    console.lines(
        render_rows(
            rows,
            format=arguments.format,
            default_table=_DIGEST_TABLE if arguments.digests else _TABLE,
            headers=_HEADERS,
            quiet_field="ID" if arguments.quiet else None,
            type_name="*formatter.imageContext",
        )
    )
    return 0


def _rows(
    image: LocalImage, console: Console, *, whole: bool, digests: bool
) -> Iterator[dict[str, object]]:
    created = parse_rfc3339(image.view.created) if image.view.created else 0
    common: dict[str, object] = {
        "ID": str(image.id) if whole else image.id.short,
        "CreatedSince": created_since(created, time.time_ns()),
        "CreatedAt": format_go(created),
        "Size": human_size(console.engine.images.size(image), precision=3),
        "Containers": "N/A",
        "SharedSize": "N/A",
        "UniqueSize": "N/A",
    }
    for repository, tag, digest in _names(image, digests=digests):
        yield {"Repository": repository, "Tag": tag, "Digest": digest, **common}


def _names(image: LocalImage, *, digests: bool) -> Iterator[tuple[str, str, str]]:
    """Go through repository, tag and digest of each row, ``<none>`` for what there is not."""
    by_repository: dict[str, list[str]] = {}
    for text in image.repo_digests:
        reference = references.parse(text)
        by_repository.setdefault(reference.familiar_name, []).append(str(reference.digest))
    tagged = [references.parse(name) for name in image.names]
    for reference in tagged:
        found = by_repository.get(reference.familiar_name, [])
        for digest in (found if digests else found[:1]) or [_NONE]:
            yield reference.familiar_name, reference.tag, digest
    with_tag = {reference.familiar_name for reference in tagged}
    bare = {name: found for name, found in by_repository.items() if name not in with_tag}
    if not tagged and not bare:
        yield _NONE, _NONE, _NONE
    for name, found in bare.items():
        if not tagged or digests:
            for digest in found if digests else found[:1]:
                yield name, _NONE, digest
