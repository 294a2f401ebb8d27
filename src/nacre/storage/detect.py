"""Which storage drivers work here, and which one to take: the quickest of them.

Nothing is guessed from versions: each driver is tried, on a tree of one file in the store. What
was found is remembered until the next boot.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from nacre.content.durable import make_folder
from nacre.errors import Unsupported
from nacre.storage.namespace import answer_inside
from nacre.value import Value

Probe = Callable[[Path], str | None]
"""Returns why a driver does not work in a folder that exists, None if it does."""

_PRIVATE = 0o700
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class NoDriver(Unsupported):
    """The storage driver that is asked for, or every one, does not work here."""


class Survey(Value):
    """What was found of each driver, the quickest first."""

    problems: Mapping[str, str]
    """Why each does not work; empty for one that does."""

    @property
    def working(self) -> tuple[str, ...]:
        """Those that work."""
        return tuple(name for name, problem in self.problems.items() if not problem)


def survey(folder: Path, probes: Mapping[str, Probe]) -> Survey:
    """Try every driver.

    Args:
        folder: where the store keeps what drivers make; it exists.
        probes: how each is tried, the quickest first.
    """
    return Survey({name: probe(folder) or "" for name, probe in probes.items()})


def choose(
    folder: Path, probes: Mapping[str, Probe], *, forced: str = "", memory: Path | None = None
) -> str:
    """Return the name of the driver to take.

    Args:
        folder: where the store keeps what drivers make; it exists.
        probes: how each is tried, the quickest first.
        forced: the one that has to be taken; untried where the folder cannot be written to.
        memory: the file in which the choice is remembered; beside it, which forced ones work.

    Raises:
        NoDriver: the forced one does not work here, or none does.
    """
    # A file for each that is forced: that it works does not say that it is the quickest.
    own = memory.with_name(f"{memory.name}-{forced}") if memory and forced else memory
    for file in filter(None, (memory, own)):
        remembered = recall(folder, file)
        if remembered in probes and forced in ("", remembered):
            return remembered
    if forced and not os.access(folder, os.W_OK):
        # To try is to write; what is there already may well be mounted without.
        return forced
    name = _forced(folder, probes, forced) if forced else _first(folder, probes)
    if own:
        remember(name, folder, own)
    return name


def _forced(folder: Path, probes: Mapping[str, Probe], name: str) -> str:
    problem = probes[name](folder)
    if problem:
        raise NoDriver(
            f"the storage driver {name} does not work here: {problem}",
            remedy="leave it to nacre to choose one",
        )
    return name


def _first(folder: Path, probes: Mapping[str, Probe]) -> str:
    problem = None
    for name, probe in probes.items():
        problem = probe(folder)
        if problem is None:
            return name
    raise NoDriver(f"no storage driver works here: {problem}")


def remember(name: str, folder: Path, memory: Path) -> None:
    """Write a choice down; where that cannot be, the next one is made anew."""
    new = memory.with_name(f".{memory.name}.{os.getpid()}")
    with suppress(OSError):
        make_folder(memory.parent, _PRIVATE)
        new.write_text(f"{_circumstances(folder)}\n{name}\n", "utf-8")
        new.replace(memory)


def recall(folder: Path, memory: Path) -> str:
    """Return the choice that was written down, empty if anything is different since."""
    try:
        circumstances, name = memory.read_text("utf-8").splitlines()
        return name if circumstances == _circumstances(folder) else ""
    except (OSError, ValueError):
        return ""


def inside(probe: Probe) -> Probe:
    """Return a probe that an ordinary user can try: in a user namespace, in another process."""

    def ask(folder: Path) -> str | None:
        if os.geteuid() == 0:
            return probe(folder)
        return answer_inside(lambda: probe(folder) or "") or None

    return ask


def _circumstances(folder: Path) -> str:
    """Return what decides which drivers work: this boot, this user, this file system."""
    place, namespace = folder.stat(), Path("/proc/self/ns/user").stat()
    boot = _BOOT.read_text("ascii").strip()
    return f"{boot} {os.geteuid()} {namespace.st_ino} {place.st_dev}:{place.st_ino}"
