"""Docker's ``config.json`` and Podman's ``auth.json``: entries of ``auths``, names of helpers."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, Self

from nacre.distribution.credential import Credential, is_text
from nacre.errors import Invalid, Unavailable

_MODE = 0o600
_LIMIT = 4 * 1024 * 1024
_ELSEWHERE = "name a file by DOCKER_CONFIG or REGISTRY_AUTH_FILE"


class InvalidAuthFile(Invalid):
    """A file of credentials cannot be understood."""


class AuthFile:
    """The content of one such file. Keys that nacre does not know survive a change."""

    def __init__(self, fields: dict[str, Any], name: str) -> None:
        self._fields = fields
        self._name = name

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """Read the JSON; ``name`` names it in errors.

        Raises:
            InvalidAuthFile: it is not JSON, or not of this form.
        """
        try:
            fields = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError) as error:
            raise _malformed(name, f"is not valid JSON: {error}") from None
        if not isinstance(fields, dict):
            raise _malformed(name, "is not a JSON object")
        for key in ("auths", "credHelpers"):
            if not isinstance(fields.get(key) or {}, dict):
                raise _malformed(name, f"has {key} that is not an object")
        return cls(fields, name)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; one that does not exist is empty.

        Raises:
            InvalidAuthFile: see `parse`.
            Unavailable: it cannot be read.
        """
        try:
            text = _read(path).decode("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            text = ""
        except UnicodeDecodeError:
            raise _malformed(str(path), "is not UTF-8") from None
        except OSError as error:
            raise Unavailable(
                f"cannot read {path}: {error.strerror}", remedy="check its permissions"
            ) from None
        return cls.parse(text, str(path))

    def helper_for(self, key: str) -> str:
        """Return the name of the helper that keeps a key's credential, or ""."""
        helpers = self._fields.get("credHelpers") or {}
        name = helpers.get(key) or self._fields.get("credsStore") or ""
        return name if isinstance(name, str) else ""

    def find(self, key: str) -> Credential | None:
        """Return the credential kept under a key; old keys with an API path count as their host.

        Raises:
            InvalidAuthFile: the entry is malformed.
        """
        auths = self._fields.get("auths") or {}
        if key not in auths:
            legacy = (old for old in auths if "://" not in key and _bare(old) == key)
            key = next(legacy, key)
        return self._credential(key, auths[key]) if key in auths else None

    def save(self, path: Path, key: str, credential: Credential) -> None:
        """Put a credential under a key; an empty one marks that a helper has it.

        Raises:
            InvalidAuthFile: its other entries cannot be written again.
            Unavailable: the file cannot be written, or is none.
        """
        auths: dict[str, Any] = self._fields.get("auths") or {}
        self._fields["auths"] = auths
        entry = auths.get(key)
        kept: dict[str, Any] = entry if isinstance(entry, dict) else {}
        unknown = {
            name: value
            for name, value in kept.items()
            if name not in ("auth", "identitytoken", "registrytoken", "username", "password")
        }
        auths[key] = {**unknown, **_entry(credential)}
        self._write(path)

    def erase(self, path: Path, keys: Iterable[str]) -> bool:
        """Drop entries, and say whether there were any.

        Raises:
            Unavailable: the file cannot be written.
        """
        auths = self._fields.get("auths") or {}
        wanted = set(keys)
        doomed = [key for key in auths if key in wanted or _bare(key) in wanted]
        for key in doomed:
            del auths[key]
        if doomed:
            self._write(path)
        return bool(doomed)

    def _credential(self, key: str, entry: object) -> Credential | None:
        if not isinstance(entry, dict):
            raise _malformed(self._name, f"has an entry {key!r} that is not an object")
        auth = entry.get("auth")
        names = ("username", "password", "identitytoken", "registrytoken")
        stated = [entry.get(name) or "" for name in names]
        username, password, identity, token = (
            each if is_text(each) else self._no_text(key) for each in stated
        )
        if isinstance(auth, str) and auth:
            username, password = self._decoded(key, auth)
        found = Credential(username, password, identity, token)
        if not (found.registry_token.isascii() and found.registry_token.isprintable()):
            raise _malformed(self._name, f"has an entry {key!r} whose registrytoken is no token")
        return found if found != Credential() else None

    def _no_text(self, key: str) -> NoReturn:
        raise _malformed(self._name, f"has an entry {key!r} whose words are no text")

    def _decoded(self, key: str, auth: str) -> tuple[str, str]:
        try:
            text = base64.b64decode(auth, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            text = ""
        username, colon, password = text.partition(":")
        if not colon:
            raise _malformed(self._name, f"has an entry {key!r} whose auth cannot be decoded")
        return username, password.rstrip("\x00")

    def _write(self, path: Path) -> None:
        """Replace the file by one that only its owner can read, at once and for good."""
        try:
            text = json.dumps(self._fields, indent="\t", ensure_ascii=False).encode()
        except (RecursionError, UnicodeEncodeError):
            raise _malformed(self._name, "holds what cannot be written again") from None
        try:
            path = path.resolve()
            if path.exists() and not path.is_file():
                # A link's target is replaced; were that /dev/null, root would lose it.
                raise Unavailable(f"cannot write {path}: it is not a file", remedy=_ELSEWHERE)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            try:
                _write_durably(temporary, text)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise Unavailable(
                f"cannot write {path}: {error.strerror}", remedy="check its permissions"
            ) from None


def _read(path: Path) -> bytes:
    """Return what a file or ``/dev/null`` holds, but wait for no pipe and read nothing endless."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFCHR, stat.S_IFDIR):
            raise _malformed(str(path), "is not a file")
        data = bytearray()
        while len(data) <= _LIMIT and (piece := os.read(descriptor, _LIMIT + 1 - len(data))):
            data += piece
    finally:
        os.close(descriptor)
    if len(data) > _LIMIT:
        raise _malformed(str(path), f"is larger than {_LIMIT} bytes")
    return bytes(data)


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _entry(credential: Credential) -> dict[str, str]:
    entry = {}
    if credential.username:
        text = f"{credential.username}:{credential.password}"
        entry["auth"] = base64.b64encode(text.encode()).decode()
    if credential.identity_token:
        entry["identitytoken"] = credential.identity_token
    if credential.registry_token:
        entry["registrytoken"] = credential.registry_token
    return entry


def _bare(key: str) -> str:
    """Return the host of a key of old form (``https://host/v1/``); namespaces stay as they are."""
    rest = key.rpartition("://")[2]
    host, _, path = rest.partition("/")
    return host if path.strip("/") in ("", "v1", "v2") else rest


def _malformed(name: str, how: str) -> InvalidAuthFile:
    return InvalidAuthFile(f"{name} {how}", remedy="mend it, or remove it and log in again")
