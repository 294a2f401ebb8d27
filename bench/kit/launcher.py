"""Runs commands one after another and says what each cost; a process of its own, see `stopwatch`.

One JSON object a line: ``{"argv", "env", "log", "seconds"}`` in, the cost out. It imports next to
nothing because a child inherits the peak memory of the process that started it: what this process
needs (about 10 MB) is the least that can be measured.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from types import FrameType
from typing import Any


def run(argv: list[str], env: dict[str, str], log: str, seconds: float) -> dict[str, Any]:
    """Run a command with its output going to ``log``; kill it after so many seconds."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    begin = time.perf_counter()
    child = os.posix_spawn(argv[0], argv, env, file_actions=actions, setsigdef=[signal.SIGINT])

    def kill(_signal: int, _frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - begin
    signal.setitimer(signal.ITIMER_REAL, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "wall": wall,
        "user": usage.ru_utime,
        "system": usage.ru_stime,
        "peak": usage.ru_maxrss * 1024,
    }


if __name__ == "__main__":
    # Ctrl-C is for what is measured, and for who measures, who then needs to know what it was.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)
