"""Import: an image of one layer from a root file system's tar."""

from __future__ import annotations

import os
import posixpath
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from nacre.engine.tagging import check_unambiguous
from nacre.errors import Invalid
from nacre.images.edit import new_image, with_changes
from nacre.layers.compression import open_decompressed
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import BadArchive, CorruptStream, LayerLimit
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.quoting import quoted
from nacre.oci.timestamp import format_rfc3339

if TYPE_CHECKING:
    from nacre.engine.local import LocalStore
    from nacre.engine.local_target import LocalTarget
    from nacre.engine.parts import Parts
    from nacre.layers.limits import Limits
    from nacre.oci.descriptor import Descriptor
    from nacre.oci.platform import Platform
    from nacre.oci.reference import Reference

_PIECE = 1024 * 1024


class InvalidRootfs(Invalid):
    """What was to be imported is not the tar of a root file system, or one that is broken."""

    usual_remedy = "make it again, say with tar -C FOLDER -c ."


@contextmanager
def opened(source: BinaryIO | str, parts: Parts) -> Iterator[BinaryIO]:
    """Enter the reading of a stream, or of what lies at an http or https address.

    Raises:
        NacreError: see `nacre.distribution.download.open_url`.
    """
    if not isinstance(source, str):
        yield source
        return
    with parts.registries.download(source) as stream:
        yield stream


def import_image(
    store: LocalStore,
    source: BinaryIO,
    *,
    origin: str,
    reference: Reference | None,
    changes: Sequence[str],
    message: str,
    platform: Platform,
) -> Digest:
    """Store the tar as a layer, make an image of it, name it, and return its ID.

    Without a ``message`` its history says that it was imported from ``origin``.

    Raises:
        InvalidRootfs: the stream is no tar, or one that names what lies outside.
        InvalidChange: a change is no instruction; the stream is not read then.
        InvalidReference: the name looks like a digest; likewise.
    """
    with_changes({}, changes)
    if reference:
        check_unambiguous(reference)
    with store.writing() as local:
        layer = _store_layer(local, source, store.limits)
        store.state.note_layer(layer, diff_id=layer.digest, size=layer.size)
        config, manifest = new_image(
            layer,
            created=format_rfc3339(time.time_ns()),
            comment=message or f"Imported from {origin}",
            platform=platform,
            changes=changes,
        )
        local.add_document(config)
        root = local.add_document(manifest)
        local.add(root, [str(reference)] if reference else [])
    return config.digest


def _store_layer(local: LocalTarget, source: BinaryIO, limits: Limits) -> Descriptor:
    """Keep the plain tar, every header of it checked on the way."""
    where = _name(source)
    scanner = limits.scanner()
    try:
        with (
            open_decompressed(source, max_output=limits.size, growth=limits.growing()) as tar,
            local.producing() as ingest,
        ):
            _refuse_device(source)
            while piece := tar.read(_PIECE):
                for entry in scanner.feed(piece):
                    _check(entry, where)
                ingest.write(piece)
            scanner.finish()
            layer = ingest.commit(mediatypes.OCI_LAYER_TAR)
    except LayerLimit as error:
        raise InvalidRootfs(
            f"{where} is too large: {error}",
            remedy="if you trust its maker, raise [limits] in the settings file",
        ) from None
    except (BadArchive, CorruptStream) as error:
        raise InvalidRootfs(f"{where} is not a sound tar: {error}") from None
    if not layer.size:
        raise InvalidRootfs(f"{where} is empty")
    return layer


def _refuse_device(source: BinaryIO) -> None:
    """Refuse what may never end, such as /dev/zero."""
    with suppress(OSError, AttributeError):
        if stat.S_ISCHR(os.fstat(source.fileno()).st_mode):
            raise InvalidRootfs(
                f"{_name(source)} is a device, not an archive", remedy="name a file or a URL"
            )


def _check(entry: Entry, where: str) -> None:
    """Refuse a member that could only be meant for the world outside (CVE-2021-29136)."""
    for path in (entry.name, entry.linkname if entry.kind is Kind.LINK else b""):
        if b".." in path.split(b"/"):
            shown = quoted(path.decode(errors="backslashreplace"))
            raise InvalidRootfs(
                f"{where} names {shown}, which lies outside of it", remedy="do not trust its maker"
            )
    is_root = posixpath.normpath(entry.name.lstrip(b"/")) == b"."
    if is_root and entry.kind is not Kind.DIR:
        raise InvalidRootfs(
            f"{where} has something else than a folder for its root",
            remedy="do not trust its maker",
        )


def _name(source: BinaryIO) -> str:
    """Return what errors call the stream."""
    name = getattr(source, "name", "")
    if name == "<stdin>":
        return "standard input"
    return name if isinstance(name, str) and name else "the archive"
