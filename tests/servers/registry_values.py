"""What the test registry can be told, and what it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as the server saw it; ``sent`` and ``received`` count bytes of bodies."""

    method: str
    path: str
    headers: Mapping[str, str]
    received: int
    sent: int
    status: int

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


@dataclass(frozen=True, slots=True)
class DropAfter:
    """Close the connection after so many bytes of the reply's body were sent."""

    sent: int


@dataclass(frozen=True, slots=True)
class DropUpload:
    """Take so many bytes of the request's body, keep them, and close the connection."""

    received: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer with this instead of doing what was asked."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Patch:
    """Do what was asked, but with these header fields; ``None`` leaves a field out."""

    headers: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Extend:
    """Append bytes to the reply's body, and say nothing of its length (chunked encoding)."""

    extra: bytes


Fault = DropAfter | DropUpload | Answer | Patch | Extend


@dataclass(slots=True)
class Upload:
    """An upload under way; after a chunk that is too short, nothing may follow."""

    repository: str
    data: bytearray = field(default_factory=bytearray)
    short: bool = False


@dataclass(slots=True)
class Options:
    """What kind of registry this is."""

    auth: Literal["", "basic", "token"] = ""
    users: dict[str, str] = field(default_factory=dict)
    identity_tokens: dict[str, str] = field(default_factory=dict)
    """Identity token to user name."""
    anonymous_pull: bool = True
    token_methods: tuple[str, ...] = ("GET", "POST")
    token_life: int = 300
    strict_scopes: bool = False
    """Refuse a token when any scope is not granted, as some services do."""
    ranges: bool = True
    referrers: bool = True
    mounts: bool = True
    deletes: bool = True
    tag_page: int = 0
    largest_request: int = 0
    """Refuse bodies of more bytes with 413; 0 takes all."""
    least_chunk: int = 0
    absolute_locations: bool = False
    chunked_blobs: bool = False
    """Send blobs without their length."""
    pace: float = 0.0
    """Seconds to wait before each 64 KiB of a reply's body."""
