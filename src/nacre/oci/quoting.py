"""Showing what somebody else wrote inside an error message."""

from __future__ import annotations


def quoted(value: object, limit: int = 200) -> str:
    """Return ``value`` in quotes, control characters escaped, cut to ``limit`` characters.

    What comes from a registry or an archive may be megabytes long or hold escape sequences; it
    must not reach a terminal or a log as it is.
    """
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= limit else f"{text[:limit]}…")
