"""Making any stream one that can be read by position: plain files as they are, others by a copy."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nacre.content.diskerrors import disk_error, disk_errors
from nacre.errors import Invalid, NotFound, Unavailable
from nacre.layers.compression import SNIFF_LENGTH, Compression, Decompressor, sniff
from nacre.layers.tar.header import BLOCK, decode_header
from nacre.transports.members import InvalidArchive

_PIECE = 1024 * 1024


@contextmanager
def seekable(source: Path | BinaryIO, spool: Path, where: str) -> Iterator[BinaryIO]:
    """Enter the use of a source as an uncompressed file that can be read by position.

    What is compressed, or is no regular file, goes into an unlinked file in the folder ``spool``,
    gone when the block ends or the process dies. A stream stays the caller's and is read from its
    beginning on.

    Raises:
        NotFound: there is no such file.
        InvalidArchive: the compressed stream is damaged.
        Unavailable: it cannot be read, or the spool folder is full.
    """
    if isinstance(source, Path):
        with _opened(source) as file, seekable(file, spool, where) as ready:
            yield ready
    elif _is_plain_file(source, where):
        yield source
    else:
        with _unlinked(spool) as copy:
            _spool(source, copy, spool, where)
            yield copy


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no file {path}", remedy="check the path") from None
    except OSError as error:
        raise disk_error(error, path) from error
    with file:
        yield file


@contextmanager
def _unlinked(folder: Path) -> Iterator[BinaryIO]:
    try:
        file = tempfile.TemporaryFile(dir=folder, prefix="nacre-")  # noqa: SIM115 - closed below
    except OSError as error:
        raise disk_error(error, folder) from error
    with file:
        yield file


def _is_plain_file(stream: BinaryIO, where: str) -> bool:
    try:
        number = stream.fileno()
    except OSError:
        return False
    if not stat.S_ISREG(os.fstat(number).st_mode) or stream.tell():
        return False
    try:
        beginning = os.pread(number, SNIFF_LENGTH, 0)
    except OSError as error:
        raise disk_error(error, Path(where)) from error
    return sniff(beginning) is Compression.NONE


def _spool(stream: BinaryIO, copy: BinaryIO, folder: Path, where: str) -> None:
    """Copy a stream as far as it may be a tar: a disk is easily filled with what is none."""
    head = b""
    try:
        for plain in _unpacked(stream, where):
            _write(copy, plain, folder)
            head += plain[: BLOCK - len(head)]
            if len(head) == BLOCK and not _begins_tar(head):
                break
        with disk_errors(folder):
            copy.flush()
    except Invalid as error:
        raise InvalidArchive(f"{where}: {error}", remedy="fetch or make it again") from None


def _unpacked(stream: BinaryIO, where: str) -> Iterator[bytes]:
    unpacker = Decompressor()
    while piece := _read(stream, where):
        yield from unpacker.feed(piece)
    yield unpacker.finish()


def _begins_tar(block: bytes) -> bool:
    """Say whether a reader would go on after this block."""
    try:
        decode_header(block)
    except ValueError:
        return False
    return any(block)


def _read(stream: BinaryIO, where: str) -> bytes:
    try:
        return stream.read(_PIECE)
    except OSError as error:
        raise Unavailable(f"cannot read {where}: {error.strerror}") from error


def _write(copy: BinaryIO, data: bytes, folder: Path) -> None:
    with disk_errors(folder):
        copy.write(data)
