"""What can be wrong with the bytes of a layer or of an archive."""

from __future__ import annotations

from nacre.errors import Invalid, NotFound

MAX_LINKS = 40
"""Most symbolic links in one path, as in Linux."""


class BadArchive(Invalid):
    """The tar stream breaks its format, or holds what a layer cannot hold.

    ``offset`` is the byte, counted from the start of the tar, of the header at fault.
    """

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Truncated(BadArchive):
    """The tar stream ends inside a header or inside the body of a member."""


class CorruptStream(Invalid):
    """The compressed stream is damaged, ends early, or is followed by what does not belong."""


class LayerLimit(Invalid):
    """The input is larger than the reader agreed to take.

    ``limit`` is the name of the option that was exceeded, ``maximum`` its value.
    """

    def __init__(self, message: str, *, limit: str, maximum: float) -> None:
        super().__init__(message)
        self.limit = limit
        self.maximum = maximum


class NoSuchPath(NotFound):
    """There is nothing under that path, or something on the way is no directory.

    ``path`` is what was looked for.
    """

    def __init__(self, message: str, *, path: bytes) -> None:
        super().__init__(message)
        self.path = path


class TooManyLinks(Invalid):
    """Symbolic links lead to symbolic links without an end. ``path`` is where it began."""

    def __init__(self, path: bytes) -> None:
        super().__init__(f"the path {shown(path)} leads through more than {MAX_LINKS} links")
        self.path = path


def shown(name: bytes) -> str:
    """Return a member name as error messages print it: quoted, printable, at most 80 bytes."""
    text = name if len(name) <= 80 else name[:77] + b"..."
    return ascii(text.decode(errors="backslashreplace"))
