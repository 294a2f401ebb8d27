"""Whether a client has already what it asks for (RFC 9110, 13.1.2)."""

from __future__ import annotations

import re

_OPAQUE = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')


def has_already(stated: str, tag: str) -> bool:
    """Say whether an ``If-None-Match`` names this entity tag; "" names none, ``*`` any.

    The comparison is the weak one: bytes that are equal are also equivalent.

    >>> has_already('"a", W/"b"', '"b"'), has_already('*', '"b"'), has_already('"a"', '"b"')
    (True, True, False)
    """
    return bool(stated) and (stated.strip() == "*" or tag in _OPAQUE.findall(stated))
