"""Progress as live bars with transfer rates: for people at a terminal."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress

from nacre.cli.progress.words import Verb, layer_of, remark, short_id, status
from nacre.transports.events import Event, Progress, Queued


class BarProgress:
    """Keeps one bar per layer on the screen until closed, with remarks scrolling above.

    The screen is taken at the first layer: until then lines may be written to it.
    """

    def __init__(self, stream: TextIO, verb: Verb) -> None:
        self._verb = verb
        self._tasks: dict[str, TaskID] = {}
        self._screen = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(file=stream),
        )

    def show(self, event: Event) -> None:
        """Move the bar of the event's layer, or print what there is to say."""
        layer = layer_of(event)
        if layer is None:
            text = remark(event)
            if text:
                self._screen.console.print(text, markup=False, highlight=False)
            return
        description = f"{short_id(layer)}: {status(event, self._verb)}"
        task = self._tasks.get(layer.digest)
        if task is None:
            self._screen.start()
            task = self._screen.add_task(description, total=layer.size)
            self._tasks[layer.digest] = task
        match event:
            case Queued():
                current = 0
            case Progress(_, current):
                pass
            case _:
                current = layer.size
        self._screen.update(task, description=description, completed=current)

    def close(self) -> None:
        """Draw the last state and give the cursor back."""
        if self._tasks:
            self._screen.stop()
