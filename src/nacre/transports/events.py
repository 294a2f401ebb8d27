"""What happens while images are copied, as values: progress bars, logs and tests all read these."""

from __future__ import annotations

from collections.abc import Callable

from nacre.oci.descriptor import Descriptor
from nacre.value import Value


class Queued(Value):
    """Content was found to be part of the image and waits its turn."""

    descriptor: Descriptor


class Progress(Value):
    """Content moves: ``current`` of ``descriptor.size`` bytes are there."""

    descriptor: Descriptor
    current: int


class Stored(Value):
    """Content has arrived, checked; ``moved`` bytes of it travelled this time."""

    descriptor: Descriptor
    moved: int


class Existed(Value):
    """Content was at the target already: nothing moved."""

    descriptor: Descriptor


class Mounted(Value):
    """The target registry took content over from another of its repositories: nothing moved."""

    descriptor: Descriptor
    origin: str


class Tagged(Value):
    """A name at the target now points at the image."""

    name: str
    descriptor: Descriptor


class Retried(Value):
    """A request failed in a way that may pass and is tried again after ``delay`` seconds."""

    what: str
    reason: str
    delay: float


class Warned(Value):
    """A peer or nacre itself has something to say to the user."""

    text: str


Event = Queued | Progress | Stored | Existed | Mounted | Tagged | Retried | Warned
OnEvent = Callable[[Event], None]
"""Told each event as it happens, from several threads; must be quick and must not raise."""


def ignore(_event: Event) -> None:
    """Take no interest."""
