"""Choosing how progress is shown, and making that safe to use from several threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Literal, Protocol, TextIO

from nacre.cli.progress.words import Verb
from nacre.transports.events import Event, OnEvent, ignore

Kind = Literal["auto", "bars", "plain", "json", "quiet"]
"""How to show progress; ``auto`` is bars on a terminal and plain lines elsewhere."""


class Consumer(Protocol):
    """Something that shows events, one at a time."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the stream as a command may go on writing to it."""


@contextmanager
def progress_for(kind: Kind, stream: TextIO, verb: Verb) -> Iterator[OnEvent]:
    """Yield a callable that shows the events of a pull or push on a stream.

    The callable may be used from several threads. When the stream is gone (a closed pipe), it
    goes silent: the copy goes on. However the block is left, the terminal is left in order.
    """
    if kind == "quiet":
        yield ignore
        return
    consumer = _consumer(kind, stream, verb)
    try:
        yield _Serial(consumer)
    finally:
        with suppress(OSError):
            consumer.close()


class _Serial:
    """Shows events one at a time, until the stream fails."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._lock = Lock()
        self._gone = False

    def __call__(self, event: Event) -> None:
        with self._lock:
            if self._gone:
                return
            try:
                self._consumer.show(event)
            except OSError:
                self._gone = True


def _consumer(kind: Kind, stream: TextIO, verb: Verb) -> Consumer:
    if kind == "json":
        from nacre.cli.progress.jsonlines import JSONProgress

        return JSONProgress(stream, verb)
    if kind == "bars" or (kind == "auto" and stream.isatty()):
        from nacre.cli.progress.bars import BarProgress

        return BarProgress(stream, verb)
    from nacre.cli.progress.plain import PlainProgress

    return PlainProgress(stream, verb)
