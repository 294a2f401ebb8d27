"""Lines of an image's history beside its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nacre.oci.config import HistoryEntry

COMMAND_WIDTH = 60


def command_of(step: HistoryEntry) -> str:
    """Return what made a layer, on one line: its command, or else its comment."""
    return " ".join((step.created_by or step.comment).split())


def json_step(step: HistoryEntry) -> dict[str, Any]:
    """Return a line of the history as JSON."""
    return {"created": step.created, "createdBy": step.created_by, "comment": step.comment}
