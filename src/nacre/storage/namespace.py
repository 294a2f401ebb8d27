"""Where an ordinary user may mount: a user namespace, with a mount namespace of its own.

Inside, the user is root, of all that the namespace maps: the user's own number alone, or also the
numbers that ``/etc/subuid`` and ``/etc/subgid`` give. What is mounted inside is seen inside only,
by the process that entered and those that it starts, and ends with the last of them. So when a
driver that mounts says "mounted", it means: in the namespace of the process that asked. A process
cannot enter later what another one has; whoever wants to see a tree has to run inside. ``nacre``
runs itself inside when a command needs it, and ``nacre unshare`` starts a shell there, in which
``nacre image mount`` shows trees for as long as the shell lives. It is the same with
``podman unshare``.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from nacre.errors import Denied, NacreError, Unsupported
from nacre.layers.ownership import (
    KEEP,
    RECORDED,
    IdMap,
    IdRange,
    Ownership,
    rootless_map,
    subordinate_ids,
)

_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_WHOLE = 1 << 31  # a map of fewer numbers is not that of the machine itself
_TOOLS = ("newuidmap", "newgidmap")


def is_initial() -> bool:
    """Say whether the process is in the machine's own user namespace, or one that maps it all."""
    return sum(count for _, _, count in _mapped()) >= _WHOLE


def is_inside() -> bool:
    """Say whether the process is root in a user namespace, where it may mount."""
    return os.geteuid() == 0 and not is_initial()


def usual_ownership() -> Ownership:
    """Return how owners in layers become owners on disk for the present process.

    Where only one number can be given to files, the others are recorded. Where several can, but
    not all, the maps say which.
    """
    users, groups = _mapped("uid_map"), _mapped("gid_map")
    if os.geteuid() != 0 or sum(count for _, _, count in users) <= 1:
        return RECORDED
    found = Ownership(_same_inside(users), _same_inside(groups))
    return KEEP if found == KEEP else found


def _same_inside(mapped: Sequence[tuple[int, int, int]]) -> IdMap:
    return IdMap(tuple(IdRange(inside, inside, count) for inside, _, count in mapped))


def run_inside(arguments: Sequence[str], *, ranges: bool = True) -> NoReturn:
    """Replace the present process by a program that runs in a namespace of its own.

    Args:
        arguments: the program, searched as a shell does, and what it is given.
        ranges: as for ``enter``.

    Raises:
        Denied, Unsupported: as ``enter``.
        OSError: there is no such program.
    """
    enter(ranges=ranges)
    os.execvp(arguments[0], list(arguments))  # noqa: S606 - the caller's own program


def answer_inside(question: Callable[[], str]) -> str:
    """Return what a function answers inside, or why one cannot get there; this process stays out.

    Args:
        question: run in a child of this process, so nothing else remains of it.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "what is inside a user namespace was not found out"
        try:
            enter()
            answer = question()
        except NacreError as problem:
            answer = str(problem)
        finally:
            os.write(writer, answer.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        text = answers.read().decode()
    os.waitpid(child, 0)
    return text


def enter(*, ranges: bool = True) -> None:
    """Put the present process, which must have one thread only, into a namespace of its own.

    Args:
        ranges: whether to map the numbers that the user has besides its own, if there are any and
            the tools for it are installed.

    Raises:
        Denied: this machine does not let users make namespaces.
        Unsupported: the kernel has none, or the process has several threads.
    """
    uid, gid = os.geteuid(), os.getegid()
    maps = _maps(uid, gid) if ranges else None
    if maps is None:
        _unshare()
        _write("setgroups", "deny")
        _write("uid_map", f"0 {uid} 1")
        _write("gid_map", f"0 {gid} 1")
    else:
        _enter_mapped(maps)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _enter_mapped(maps: Sequence[IdMap]) -> None:
    """Enter, and have a child that stayed outside write the maps: inside we could not."""
    ready_read, ready = os.pipe()
    own = str(os.getpid())
    child = os.fork()
    if child == 0:
        os.close(ready)
        entered = os.read(ready_read, 1) == b"1"
        os._exit(0 if entered and all(map(_has_mapped, _TOOLS, [own] * 2, maps)) else 1)
    os.close(ready_read)
    try:
        _unshare()
        os.write(ready, b"1")
    finally:
        os.close(ready)
        _, status = os.waitpid(child, 0)
    if status:
        raise Denied(
            "the numbers of /etc/subuid and /etc/subgid cannot be mapped",
            remedy="check that newuidmap and newgidmap work, and what those files say",
        )


def _has_mapped(tool: str, process: str, numbers: IdMap) -> bool:
    import subprocess  # noqa: PLC0415 - root never comes here, and is to start quickly

    ranges = [str(number) for one in numbers.ranges for number in one]
    done = subprocess.run([tool, process, *ranges], capture_output=True, check=False)
    return done.returncode == 0


def _maps(uid: int, gid: int) -> tuple[IdMap, IdMap] | None:
    """Return the maps of users and groups; None if the user has no numbers besides its own."""
    import shutil  # noqa: PLC0415 - as above

    if not all(map(shutil.which, _TOOLS)):
        return None
    names = {str(uid), *_names_of(uid)}
    users = subordinate_ids(_text("/etc/subuid"), names)
    groups = subordinate_ids(_text("/etc/subgid"), names)
    if not users or not groups:
        return None
    return rootless_map(uid, users), rootless_map(gid, groups)


def _names_of(uid: int) -> list[str]:
    fields = (line.split(":") for line in _text("/etc/passwd").splitlines())
    return [parts[0] for parts in fields if len(parts) > 2 and parts[2] == str(uid)]


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _mapped(name: str = "uid_map") -> list[tuple[int, int, int]]:
    lines = Path("/proc/self", name).read_text("ascii").splitlines()
    return [
        (int(inside), int(outside), int(count)) for inside, outside, count in map(str.split, lines)
    ]


def _write(name: str, text: str) -> None:
    Path("/proc/self", name).write_text(text, "ascii")


def _unshare() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_MOUNTS) == 0:
        return
    problem = OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if isinstance(problem, PermissionError) or problem.errno == errno.ENOSPC:
        raise Denied(
            "this machine does not let users make namespaces",
            remedy="ask its owner to set user.max_user_namespaces, or use --storage-driver copying",
        ) from problem
    raise Unsupported(f"no user namespace can be made: {problem.strerror}") from problem
