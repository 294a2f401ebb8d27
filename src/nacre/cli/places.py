"""Places inside of images, as they are typed: ``IMAGE:PATH``."""

from __future__ import annotations

from nacre.cli.flags import UsageError

GRAMMAR = """\
IMAGE:PATH is an image and a path in it, which begins with a slash. The path
begins at the first ':/'; all before it is the image, by name, digest or ID:
  debian:/etc/passwd
  localhost:5000/team/app:1.0:/srv
Without ':/' there is no path: what follows the last colon is a tag then.
"""


def split_place(word: str) -> tuple[str, str | None]:
    """Return the image and the path of ``IMAGE[:PATH]``; None when there is no path.

    No name, digest or ID of an image can hold ``:/``, while a path may hold anything.

    Raises:
        UsageError: there is no image.

    >>> split_place("localhost:5000/app:1.0:/etc/a:/b")
    ('localhost:5000/app:1.0', '/etc/a:/b')
    >>> split_place("debian:etc")
    ('debian:etc', None)
    """
    image, mark, path = word.partition(":/")
    if not image:
        raise UsageError(f'"{word}" names no image', remedy="write IMAGE:PATH")
    return image, f"/{path}" if mark else None


def required_place(word: str) -> tuple[str, str]:
    """Return the image and the path of ``IMAGE:PATH``.

    Raises:
        UsageError: there is no image or no path.
    """
    image, path = split_place(word)
    if path is None:
        raise UsageError(f'"{word}" names no path', remedy="write IMAGE:/PATH, with a slash")
    return image, path
