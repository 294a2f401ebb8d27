"""Network namespaces: a second and a third machine on this one, as far as TCP can tell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.kit.stopwatch import program, succeed


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where a program runs, as far as the network goes; ``name`` "" is this machine itself."""

    name: str
    address: str

    def enter(self, *argv: str) -> tuple[str, ...]:
        """Return the command line that runs ``argv`` in here; no process is put in between."""
        if not self.name:
            return argv
        return (program("ip"), "netns", "exec", self.name, *argv)

    def run(self, *argv: str) -> str:
        """Run a command in here and return what it printed."""
        return succeed(*self.enter(*argv))


HERE = Namespace("", "127.0.0.1")


@contextmanager
def namespace(label: str, address: str) -> Iterator[Namespace]:
    """Make a namespace of its own, which will have ``address``; it is removed at the end."""
    made = Namespace(f"nacre-bench-{label}-{os.getpid()}", address)
    succeed("ip", "netns", "add", made.name)
    try:
        made.run("ip", "link", "set", "lo", "up")
        yield made
    finally:
        succeed("ip", "netns", "del", made.name)
