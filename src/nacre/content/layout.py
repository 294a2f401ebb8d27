"""The OCI image layout around the blobs: its version file and its ``index.json``.

image-spec "Image Layout". ``index.json`` is an image index whose entries carry their name in the
annotation ``org.opencontainers.image.ref.name``; what nacre does not know in it survives.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

from nacre.content.diskerrors import disk_error, disk_errors
from nacre.content.durable import make_folder, replace_file
from nacre.content.locking import locked_file
from nacre.content.plainfile import NotAPlainFile, open_plain
from nacre.errors import Invalid, NotFound, Unsupported
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index, make_index, with_manifests
from nacre.oci.manifest import parse as parse_manifest
from nacre.oci.strictjson import MANIFEST_LIMIT, encode, parse_object

LAYOUT_FILE = "oci-layout"
INDEX_FILE = "index.json"
REF_NAME = "org.opencontainers.image.ref.name"
_VERSION = "1.0.0"
_VERSION_FILE = encode({"imageLayoutVersion": _VERSION})


class NotALayout(NotFound):
    """The folder has no OCI image layout in it."""

    def __init__(self, where: str) -> None:
        super().__init__(f"there is no OCI image layout in {where}")


def check_version(raw: bytes, where: str) -> None:
    """Check the content of the file ``oci-layout``; ``where`` names the layout in errors.

    Raises:
        Invalid: it is not the JSON it should be.
        Unsupported: the layout is of another version.
    """
    version = parse_object(raw, f"{LAYOUT_FILE} of {where}").get("imageLayoutVersion")
    if version != _VERSION:
        raise Unsupported(
            f"image layout version {version!r} of {where} is not {_VERSION}",
            remedy="convert it with the tool that made it",
        )


def parse_index(raw: bytes, where: str) -> Index:
    """Read the content of ``index.json``; ``where`` names the layout in errors.

    Raises:
        Invalid: it is no image index.
    """
    try:
        return cast("Index", parse_manifest(raw, mediatypes.OCI_INDEX))
    except Invalid as error:
        raise Invalid(f"{INDEX_FILE} of {where}: {error}", remedy=error.remedy) from None


def named(index: Index) -> Iterator[tuple[str, Descriptor]]:
    """Go through the entries of an index with their names, "" where there is none."""
    for entry in index.manifests:
        yield entry.annotations.get(REF_NAME, ""), entry


def index_of(entries: Iterable[tuple[str, Descriptor]]) -> Index:
    """Return a new index of these entries; the name "" is none."""
    return make_index(
        entry.annotated(**{REF_NAME: name}) if name else entry for name, entry in entries
    )


def tagged(index: Index, name: str, descriptor: Descriptor) -> Index:
    """Return the index with ``name`` at this descriptor, and only there."""
    kept = [
        entry
        for other, entry in named(index)
        if other != name and (other or entry.digest != descriptor.digest)
    ]
    return with_manifests(index, [*kept, descriptor.annotated(**{REF_NAME: name})])


def untagged(index: Index, name: str) -> Index:
    """Return the index without what ``name`` points at there."""
    return with_manifests(index, [entry for other, entry in named(index) if other != name])


def read_index(root: Path) -> Index:
    """Return the index of the layout in a folder; writes nothing.

    Raises:
        NotALayout: there is none.
        Unsupported: it is of another version.
        Invalid: a file of it is damaged.
    """
    where = str(root)
    check_version(_read(root / LAYOUT_FILE, where), where)
    return parse_index(_read(root / INDEX_FILE, where), where)


def create(root: Path, mode: int) -> None:
    """Make a folder an image layout, empty, unless it is one already.

    Raises:
        Unsupported: it is one of another version.
        Denied: the folder cannot be written to.
    """
    with _locked(root, mode):
        pass


def update_index(root: Path, change: Callable[[Index], Index], *, mode: int = 0o777) -> None:
    """Replace the index of a layout, made when missing, by what ``change`` makes of it.

    Other processes that do the same wait; readers see the old index or the new one.

    Raises:
        Invalid: the index that is there is damaged, or the new one is over 4 MiB.
        Unsupported: the layout is of another version.
        Denied: the folder cannot be written to.
    """
    where = str(root)
    with _locked(root, mode):
        index = change(parse_index(_read(root / INDEX_FILE, where), where))
        if len(index.raw) > MANIFEST_LIMIT:
            raise Invalid(
                f"{INDEX_FILE} of {where} would be larger than {MANIFEST_LIMIT} bytes",
                remedy="remove some of its names",
            )
        with disk_errors(root):
            replace_file(root / INDEX_FILE, index.raw)


def replace_index(root: Path, make: Callable[[], Index], *, mode: int = 0o700) -> None:
    """Replace the index of a layout, made when missing, by what ``make`` returns.

    For whoever keeps the truth elsewhere: ``make`` is called while others wait, so the last to
    write has seen what all before have done.

    Raises:
        Unsupported: the layout is of another version.
        Denied: the folder cannot be written to.
    """
    with _locked(root, mode):
        raw = make().raw
        with disk_errors(root):
            replace_file(root / INDEX_FILE, raw)


@contextmanager
def _locked(root: Path, mode: int) -> Iterator[None]:
    """Hold the lock of a layout, which is that of its version file, both files being there."""
    with ExitStack() as held:
        with disk_errors(root):
            make_folder(root, mode)
            file = held.enter_context(locked_file(root / LAYOUT_FILE, mode=0o644))
            raw = os.pread(file, MANIFEST_LIMIT, 0)
            if not raw:
                os.pwrite(file, _VERSION_FILE, 0)
                os.fsync(file)
            check_version(raw or _VERSION_FILE, str(root))
            if not (root / INDEX_FILE).exists():
                replace_file(root / INDEX_FILE, make_index(()).raw)
        yield


def _read(path: Path, where: str) -> bytes:
    try:
        with open_plain(path) as file:
            return file.read(MANIFEST_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise NotALayout(where) from None
    except NotAPlainFile:
        raise Invalid(f"{path.name} of {where} is not a file", remedy="do not use it") from None
    except OSError as error:
        raise disk_error(error, path.parent) from error
