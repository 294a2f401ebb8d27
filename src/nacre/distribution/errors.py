"""What goes wrong between a client and a registry, each in one sentence with its remedy."""

from __future__ import annotations

import json

from nacre.errors import (
    Conflict,
    Denied,
    Invalid,
    NacreError,
    NotFound,
    Unavailable,
    Unsupported,
)
from nacre.value import Value

ERROR_BODY_LIMIT = 64 * 1024
"""How much of an error reply is read, in bytes."""

_CONTENT_UNKNOWN = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})
_MESSAGE_LIMIT = 300
_SCANNED = 4096


class ConnectionFailed(Unavailable):
    """No reply came: the host was not reached, or the connection broke.

    ``reached`` says whether the host answered at all; ``transient`` whether trying again helps.
    """

    reached = False
    transient = True


class NameUnresolved(ConnectionFailed):
    """The host's name has no address."""


class ConnectionRefused(ConnectionFailed):
    """Nothing listens at the host's port, or there is no way to it."""


class ProxyFailed(ConnectionFailed):
    """The proxy could not be reached or would not connect."""


class TimedOut(ConnectionFailed):
    """The host did not answer in time."""

    reached = True


class ConnectionDropped(ConnectionFailed):
    """The connection ended in the middle, or what came was not HTTP."""

    reached = True


class TlsFailed(ConnectionFailed):
    """No trusted connection was made; ``speaks_tls`` is false when the peer talks plainly."""

    reached = True
    transient = False

    def __init__(self, message: str, *, speaks_tls: bool = True, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.speaks_tls = speaks_tls


class UnsafeAddress(Invalid):
    """A server led to an address that must not be followed."""

    usual_remedy = "ask whoever runs that server"


class InvalidReply(Invalid):
    """A server's reply breaks the protocol or its own promises."""

    usual_remedy = "ask whoever runs the registry, or have the image pushed again"


class ContentUnknown(InvalidReply):
    """The registry does not see what a manifest that was pushed to it refers to."""

    usual_remedy = "push it again"


class AccessDenied(Denied):
    """The registry refuses whoever asks."""


class ManifestNotFound(NotFound):
    """The repository has no such tag or manifest, or there is no such repository."""

    usual_remedy = "check the name and the tag"


class RegistryBlobNotFound(NotFound):
    """The repository has no such blob."""

    usual_remedy = "have the image pushed again"


class RateLimited(Unavailable):
    """The registry asks to be asked less often."""


class Purpose(Value):
    """What a request is for, so that its failure can be told in the user's words.

    ``name`` is the repository or host as people write it; ``reference`` a tag or digest of it;
    ``known`` says that the request told who asks.
    """

    action: str
    host: str
    name: str
    kind: str = ""
    reference: str = ""
    known: bool = False

    @property
    def whole(self) -> str:
        """Name and reference together, as ``nginx:1.27`` or ``nginx@sha256:…``."""
        if not self.reference:
            return self.name
        return f"{self.name}{'@' if ':' in self.reference else ':'}{self.reference}"

    def __str__(self) -> str:
        return " ".join(f"{self.action} {self.kind} {self.whole}".split())

    @property
    def login(self) -> str:
        """What may help who is refused; a login that fails is not helped by another."""
        if self.action == "log in to":
            return "check user name and password"
        if self.known:
            return f"ask whoever runs {self.host}, or log in as somebody who may"
        return "run 'nacre login'" if self.host == "docker.io" else f"run 'nacre login {self.host}'"


class ErrorReply(Value):
    """An error reply: its HTTP status and, where it has one, the specification's JSON body."""

    status: int
    codes: tuple[str, ...] = ()
    message: str = ""

    @classmethod
    def parse(cls, status: int, body: bytes) -> ErrorReply:
        """Read an error reply; a body that is not the specification's gives no message."""
        try:
            entries = json.loads(body.decode("utf-8", "replace"))["errors"]
            found = [entry for entry in entries if isinstance(entry, dict)][:10]
        except (ValueError, TypeError, KeyError, RecursionError):
            return cls(status)
        codes = tuple(_text(entry, "code") for entry in found)
        return cls(status, codes, "; ".join(_sentence(entry) for entry in found))

    def to_error(self, purpose: Purpose) -> NacreError:
        """Return the error to raise when this reply came to a request of such purpose."""
        said = f": {self.message}" if self.message else ""
        if self.status in (401, 403) or "DENIED" in self.codes or "UNAUTHORIZED" in self.codes:
            return denied(purpose, self.message)
        if (purpose.action, purpose.kind) == ("push", "manifest") and (
            not _CONTENT_UNKNOWN.isdisjoint(self.codes)
        ):
            return ContentUnknown(
                f"cannot {purpose}: {purpose.host} lacks content it refers to{said}"
            )
        if self.status == 404:
            return self._not_found(purpose, said)
        return self._refused(purpose, said)

    def _refused(self, purpose: Purpose, said: str) -> NacreError:
        what = f"cannot {purpose}: {purpose.host}"
        if self.status == 429:
            return RateLimited(
                f"{purpose.host} limits how often it may be asked{said}",
                remedy="wait a while, or log in for a higher limit",
            )
        if self.status in (405, 501) or "UNSUPPORTED" in self.codes:
            return Unsupported(f"{what} does not allow it{said}")
        if self.status == 409:
            return Conflict(f"{what} finds it in conflict with what is there{said}")
        if self.status >= 500:
            return Unavailable(
                f"{what} failed with status {self.status}{said}", remedy="try again later"
            )
        return InvalidReply(f"{what} answered with status {self.status}{said}")

    def _not_found(self, purpose: Purpose, said: str) -> NacreError:
        if "NAME_UNKNOWN" in self.codes:
            return ManifestNotFound(f"repository {purpose.name} not found{said}")
        if purpose.kind == "manifest" and purpose.action != "push":
            said = said or ": manifest unknown"
            return ManifestNotFound(f"manifest for {purpose.whole} not found{said}")
        if purpose.kind == "blob" and purpose.action != "push":
            return RegistryBlobNotFound(
                f"blob {purpose.reference} not found in {purpose.name}{said}"
            )
        return NotFound(f"cannot {purpose}: not found at {purpose.host}{said}")


def denied(purpose: Purpose, reason: str = "") -> AccessDenied:
    """Return the error for a refused request, in Docker's words where it has any."""
    said = f": {reason}" if reason else ""
    if purpose.action == "pull":
        return AccessDenied(
            f"pull access denied for {purpose.name}, repository does not exist or may require "
            f"'nacre login'{said}",
            remedy=purpose.login,
        )
    if purpose.action == "log in to":
        return AccessDenied(
            f"login to {purpose.host} was refused{said or ': incorrect username or password'}",
            remedy=purpose.login,
        )
    said = said or ": requested access to the resource is denied"
    return AccessDenied(
        f"{purpose.action} access denied for {purpose.name}{said}", remedy=purpose.login
    )


def printable(text: str) -> str:
    """Return foreign text as one line that cannot steer a terminal, shortened."""
    if not text.isprintable():
        shown = (each if each.isprintable() else " " for each in text[:_SCANNED])
        text = " ".join("".join(shown).split())
    clean = text.strip()
    return clean if len(clean) <= _MESSAGE_LIMIT else clean[:_MESSAGE_LIMIT] + "…"


def _sentence(entry: dict[str, object]) -> str:
    code = _text(entry, "code").lower().replace("_", " ")
    return ": ".join(part for part in (code, _text(entry, "message")) if part)


def _text(entry: dict[str, object], key: str) -> str:
    found = entry.get(key)
    return printable(found) if isinstance(found, str) else ""
