"""Go's constants: strings with their escapes, characters and numbers."""

from __future__ import annotations

import re

from nacre.cli.render.template.values import quote

_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?")
_ESCAPE = re.compile(
    r"""\\(?:(?P<octal>[0-7]{3})|x(?P<byte>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})"""
    r"""|U(?P<long>[0-9a-fA-F]{8})|(?P<simple>[abfnrtv\\"']))"""
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_INT_LIMIT = 1 << 63


def string(source: str) -> str:
    r"""Return what a literal in double quotes, or in back quotes, stands for.

    ``\x`` and octal escapes are bytes of UTF-8; what they spell wrongly becomes U+FFFD.

    Raises:
        ValueError: an escape is unknown or out of range.
    """
    if source[0] == "`":
        return source[1:-1].replace("\r", "")
    raw, position, end = bytearray(), 1, len(source) - 1
    while position < end:
        if source[position] != "\\":
            raw += source[position].encode("utf-8", "surrogatepass")
            position += 1
            continue
        match = _ESCAPE.match(source, position, end)
        if match is None or match["simple"] == "'":
            raise ValueError("invalid syntax")
        raw += _unescaped(match)
        position = match.end()
    return raw.decode("utf-8", "replace")


def character(source: str) -> int:
    """Return the code point of a literal in single quotes.

    Raises:
        ValueError: it is not exactly one character.
    """
    inner = source[1:-1]
    match = _ESCAPE.fullmatch(inner)
    if match is not None and match["simple"] != '"':
        if match["octal"] or match["byte"]:
            return _unescaped(match)[0]
        return ord(_unescaped(match).decode("utf-8"))
    if not inner or inner[0] == "\\":
        raise ValueError("invalid syntax")
    if len(inner) > 1:
        raise ValueError(f"malformed character constant: {source}")
    return ord(inner)


def number(source: str) -> int | float:
    """Return what a number literal stands for; with a point or an exponent it is a float.

    Raises:
        ValueError: it is no number, or one beyond 64 bits.
    """
    if _INTEGER.fullmatch(source):
        if len(source) > 100:
            raise ValueError(f"integer overflow: {quote(source)}")
        try:
            value = int(source, 8 if _OCTAL.fullmatch(source) else 0)
        except ValueError:
            raise ValueError(f"integer overflow: {quote(source)}") from None
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            raise ValueError(f"integer overflow: {quote(source)}")
        return value
    if _FLOAT.fullmatch(source) and "_" not in source:
        value_ = float(source)
        if abs(value_) != float("inf"):
            return value_
    raise ValueError(f"illegal number syntax: {quote(source)}")


def _unescaped(match: re.Match[str]) -> bytes:
    octal, byte, short, long, simple = match.group("octal", "byte", "short", "long", "simple")
    if simple:
        return _SIMPLE.get(simple, simple).encode()
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    if octal or byte:
        if code > 0xFF:
            raise ValueError("invalid syntax")
        return bytes([code])
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError("invalid syntax")
    return chr(code).encode()
