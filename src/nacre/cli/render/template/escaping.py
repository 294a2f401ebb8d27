"""``html``, ``js`` and ``urlquery``: texts made fit to stand within something else."""

from __future__ import annotations

from urllib.parse import quote_plus

from nacre.cli.render.template.printf import sprint

_HTML = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_JAVASCRIPT = {"\\": r"\\", "'": r"\'", '"': r"\""}


def html(*values: object) -> str:
    """Return the values as text within HTML."""
    return _text(values).translate(_HTML)


def js(*values: object) -> str:
    """Return the values as text within a string of JavaScript."""
    return "".join(map(_in_javascript, _text(values)))


def urlquery(*values: object) -> str:
    """Return the values as a value within the query of a URL."""
    return quote_plus(_text(values).encode("utf-8", "surrogatepass"))


def _in_javascript(character: str) -> str:
    if character in _JAVASCRIPT:
        return _JAVASCRIPT[character]
    if character in "<>&=" or not (character.isprintable() or character == "\x7f"):
        return f"\\u{ord(character):04X}"
    return character


def _text(values: tuple[object, ...]) -> str:
    return sprint(["<no value>" if value is None else value for value in values])
