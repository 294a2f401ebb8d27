"""Names of files for people: on a terminal quoted as ls does, elsewhere as they are.

What a shell would not take for the name itself is put in quotes, so that it can be pasted into
one, and nothing that a terminal would obey is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_PLAIN = re.compile(r"[\w@%+=:,./\-]+")
_ESCAPES = {
    "'": "\\'",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
}


def namer(out: TextIO) -> Callable[[str], str]:
    """Return how names are shown on a stream."""
    return shell_quoted if out.isatty() else str


def is_plain(name: str) -> bool:
    """Say whether a shell takes a name for itself without any quotes."""
    return _PLAIN.fullmatch(name) is not None and name.isprintable()


def shell_quoted(name: str) -> str:
    r"""Return a name as a shell reads it.

    >>> shell_quoted("notes.txt"), shell_quoted("my notes"), shell_quoted("it's")
    ('notes.txt', "'my notes'", '"it\'s"')
    >>> print(shell_quoted("two\nlines"))
    'two'$'\n''lines'
    """
    if is_plain(name):
        return name
    if name.isprintable():
        if "'" not in name:
            return f"'{name}'"
        if not set('"$`\\!') & set(name):
            return f'"{name}"'
    return "".join(
        "$'" + "".join(map(_escaped, run)) + "'" if is_odd else f"'{run}'"
        for is_odd, run in _runs(name)
    )


def _runs(name: str) -> Iterator[tuple[bool, str]]:
    """Go through the stretches of a name that need no escapes, and those that do."""
    for is_odd, run in groupby(name, lambda one: one == "'" or not one.isprintable()):
        yield is_odd, "".join(run)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # Bytes that are no UTF-8 are surrogates here.
    data = character.encode("utf-8", "surrogateescape")
    return "".join(f"\\{byte:03o}" for byte in data)
