"""Writable tops as folders: what was written over a chain of layers, kept until it is removed.

A scratch appears, and goes, by one rename. ::

    <folder>/<name>/chain         the driver that made it, and the layers below, a line each
    <folder>/<name>/upper         what was written
    <folder>/<name>/work          overlayfs's own
    <folder>/<name>/tree          where the whole is mounted while in use
    <folder>/.<name>.lock         locked by the process that has it
    <folder>/.<name>.new          one being made, or that was when a process died
    <folder>/.<name>.old          one being removed
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from nacre.content.diskerrors import disk_errors
from nacre.content.durable import make_folder, replace_file, sync_folder
from nacre.content.locking import locked_file
from nacre.errors import AlreadyExists, Conflict, Invalid, NotFound
from nacre.layers.removal import remove
from nacre.oci.digest import Digest, InvalidDigest
from nacre.storage.chain import Chain
from nacre.storage.mounting import unmount
from nacre.value import Value

_PRIVATE = 0o700
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_OWN = re.compile(r"\.(.+)\.(lock|new|old)")
_CHAIN = "chain"
_PATIENCE = 6  # how often to ask for a lock that might be held for a moment only: 60 ms


class Scratch(Value):
    """A writable top; its parts are folders."""

    name: str
    driver: str
    """The storage driver that made it: others may not understand what lies in it."""
    chain: Chain
    folder: Path

    @property
    def upper(self) -> Path:
        """What was written."""
        return self.folder / "upper"

    @property
    def work(self) -> Path:
        """Where overlayfs prepares what it writes."""
        return self.folder / "work"

    @property
    def tree(self) -> Path:
        """Where the whole is mounted."""
        return self.folder / "tree"


Filler = Callable[[Scratch], None]


def end_mount(scratch: Scratch) -> None:
    """Unmount what a dead process left mounted.

    Raises:
        Conflict: something still uses it.
    """
    with suppress(FileNotFoundError, NotFound):
        if scratch.tree.stat().st_dev != scratch.folder.stat().st_dev:
            unmount(scratch.tree)


def scratches_in(folder: Path) -> Iterator[Scratch]:
    """Go through the scratches of all drivers in a folder, by name; damaged ones are left out."""
    for name in filter(_NAME.fullmatch, _names_in(folder)):
        with suppress(Invalid):
            if (scratch := _read(folder, name)) is not None:
                yield scratch


class Scratches:
    """The writable tops of one driver, safe for many processes at once.

    Args:
        folder: where those of all drivers lie; made when first used.
        driver: which driver's they are.
        end: ends what a dead process left of one, before it is used again or removed.
    """

    def __init__(self, folder: Path, driver: str, *, end: Filler = end_mount) -> None:
        self._folder = folder
        self._driver = driver
        self._end = end

    def make(self, name: str, chain: Chain, fill: Filler) -> None:
        """Make a scratch.

        Args:
            name: letters, digits, ``_``, ``.`` and ``-``, the first a letter or digit.
            chain: what it lies over.
            fill: puts in it what it begins with; its folders are there and empty.

        Raises:
            AlreadyExists: there is one of that name.
            Invalid: it is no name.
            Denied, Unavailable: the disk cannot be written to.
        """
        with self._locked(name):
            if self._place(name).exists():
                raise AlreadyExists(f"scratch {name} exists already")
            new = Scratch(name, self._driver, chain, self._folder / f".{name}.new")
            with disk_errors(self._folder):
                self._discard(new.folder.name)
                try:
                    self._build(new, fill)
                    new.folder.rename(self._place(name))
                except BaseException:
                    self._discard(new.folder.name)
                    raise
                sync_folder(self._folder)

    @contextmanager
    def taken(self, name: str) -> Iterator[Scratch]:
        """Have a scratch to oneself.

        Raises:
            NotFound: there is none of that name.
            Conflict: another process has it, or another driver made it.
        """
        with self._locked(name):
            scratch = _read(self._folder, name)
            if scratch is None:
                raise NotFound(f"there is no scratch {name}")
            if scratch.driver != self._driver:
                raise Conflict(
                    f"scratch {name} was made by the storage driver {scratch.driver}",
                    remedy=f"use --storage-driver {scratch.driver}",
                )
            self._end(scratch)
            yield scratch

    def remove(self, name: str) -> None:
        """Remove a scratch; one that is not there is no error.

        Raises:
            Conflict: another process has it, or another driver made it.
        """
        with suppress(NotFound), self.taken(name) as scratch, disk_errors(self._folder):
            old = f".{name}.old"
            self._discard(old)
            scratch.folder.rename(self._folder / old)
            sync_folder(self._folder)
            self._discard(old)

    def __iter__(self) -> Iterator[Scratch]:
        """Go through those of this driver, by name."""
        for name in _names_in(self._folder):
            scratch = _read(self._folder, name) if _NAME.fullmatch(name) else None
            if scratch and scratch.driver == self._driver:
                yield scratch

    def recover(self) -> None:
        """Clear away what dead processes left: half of a scratch, and mounts."""
        for name in _names_in(self._folder):
            if match := _OWN.fullmatch(name):
                with suppress(Conflict), self._locked(match[1]):
                    if match[2] != "lock":
                        self._discard(name)
            elif _NAME.fullmatch(name):
                # A damaged record is for those to hear who want that scratch.
                with suppress(Conflict, NotFound, Invalid), self.taken(name):
                    pass

    def _build(self, new: Scratch, fill: Filler) -> None:
        for folder in (new.folder, new.upper, new.work, new.tree):
            folder.mkdir(mode=_PRIVATE)
        fill(new)
        lines = (new.driver, *new.chain.layers)
        replace_file(new.folder / _CHAIN, "".join(f"{line}\n" for line in lines).encode())

    def _place(self, name: str) -> Path:
        return self._folder / name

    def _discard(self, name: str) -> None:
        folder = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with suppress(FileNotFoundError):
                remove(folder, os.fsencode(name))
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        if not _NAME.fullmatch(name):
            raise Invalid(
                f"{name!r} is no name for a scratch",
                remedy="use letters, digits, '_', '.' and '-', a letter or digit first",
            )
        tries = iter(range(_PATIENCE))

        def busy() -> None:
            if next(tries, None) is None:
                raise Conflict(f"scratch {name} is in use by another process")

        lock = self._folder / f".{name}.lock"
        with ExitStack() as stack:
            with disk_errors(self._folder):
                make_folder(self._folder, _PRIVATE)
                stack.enter_context(locked_file(lock, waiting=busy))
            # While it is held, so that whoever waits for it notices.
            stack.callback(lock.unlink, missing_ok=True)
            yield


def _read(folder: Path, name: str) -> Scratch | None:
    place = folder / name
    try:
        driver, *layers = (place / _CHAIN).read_text(encoding="ascii").split()
        return Scratch(name, driver, Chain.of(map(Digest, layers)), place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, InvalidDigest) as problem:
        raise Invalid(
            f"the record {place / _CHAIN} is damaged", remedy=f"remove the folder {place}"
        ) from problem


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
