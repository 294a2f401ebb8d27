"""Which mount namespaces there are: records of one that is gone are of no use to anybody."""

from __future__ import annotations

import os
from pathlib import Path

_PROCESSES = Path("/proc")
_OWN = _PROCESSES / "self/ns/mnt"
_ENDED = ("Z", "X")  # zombie, dead
_FIRST_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO of Linux


def own() -> int:
    """Return the number of the mount namespace of this process."""
    return _OWN.stat().st_ino


def living() -> frozenset[int] | None:
    """Return the numbers of all that processes of this user are in; None if that is not seen.

    A number is used again after its namespace has gone.
    """
    found = residents()
    return None if found is None else frozenset(found)


def residents() -> dict[int, list[int]] | None:
    """Return the processes of this user by the number of their namespace; None if not seen.

    It is seen from outside of all containers and user namespaces only.
    """
    if (_PROCESSES / "self/ns/pid").stat().st_ino != _FIRST_PID_NAMESPACE:
        return None
    found: dict[int, list[int]] = {}
    for process in _PROCESSES.iterdir():
        if process.name.isdigit():
            try:
                number = (process / "ns/mnt").stat().st_ino
            except PermissionError:
                if _is_own_and_lives(process):
                    return None
            except (FileNotFoundError, ProcessLookupError):
                continue
            else:
                found.setdefault(number, []).append(int(process.name))
    return found


def _is_own_and_lives(process: Path) -> bool:
    # Not who owns its folder: that is root where a process hides its memory. One that has ended,
    # but that nobody asked about yet, is in no namespace any more; one that was set-user-ID, as
    # fusermount3 is, hides even that.
    try:
        fields = (process / "status").read_text("utf-8", errors="replace").split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    if fields[fields.index("State:") + 1] in _ENDED:
        return False
    return str(os.getuid()) in fields[fields.index("Uid:") :][1:5]
