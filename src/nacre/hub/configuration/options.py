"""What can be set about a hub: every key, its default and what it means, in one place.

A field's ``doc`` is what ``nacre hub config`` prints above it. Sizes are in bytes, times are
`timedelta`; in the file they are written as ``"10GB"`` and ``"24h"`` (see ``units``).
"""

# ruff: noqa: RUF009 (the function only makes a field)

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class Size(int):
    """A number of bytes, which people write with a unit."""


def _key(default: T, doc: str) -> T:
    """Return a field, and what the printed settings say of it."""
    made: T = field(default=default, metadata={"doc": doc})
    return made


@dataclass(frozen=True, slots=True)
class Server:
    """Where the hub listens and keeps its data."""

    listen: str = _key("127.0.0.1:5000", "Address and port, as in 0.0.0.0:443 or [::1]:5000.")
    data: str = _key(
        "",
        "Folder of all data. Empty: /var/lib/nacre-hub for root, else ~/.local/share/nacre-hub.",
    )
    url: str = _key(
        "",
        "Address by which clients reach the hub, as https://hub.example.com is one. "
        "Empty: as each request says.",
    )
    workers: int = _key(1, "Processes that serve requests. One is enough for most.")
    tls_certificate: str = _key(
        "", "File with the certificate chain (PEM). Empty: plain HTTP. SIGHUP reads it anew."
    )
    tls_key: str = _key("", "File with the certificate's private key (PEM, without a password).")
    trusted_proxies: tuple[str, ...] = _key(
        (), "Addresses or networks of proxies whose X-Forwarded-* headers are believed."
    )
    stop_within: timedelta = _key(
        timedelta(seconds=30), "How long requests in flight may take when the hub is stopped."
    )


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may do what without being asked, and how long tokens live."""

    anonymous_push: bool = _key(
        False,
        "Let anybody push and delete everywhere, without login: for tests and closed networks.",
    )
    service: str = _key("nacre-hub", "Name of the service that tokens are made for.")
    token_life: timedelta = _key(timedelta(minutes=5), "How long a token for a pull or push lives.")
    refresh_life: timedelta = _key(
        timedelta(days=90), "How long a login that a client keeps (refresh token) lives."
    )
    key_life: timedelta = _key(timedelta(days=90), "How often the key that signs tokens changes.")


@dataclass(frozen=True, slots=True)
class Registry:
    """What may be pushed."""

    visibility: str = _key(
        "public", "Who may pull from new repositories without a role: public or private."
    )
    sparse: tuple[str, ...] = _key(
        ("conformance",),
        "Namespaces whose manifests may name content that was not pushed.",
    )
    immutable: str = _key(
        "", "Pattern of tags that can never be moved or deleted; repositories can set their own."
    )
    manifest_limit: Size = _key(Size(4 << 20), "Largest manifest.")
    blob_limit: Size = _key(Size(0), "Largest blob; 0 is no limit.")
    quota: Size = _key(Size(0), "Bytes that a new namespace may hold; 0 is no limit.")
    chunk_min: Size = _key(
        Size(0),
        "What clients are told to send in a chunk at least; smaller ones are taken, too. "
        "0 tells nothing.",
    )
    page: int = _key(10_000, "Most names in one page of a listing.")
    client_patience: timedelta = _key(
        timedelta(seconds=60),
        "How long a client may send nothing before its request is ended; so is one that, after "
        "five times as long, brought less than 1 KiB a second.",
    )


@dataclass(frozen=True, slots=True)
class Collection:
    """What happens to what nobody needs any more."""

    interval: timedelta = _key(
        timedelta(minutes=1), "How often garbage collection looks for work; 0s turns it off."
    )
    grace: timedelta = _key(
        timedelta(hours=24), "How long a blob that no manifest needs stays in its repository."
    )
    undo: timedelta = _key(
        timedelta(days=30), "How long a deleted or moved tag can be brought back."
    )
    untagged: bool = _key(
        False,
        "Collect also manifests that were pushed by digest and never had a tag.",
    )
    trash: timedelta = _key(timedelta(hours=1), "How long bytes stay after nothing points to them.")
    upload_idle: timedelta = _key(timedelta(hours=24), "After how long an idle upload is ended.")
    journal: timedelta = _key(
        timedelta(seconds=5),
        "How often changes are written down beside the bytes, for nacre hub rebuild.",
    )
    retention_interval: timedelta = _key(
        timedelta(hours=1), "How often retention policies are applied; 0s turns it off."
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client may ask of each process of the hub."""

    pulls: str = _key(
        "", 'Manifest requests for an address or user, as in "200/6h". Empty: no limit.'
    )
    pulls_anonymous: str = _key("", "The same for those who are not logged in. Empty: as pulls.")
    requests: str = _key("", 'All requests of one address, as in "100/s". Empty: no limit.')
    logins: str = _key("20/min", "Failed logins of one address or for one user.")
    header: Size = _key(Size(64 << 10), "Most bytes in the headers of a request.")
    uploads: int = _key(200, "Uploads that are written at the same time; more get 503.")


@dataclass(frozen=True, slots=True)
class Log:
    """What is written down."""

    access: bool = _key(True, "Write a line for each request.")
    audit: bool = _key(True, "Write a line for each login and each change.")
    format: str = _key("text", "How lines look: text or json.")
    file: str = _key("", "File to append to; empty: standard error. SIGHUP opens it anew.")
    metrics: bool = _key(True, "Answer GET /metrics for Prometheus.")


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be set, by section of the file."""

    server: Server = Server()
    auth: Auth = Auth()
    registry: Registry = Registry()
    collection: Collection = Collection()
    limits: Limits = Limits()
    log: Log = Log()


def sections() -> tuple[Field[Any], ...]:
    """Return the sections, in the order of the file."""
    return fields(Options)


def keys(section: object) -> tuple[Field[Any], ...]:
    """Return the keys of a section."""
    return fields(section)  # type: ignore[arg-type]


def written(name: str) -> str:
    """Return a key as it is written in the file.

    >>> written("anonymous_push")
    'anonymous-push'
    """
    return name.replace("_", "-")
