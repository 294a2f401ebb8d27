"""Progress as lines, one for each change of a layer's state: for logs, pipes and CI."""

from __future__ import annotations

from typing import TextIO

from nacre.cli.progress.words import Verb, layer_of, remark, short_id, status
from nacre.transports.events import Event, Existed, Queued


class PlainProgress:
    """Writes ``id: State`` whenever a layer's state changes."""

    def __init__(self, stream: TextIO, verb: Verb) -> None:
        self._stream = stream
        self._verb = verb
        self._states: dict[str, str] = {}
        self._announced: dict[str, str] = {}

    def show(self, event: Event) -> None:
        """Write the line of an event that changes something."""
        layer = layer_of(event)
        if layer is None:
            self._write(remark(event))
            return
        state = status(event, self._verb)
        if isinstance(event, Queued) and self._verb == "pull":
            # It may be here already: then that is all there is to tell.
            self._announced[layer.digest] = state
            return
        announced = self._announced.pop(layer.digest, "")
        if announced and not isinstance(event, Existed):
            self._write(f"{short_id(layer)}: {announced}")
        if self._states.get(layer.digest) != state:
            self._states[layer.digest] = state
            self._write(f"{short_id(layer)}: {state}")

    def close(self) -> None:
        """Do nothing: every line is complete."""

    def _write(self, line: str) -> None:
        if line:
            self._stream.write(f"{line}\n")
            self._stream.flush()
