"""Blobs in a folder that is a standard OCI image layout; nobody else knows where they lie.

::

    oci-layout, index.json          the layout's own files, see `nacre.content.layout`
    blobs/<algorithm>/<hash>        committed blobs
    ingest/<algorithm>-<hash>.part  what is being written, or was when a process died
    ingest/tmp-<pid>-<random>       the same, of content whose digest is not known yet
    trash/<algorithm>-<hash>        garbage, already out of sight, about to be deleted

Folders are made for their owner alone (CVE-2021-41091) unless told otherwise; files get the usual
mode, so that a layout can be handed on. Reading never writes.
"""

# What only writing needs is imported by it: most commands only read, and are to start quickly.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from nacre.content.diskerrors import disk_error, disk_errors
from nacre.content.durable import make_folder, sync_folder
from nacre.content.errors import BlobNotFound, CorruptBlob
from nacre.content.hashing import Processors
from nacre.content.locking import keep_waiting, locked_file, remove_unlocked
from nacre.content.plainfile import NotAPlainFile, open_plain
from nacre.content.verify import verified
from nacre.errors import AlreadyExists, NacreError
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest, InvalidDigest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from nacre.content.ingest import FileIngest

_PRIVATE = 0o700
_FILE_MODE = 0o644
_PART = ".part"
_ABSENT = (FileNotFoundError, NotADirectoryError)

# A layout may be anybody's folder: what is not named as here was put there by somebody else.
_FLAT = r"sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})"
_TRASH_NAME = _FLAT
_PART_NAME = _FLAT + r"\.part"
_TEMPORARY_NAME = r"tmp-[0-9]+-[0-9a-f]{16}"


