"""What can be wrong with an EROFS image, and with a tree that is to become one."""

from __future__ import annotations

from nacre.errors import Invalid


class InvalidImage(Invalid):
    """The bytes are no EROFS image, a damaged one, or one with features nacre does not use."""

    usual_remedy = "delete the image: it is made anew from the layers"


class InvalidTree(Invalid):
    """The tree holds what the format cannot say; ``path`` is the name at fault."""

    def __init__(self, message: str, *, path: bytes) -> None:
        super().__init__(message)
        self.path = path


def shown(path: bytes) -> str:
    """Return a path as error messages print it: quoted, printable, at most 80 bytes."""
    text = path if len(path) <= 80 else path[:77] + b"..."
    return ascii(text.decode(errors="backslashreplace"))
