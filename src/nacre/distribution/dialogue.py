"""A short dialogue with a program: what it is told, what it says, both bounded."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Sequence

from nacre.value import Value

_BLOCK = 64 * 1024


class TooTalkative(Exception):
    """The program said more than anyone wants to hear."""


class Said(Value):
    """How a program ended, and what it wrote on its standard output and error."""

    status: int
    output: bytes
    complaint: bytes


def ask(command: Sequence[str], question: bytes, *, limit: int, timeout: float) -> Said:
    """Run a program, write ``question`` to it and return its answer.

    It has ``timeout`` seconds and may write ``limit`` bytes in all; else it is killed.

    Raises:
        OSError: it cannot be run.
        TimeoutError: it, or a child that it left behind, did not finish in time.
        TooTalkative: it wrote too much.
    """
    pipe = subprocess.PIPE
    deadline = time.monotonic() + timeout
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            output, complaint = _talk(process, question, limit, deadline)
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            process.kill()
    return Said(status, output, complaint)


def _talk(
    process: subprocess.Popen[bytes], question: bytes, limit: int, deadline: float
) -> tuple[bytes, bytes]:
    if not (process.stdin and process.stdout and process.stderr):
        raise AssertionError("all three are pipes")
    words, voice, murmur = (
        stream.fileno() for stream in (process.stdin, process.stdout, process.stderr)
    )
    heard = {voice: bytearray(), murmur: bytearray()}
    left = memoryview(question)
    os.set_blocking(words, False)
    with selectors.DefaultSelector() as waiting:
        waiting.register(words, selectors.EVENT_WRITE)
        waiting.register(voice, selectors.EVENT_READ)
        waiting.register(murmur, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if key.fd != words:
                    piece = os.read(key.fd, _BLOCK)
                    heard[key.fd] += piece
                    if not piece:
                        waiting.unregister(key.fd)
                elif not (left := _tell(words, left)):
                    waiting.unregister(words)
                    process.stdin.close()
            if sum(map(len, heard.values())) > limit:
                raise TooTalkative
    return bytes(heard[voice]), bytes(heard[murmur])


def _tell(words: int, text: memoryview) -> memoryview:
    """Write what can be written, and return the rest; nobody has to listen to the end."""
    try:
        return text[os.write(words, text) :]
    except BlockingIOError:
        return text
    except BrokenPipeError:
        return text[:0]
