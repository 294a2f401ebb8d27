"""Digests: names made of the hash of the bytes they name (OCI image-spec, "Digests")."""

from __future__ import annotations

import hashlib
import re

from nacre.errors import Invalid
from nacre.oci.quoting import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, Self

    class Hasher(Protocol):
        """The part of a hashlib object that nacre uses."""

        def update(self, data: bytes | bytearray | memoryview, /) -> None:
            """Take in more bytes."""

        def hexdigest(self) -> str:
            """Return the hash of all bytes so far, in lower-case hexadecimal."""


_ENCODED_LENGTH = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")
_SHORT_ID = r"(?:sha256:)?([0-9a-f]{1,64})|(?:sha512:)?([0-9a-f]{1,128})"


class InvalidDigest(Invalid):
    """The text is no digest of a registered algorithm."""

    usual_remedy = "write sha256: and 64 lower-case hexadecimal digits"


class Digest(str):
    """An algorithm and a hash, written ``sha256:<64 hex>`` or ``sha512:<128 hex>``.

    It *is* its text, so it sorts, hashes and goes into JSON and SQL as such. Only the two
    registered algorithms in their one canonical form are accepted: what passed here is safe
    to be part of a path or a URL.

    Raises:
        InvalidDigest: the text is anything else.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        algorithm, colon, encoded = text.partition(":")
        length = _ENCODED_LENGTH.get(algorithm)
        if not colon or length is None:
            raise InvalidDigest(
                f"invalid digest {quoted(text)}: the algorithm must be sha256 or sha512"
            )
        if len(encoded) != length or not _HEX.fullmatch(encoded):
            raise InvalidDigest(
                f"invalid digest {quoted(text)}: {algorithm} takes "
                f"{length} lower-case hexadecimal digits"
            )
        return super().__new__(cls, text)

    @classmethod
    def of(cls, data: bytes | bytearray | memoryview, algorithm: str = "sha256") -> Digest:
        """Return the digest of ``data``."""
        digest = hasher(algorithm)
        digest.update(data)
        return cls(f"{algorithm}:{digest.hexdigest()}")

    @property
    def algorithm(self) -> str:
        """``sha256`` or ``sha512``."""
        return self.partition(":")[0]

    @property
    def encoded(self) -> str:
        """The hash in lower-case hexadecimal."""
        return self.partition(":")[2]

    @property
    def short(self) -> str:
        """The first twelve hexadecimal digits, as people read them."""
        return self.encoded[:12]

    @property
    def file_name(self) -> str:
        """It as one part of a path, which a colon in it would be odd in: ``sha256-<64 hex>``."""
        return f"{self.algorithm}-{self.encoded}"

    def hasher(self) -> Hasher:
        """Return a fresh hasher of this digest's algorithm."""
        return hasher(self.algorithm)


def hasher(algorithm: str = "sha256") -> Hasher:
    """Return a fresh hasher.

    Raises:
        InvalidDigest: the algorithm is not registered.
    """
    if algorithm not in _ENCODED_LENGTH:
        raise InvalidDigest(f"unknown digest algorithm {quoted(algorithm)}")
    return hashlib.new(algorithm, usedforsecurity=False)


def finished(digest: Hasher, algorithm: str = "sha256") -> Digest:
    """Return the digest that a hasher has arrived at."""
    return Digest(f"{algorithm}:{digest.hexdigest()}")


def id_prefix(text: str) -> str | None:
    """Return the hexadecimal part of a whole or shortened image ID, or None when it is none.

    ``sha256:0123…`` and ``0123…`` are both accepted, of any length that is not more than whole.
    """
    match = re.fullmatch(_SHORT_ID, text)
    return match[1] or match[2] if match else None
