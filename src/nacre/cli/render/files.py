"""Listings of files, in the forms of ls."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nacre.oci.timestamp import SECOND, format_rfc3339

if TYPE_CHECKING:
    from nacre.engine.seeing import FileInfo

Shown = Callable[[str], str]
"""How a name is shown."""

_FORMATS = {
    "file": stat.S_IFREG,
    "directory": stat.S_IFDIR,
    "symlink": stat.S_IFLNK,
    "char": stat.S_IFCHR,
    "block": stat.S_IFBLK,
    "fifo": stat.S_IFIFO,
    "hardlink": stat.S_IFREG,
}


def long_lines(files: Iterable[FileInfo], names: Iterable[str], shown: Shown) -> Iterator[str]:
    """Return a line a file: mode, links, owner, group, size or device, time, name, target."""
    listed = list(files)
    columns = [
        (str(file.links), str(file.uid), str(file.gid), _size(file), _time(file.mtime))
        for file in listed
    ]
    widths = [max(map(len, column)) for column in zip(*columns, strict=True)]
    for file, name, texts in zip(listed, names, columns, strict=True):
        cells = (text.rjust(width) for text, width in zip(texts, widths, strict=True))
        yield f"{mode_string(file)} {' '.join(cells)} {shown(name)}{_target(file, shown)}"


def mode_string(file: FileInfo) -> str:
    """Return kind and permissions as ``drwxr-xr-x``; a hard link's kind is ``h``, as tar has it."""
    text = stat.filemode(_FORMATS[file.kind] | file.mode)
    return f"h{text[1:]}" if file.kind == "hardlink" else text


def json_document(files: Iterable[FileInfo]) -> Iterator[str]:
    """Return one JSON array, an object a line."""
    return json_array(map(_as_json, files))


def json_array(objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Return objects as one JSON array, a line each."""
    before = "[\n"
    for one in objects:
        yield f"{before}{json.dumps(one)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _as_json(file: FileInfo) -> dict[str, Any]:
    document: dict[str, Any] = {
        "path": file.path,
        "type": file.kind,
        "mode": f"{file.mode:04o}",
        "uid": file.uid,
        "gid": file.gid,
        "size": file.size,
        "mtime": _json_time(file.mtime),
        "links": file.links,
        "layer": file.layer,
    }
    if file.target:
        document["target"] = file.target
    if file.kind in ("char", "block"):
        document["device"] = list(file.device)
    return document


def _size(file: FileInfo) -> str:
    if file.kind in ("char", "block"):
        return "{}, {}".format(*file.device)
    if file.kind == "symlink":
        return str(len(file.target.encode("utf-8", "surrogateescape")))
    return str(file.size)


def _target(file: FileInfo, shown: Shown) -> str:
    if not file.target:
        return ""
    return f" {'->' if file.kind == 'symlink' else 'link to'} {shown(file.target)}"


def _time(moment: int) -> str:
    seconds = moment // SECOND
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # no year has that many digits
        return str(seconds)


def _json_time(moment: int) -> str | None:
    try:
        return format_rfc3339(moment)
    except OverflowError:
        return None