class FilesystemBlobs:
    """A `BlobStore` in a folder, safe for many processes and threads at once.

    Args:
        root: the folder of the layout; made when first written to.
        mode: of the folders it makes, before the umask.
    """

    def __init__(self, root: Path, *, mode: int = _PRIVATE) -> None:
        self._root = root
        self._mode = mode
        self._processors = Processors(os.cpu_count() or 1)

    def open(self, descriptor: Descriptor) -> BinaryIO:
        """Return the blob's bytes, checked; see `BlobReader`."""
        return verified(self.stream(descriptor), descriptor)

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        """Return the bytes from ``offset`` on as an unbuffered file; see `BlobReader`."""
        try:
            file = open_plain(self._blob(descriptor.digest))
        except NotAPlainFile:
            raise CorruptBlob(f"blob {descriptor.digest} in {self._root} is not a file") from None
        except OSError as error:
            raise self._unreadable(error, descriptor.digest) from error
        file.seek(offset)
        return file

    def exists(self, descriptor: Descriptor) -> bool:
        """Say whether the blob is here, in its full size."""
        try:
            return self.size(descriptor.digest) == descriptor.size
        except BlobNotFound:
            return False

    @contextmanager
    def ingest(
        self, expected: Descriptor | None = None, *, waiting: Callable[[], None] = keep_waiting
    ) -> Iterator[FileIngest]:
        """Enter the writing of one blob; see `BlobWriter`.

        Args:
            expected: what is to come.
            waiting: called about twenty times a second while another ingest of the same digest
                is open; what it raises ends the wait.

        Raises:
            AlreadyExists: the expected blob is here, perhaps since a moment ago.
            Unavailable: the disk is full or failed.
            Denied: the folder cannot be written to.
        """
        with ExitStack() as stack:
            with disk_errors(self._root):
                self._refuse_existing(expected)
                part, file = self._part(expected, waiting, stack)
                try:
                    self._refuse_existing(expected)
                except AlreadyExists:
                    part.unlink()
                    raise
            from nacre.content.ingest import FileIngest

            yield stack.enter_context(
                FileIngest(
                    file,
                    expected,
                    processors=self._processors,
                    folder=self._root,
                    publish=partial(self._publish, part),
                    drop=part.unlink,
                )
            )

    def __iter__(self) -> Iterator[Digest]:
        """Go through the digests of all blobs."""
        for folder in self._entries(self._root / "blobs"):
            for blob in self._entries(folder):
                with suppress(InvalidDigest):
                    yield Digest(f"{folder.name}:{blob.name}")

    def size(self, digest: Digest) -> int:
        """Return a blob's size in bytes; see `BlobCollection`."""
        try:
            return self._blob(digest).stat().st_size
        except OSError as error:
            raise self._unreadable(error, digest) from error

    def path(self, digest: Digest) -> Path:
        """Return the file that a blob is, for the kernel to read; nobody may write to it.

        Raises:
            BlobNotFound: it is not here.
        """
        self.size(digest)
        return self._blob(digest)

    def delete(self, digest: Digest) -> None:
        """Drop a blob at once."""
        with disk_errors(self._root), suppress(*_ABSENT):
            self._blob(digest).unlink()

    def discard(self, digests: Iterable[Digest]) -> int:
        """Move blobs out of sight, quickly, and return how many bytes `empty_trash` will free."""
        trash, freed = self._root / "trash", 0
        with disk_errors(self._root):
            for digest in digests:
                with suppress(BlobNotFound, FileNotFoundError):
                    freed += self.size(digest)
                    make_folder(trash, self._mode)
                    self._blob(digest).replace(trash / digest.file_name)
        return freed

    def empty_trash(self) -> None:
        """Delete what was discarded, also by processes that died before they could."""
        with disk_errors(self._root):
            for path in self._entries(self._root / "trash"):
                if re.fullmatch(_TRASH_NAME, path.name):
                    path.unlink(missing_ok=True)

    def sweep_ingests(self, *, resumable: bool = False) -> int:
        """Remove the ingests of dead processes and return how many bytes that freed.

        Those that a later one of the same digest would continue stay, unless ``resumable``.
        """
        folder, freed = self._root / "ingest", 0
        with disk_errors(self._root):
            for path in self._entries(folder):
                is_resumable = resumable and re.fullmatch(_PART_NAME, path.name)
                if is_resumable or re.fullmatch(_TEMPORARY_NAME, path.name):
                    freed += remove_unlocked(path)
            with suppress(OSError):
                folder.rmdir()
        return freed

    def forget_ingests(self, digests: Iterable[Digest]) -> None:
        """Remove the interrupted ingests of some digests, unless somebody goes on with them."""
        folder = self._root / "ingest"
        with disk_errors(self._root):
            for digest in digests:
                remove_unlocked(folder / f"{digest.file_name}{_PART}")
            with suppress(OSError):
                folder.rmdir()

    def _blob(self, digest: Digest) -> Path:
        return self._root / "blobs" / digest.algorithm / digest.encoded

    def _refuse_existing(self, expected: Descriptor | None) -> None:
        if expected and self.exists(expected):
            raise AlreadyExists(f"blob {expected.digest} is in {self._root} already")

    def _part(
        self, expected: Descriptor | None, waiting: Callable[[], None], stack: ExitStack
    ) -> tuple[Path, int]:
        """Return the path of a part and its open file, locked until ``stack`` ends."""
        from nacre.content import layout

        random = os.urandom(8).hex()
        name = f"{expected.digest.file_name}{_PART}" if expected else f"tmp-{os.getpid()}-{random}"
        part = self._root / "ingest" / name
        while True:
            lock = locked_file(part, mode=_FILE_MODE, waiting=waiting)
            try:
                return part, stack.enter_context(lock)
            except FileNotFoundError:  # not made yet, or just swept by another process
                layout.create(self._root, self._mode)
                make_folder(part.parent, self._mode)

    def _publish(self, part: Path, descriptor: Descriptor) -> None:
        if self.exists(descriptor):
            part.unlink()
            return
        blob = self._blob(descriptor.digest)
        make_folder(blob.parent, self._mode)
        part.replace(blob)
        sync_folder(blob.parent)

    def _entries(self, folder: Path) -> Iterator[Path]:
        try:
            yield from sorted(folder.iterdir())
        except _ABSENT:
            return
        except OSError as error:
            raise disk_error(error, self._root) from error

    def _unreadable(self, error: OSError, digest: Digest) -> NacreError:
        if isinstance(error, _ABSENT):
            return BlobNotFound(digest, str(self._root))
        return disk_error(error, self._root)
