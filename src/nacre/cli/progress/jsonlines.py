"""Progress as Docker's API streams it: one JSON object per line."""

from __future__ import annotations

from typing import TextIO

from nacre.cli.progress.words import Verb, layer_of, remark, short_id, status
from nacre.cli.render.json import compact
from nacre.cli.render.units import human_size
from nacre.transports.events import Event, Progress, Tagged

BAR_WIDTH = 50


class JSONProgress:
    """Writes every event as an object with ``status``, ``id`` and ``progressDetail``."""

    def __init__(self, stream: TextIO, verb: Verb) -> None:
        self._stream = stream
        self._verb = verb

    def show(self, event: Event) -> None:
        """Write the line of an event."""
        message = self._message(event)
        if message:
            self._stream.write(f"{compact(message)}\n")
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: every line is complete."""

    def _message(self, event: Event) -> dict[str, object]:
        layer = layer_of(event)
        if layer is not None:
            message = {"status": status(event, self._verb), "id": short_id(layer)}
            return message | _detail(event)
        if isinstance(event, Tagged):
            digest, size = str(event.descriptor.digest), event.descriptor.size
            return {"aux": {"Tag": event.name, "Digest": digest, "Size": size}}
        text = remark(event)
        return {"status": text} if text else {}


def bar(current: int, total: int) -> str:
    """Return Docker's bar of 50 characters and the two sizes: ``[==>   ]  1.049MB/27MB``.

    Without a known total only the current size is returned, at the very start nothing.
    """
    if total <= 0:
        return f"{human_size(current):>8}" if current > 0 else ""
    filled = min(current * 100 // total // 2, BAR_WIDTH)
    blank = " " * (BAR_WIDTH - filled)
    sizes = f"{human_size(current):>8}"
    if current <= total:
        sizes += f"/{human_size(total)}"
    return f"[{'=' * filled}>{blank}] {sizes}"


def _detail(event: Event) -> dict[str, object]:
    if not isinstance(event, Progress):
        return {"progressDetail": {}}
    current, total = event.current, event.descriptor.size
    detail = {"current": current, "total": total}
    return {"progressDetail": detail, "progress": bar(current, total)}
