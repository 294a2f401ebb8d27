"""Doing something as an ordinary user, in a process that is root's.

The kernel knows users by thread; only the C library makes all threads of a process change together.
So one thread changes for itself, and the tests need no program that another user may start.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

UID = 54321
"""A user and group that no machine has by name."""

# setgroups, setresgid, setresuid
_CALLS = {"x86_64": (116, 119, 117), "aarch64": (159, 149, 147)}


def as_user(action: Callable[[], T]) -> T:
    """Run an action as that user, without any privileges; return or raise what it does."""
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            _change_user()
            returned.append(action())
        except BaseException as error:  # noqa: BLE001 - raised again where it can be seen
            raised.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return returned[0]


def _change_user() -> None:
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    groups, group, user = _CALLS[platform.machine()]
    for call in ((groups, 0, 0), (group, UID, UID, UID), (user, UID, UID, UID)):
        if syscall(*call) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
