"""Keeps swapping a directory and a link, as fast as it can, until its standard input ends.

Run as a script: ``swapper.py DIRECTORY TARGET``. It writes how often it did.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

AT_FDCWD, RENAME_EXCHANGE = -100, 2
_rename = ctypes.CDLL(None, use_errno=True).renameat2


def _wait_for_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def main(directory: str, target: str) -> None:
    """Swap ``directory`` and a link to ``target`` beside it."""
    link = f"{directory}.link"
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,)).start()
    swaps = junk = 0
    while not ended.is_set():
        if not os.path.islink(link) and not os.path.islink(directory):
            # Whoever is attacked took the link away; what is there now is in the way.
            with suppress(OSError):
                os.rename(link, f"{link}.{junk}")
                junk += 1
            with suppress(OSError):
                os.symlink(target, link)
        arguments = (AT_FDCWD, os.fsencode(directory), AT_FDCWD, os.fsencode(link))
        swaps += _rename(*arguments, RENAME_EXCHANGE) == 0
    sys.stdout.write(str(swaps))


if __name__ == "__main__":
    main(*sys.argv[1:])
