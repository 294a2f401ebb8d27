"""The journal in a folder: one file of JSON lines that is only ever appended to.

A line holds the entries that were written together, so that a crash leaves all of them or none:
what lies behind the last end of a line was never said to be durable. A journal that begins anew is
written under another name first; the file with the highest number is the one that counts. Its name
also tells how long it was when it began: ``<number>.<bytes>.jsonl``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from nacre.content.durable import make_folder, sync_folder
from nacre.content.locking import locked_file
from nacre.hub.errors import Busy
from nacre.hub.jobs.journal import Entry, Extent, Told
from nacre.hub.storage.disk import told_plainly

_NAME = re.compile(r"([0-9]{8,})\.([0-9]+)\.jsonl")
_NEW = "new.jsonl"
_TOGETHER = 100  # entries in a line of a journal that begins anew
_ENOUGH = 1 << 20  # characters of manifests after which a line of it takes no more entries
_PIECE = 1 << 20


class FolderJournal:
    """Meets `nacre.hub.jobs.journal.Journal`.

    Args:
        root: the folder, which is made when first written to, for nobody else.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def append(self, entries: Sequence[Entry]) -> None:
        """See `Journal.append`."""
        with self._alone():
            found = self._found()
            if found is None:
                self._begin(entries)
                return
            with _told(self._root), found[-1][1].open("r+b") as file:
                _cut_off_half_a_line(file)
                file.write(_line(entries))
                _sync(file)

    def begin_anew(self, entries: Iterable[Entry]) -> None:
        """See `Journal.begin_anew`."""
        with self._alone():
            self._begin(entries)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only process that writes to the journal.

        Raises:
            Busy: another one does.
        """
        with _told(self._root):
            make_folder(self._root, 0o700)
            with locked_file(self._root / "lock", waiting=_give_up):
                yield

    def _begin(self, entries: Iterable[Entry]) -> None:
        found = self._found() or []
        new = self._root / _NEW
        with _told(self._root):
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for together in _batches(entries):
                    file.write(_line(together))
                _sync(file)
                size = file.tell()
            number = found[-1][0] + 1 if found else 1
            new.rename(self._root / f"{number:08}.{size}.jsonl")
            sync_folder(self._root)
            for _, old in found:
                old.unlink(missing_ok=True)

    def extent(self) -> Extent | None:
        """See `Journal.extent`."""
        found = self._found()
        if found is None:
            return None
        path = found[-1][1]
        with _told(self._root):
            return Extent(path.stat().st_size, int(path.name.split(".")[1]))

    def __iter__(self) -> Iterator[Entry]:
        """See `Journal.__iter__`."""
        found = self._found()
        if found is None:
            return
        with _told(self._root), found[-1][1].open("rb") as file:
            for number, line in zip(count(1), file, strict=False):
                if line.endswith(b"\n"):
                    yield from _entries(line, f"{found[-1][1].name}, line {number}")

    def _found(self) -> list[tuple[int, Path]] | None:
        """Return the files by number; None when there is none."""
        with _told(self._root):
            try:
                names = [path.name for path in self._root.iterdir()]
            except FileNotFoundError:
                return None
        matches = (match for name in names if (match := _NAME.fullmatch(name)))
        return sorted((int(match[1]), self._root / match[0]) for match in matches) or None


def _give_up() -> None:
    raise Busy("another process writes the journal")


def _batches(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    together: list[Entry] = []
    size = 0
    for entry in entries:
        together.append(entry)
        size += len(entry.facts.get("raw", ""))
        if len(together) == _TOGETHER or size > _ENOUGH:
            yield together
            together, size = [], 0
    if together:
        yield together


def _line(entries: Iterable[Entry]) -> bytes:
    rows = [[entry.number, entry.kind, entry.facts] for entry in entries]
    return json.dumps(rows, separators=(",", ":")).encode() + b"\n"


def _entries(line: bytes, where: str) -> list[Entry]:
    try:
        return [Entry(int(number), Told(kind), dict(facts)) for number, kind, facts in _rows(line)]
    except (ValueError, TypeError):
        return [Entry(0, Told.UNREADABLE, {"where": where})]


def _rows(line: bytes) -> list[tuple[int, str, dict[str, Any]]]:
    rows = json.loads(line)
    if not isinstance(rows, list):
        raise TypeError("not a list")
    return rows


def _cut_off_half_a_line(file: BinaryIO) -> None:
    """Go to the end of a file, which becomes the end of its last whole line."""
    end = file.seek(0, os.SEEK_END)
    position = end
    while position:
        start = max(0, position - _PIECE)
        file.seek(start)
        found = file.read(position - start).rfind(b"\n")
        if found >= 0:
            position = start + found + 1
            break
        position = start
    if position < end:
        file.truncate(position)
    file.seek(position)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _told(folder: Path) -> AbstractContextManager[None]:
    return told_plainly(folder, otherwise=Busy)
