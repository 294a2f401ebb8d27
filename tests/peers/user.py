"""An ordinary user of this machine, made for a test, and what it does in a process of its own.

The process is a fork of the test's, so nothing has to be installed where the user can read it.
"""

from __future__ import annotations

import codecs
import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nacre.errors import NacreError
from nacre.storage.mounting import mounts, unmount
from tests.peers.exposed import confine, expose

FUSE = Path("/dev/fuse")
_GATE, _USERS = Path("/run/nacre-tests.gate"), Path("/run/nacre-tests.users")
_SET_DUMPABLE = 4  # of prctl(2)


@dataclass(frozen=True)
class User:
    """An ordinary user."""

    name: str
    uid: int
    gid: int


@contextmanager
def ordinary_user(*, ranges: bool = True) -> Iterator[User]:
    """Make a user, with ranges of subordinate numbers or without, and remove it in the end."""
    name = f"nacre-{secrets.token_hex(4)}"
    without = [] if ranges else ["--key", "SUB_UID_COUNT=0", "--key", "SUB_GID_COUNT=0"]
    subprocess.run(["useradd", "--no-create-home", "--user-group", *without, name], check=True)
    try:
        answer = subprocess.run(["id", "-u", name], capture_output=True, text=True, check=True)
        group = subprocess.run(["id", "-g", name], capture_output=True, text=True, check=True)
        yield User(name, int(answer.stdout), int(group.stdout))
    finally:
        subprocess.run(["userdel", name], check=True, stderr=subprocess.DEVNULL)


@contextmanager
def folder_for(user: User) -> Iterator[Path]:
    """Make a folder of the user's; what is in it, and mounted there, goes in the end."""
    folder = Path(tempfile.mkdtemp(prefix="nacre-user-"))
    try:
        os.chown(folder, user.uid, user.gid)
        yield folder
    finally:
        left = [mount.point for mount in mounts() if mount.point.is_relative_to(folder)]
        for point in reversed(left):
            with suppress(NacreError):
                unmount(point, lazy=True)
        shutil.rmtree(folder)


@contextmanager
def everyone_may_use_fuse() -> Iterator[None]:
    """Let all users use the device of FUSE, as is usual; other tests may do so meanwhile."""
    with _GATE.open("a") as gate, _USERS.open("a+") as users:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if _locked(users, fcntl.LOCK_EX):  # we are the first
            users.truncate(0)
            users.write(str(stat.S_IMODE(FUSE.stat().st_mode)))
            users.flush()
            FUSE.chmod(0o666)
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(gate, fcntl.LOCK_EX)
            if _locked(users, fcntl.LOCK_EX):  # we are the last
                users.seek(0)
                FUSE.chmod(int(users.read()))


def _locked(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start_as(user: User, action: Callable[[], None], *, exposed: bool = False) -> tuple[int, int]:
    """Start an action in a process of the user's; return its ID and where its report is read.

    What it imports late, and programs of ours that it starts, may lie where the user cannot read
    them, unless it is ``exposed``; then it is in a mount namespace of its own.
    """
    reader, writer = os.pipe()
    for encoding in ("ascii", "utf-8", "latin-1"):
        codecs.lookup(encoding)  # loaded now: later it may lie where the user cannot read it
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(240)
        report = ""
        try:
            if exposed:
                expose()
            _become(user)
            action()
        except BaseException:  # noqa: BLE001 - told to the parent
            report = traceback.format_exc() or "failed"
        with suppress(OSError):
            os.write(writer, report.encode(errors="backslashreplace")[-60_000:])
        os._exit(1 if report else 0)
    os.close(writer)
    return child, reader


def do_confined(folder: Path, action: Callable[[], None]) -> None:
    """Do an action in a process of root's that can write to one folder only.

    Raises:
        AssertionError: it failed.
    """

    def confined() -> None:
        confine(folder)
        action()

    do_as(User("root", 0, 0), confined)


def do_as(user: User, action: Callable[[], None], *, exposed: bool = False) -> None:
    """Do an action in a process of the user's; see ``start_as``.

    Raises:
        AssertionError: it failed.
    """
    child, reader = start_as(user, action, exposed=exposed)
    with os.fdopen(reader, "rb") as answer:
        report = answer.read().decode()
    _, status = os.waitpid(child, 0)
    assert not status, report or f"it ended with {status}"


def _become(user: User) -> None:
    os.setgroups([])
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    # As after the start of a program: else even /proc/self would be root's.
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 1, 0, 0, 0)
    os.umask(0o022)
