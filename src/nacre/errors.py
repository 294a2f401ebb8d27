"""The root error and its few categories; everything nacre raises on purpose is one of them.

A concrete error class lives beside the code that raises it and derives from one category here.
Callers decide by category; people read the one sentence and its remedy.
"""

from __future__ import annotations


class NacreError(Exception):
    """Something went wrong that a person can act on.

    ``str(error)`` is one sentence without a full stop, naming the thing at fault.
    ``remedy``, when not empty, is one clause saying what to do about it.
    """

    usual_remedy = ""
    """What helps against errors of a class that state no remedy of their own."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy or self.usual_remedy


class NotFound(NacreError):
    """The named thing does not exist here."""


class AlreadyExists(NacreError):
    """The thing to be made is there already; making it again would change nothing."""


class Invalid(NacreError):
    """The input breaks a rule of its format: it can never succeed as given."""


class Denied(NacreError):
    """Whoever asks is not allowed, or is not known."""


class Conflict(NacreError):
    """The request is sound, but the present state of things forbids it."""


class Unsupported(NacreError):
    """The request is sound, but this machine, peer or version cannot do it."""


class Unavailable(NacreError):
    """A resource (network, disk, peer) failed or is exhausted; trying again later may work."""
