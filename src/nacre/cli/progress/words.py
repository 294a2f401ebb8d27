"""What Docker calls the states that a layer goes through."""

from __future__ import annotations

from typing import Literal

from nacre.oci.descriptor import Descriptor
from nacre.oci.mediatypes import is_layer
from nacre.transports.events import (
    Event,
    Existed,
    Mounted,
    Progress,
    Queued,
    Retried,
    Stored,
    Tagged,
    Warned,
)

Verb = Literal["pull", "push", "copy"]
"""Which way the layers go, from the user's view."""

_WORDS = {
    ("pull", Queued): "Pulling fs layer",
    ("pull", Progress): "Downloading",
    ("pull", Stored): "Pull complete",
    ("pull", Existed): "Already exists",
    ("push", Queued): "Preparing",
    ("push", Progress): "Pushing",
    ("push", Stored): "Pushed",
    ("push", Existed): "Layer already exists",
    ("copy", Queued): "Waiting",
    ("copy", Progress): "Copying",
    ("copy", Stored): "Copied",
    ("copy", Existed): "Already exists",
}


def layer_of(event: Event) -> Descriptor | None:
    """Return the layer that an event is about; None for manifests, configs and other events.

    Only layers are shown: the rest is over before it could be read.
    """
    if isinstance(event, Tagged | Retried | Warned) or not is_layer(event.descriptor.media_type):
        return None
    return event.descriptor


def short_id(layer: Descriptor) -> str:
    """Return the twelve digits by which a layer is shown."""
    return layer.digest.partition(":")[2][:12]


def status(event: Event, verb: Verb) -> str:
    """Return the state that an event brings its layer into, in Docker's words."""
    if isinstance(event, Mounted):
        return f"Mounted from {event.origin}"
    if isinstance(event, Progress) and verb == "pull" and event.current >= event.descriptor.size:
        return "Download complete"
    return _WORDS[verb, type(event)]


def remark(event: Event) -> str:
    """Return what to tell about an event that is about no layer, or ""."""
    match event:
        case Retried(what, reason, delay):
            return f"{what}: {reason}; retrying {_when(delay)}"
        case Warned(text):
            return f"WARNING: {text}"
        case _:
            return ""


def _when(delay: float) -> str:
    """Return how long a wait is, in seconds; those below one with a decimal."""
    tenths = round(delay, 1)
    if tenths <= 0:
        return "now"
    if tenths < 1:
        return f"in {tenths} seconds"
    seconds = round(delay)
    return f"in {seconds} second{'' if seconds == 1 else 's'}"
