"""Credentials: who we are to each registry, as Docker's and Podman's files and helpers keep it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from nacre.distribution.authfile import AuthFile
from nacre.distribution.credential import Credential
from nacre.distribution.helpers import Helper
from nacre.distribution.settings import CredentialLocations
from nacre.errors import Unavailable
from nacre.oci.reference import HUB
from nacre.value import Value

HUB_KEY = "https://index.docker.io/v1/"
"""The name under which Docker keeps its own hub's credential."""

_HUB_NAMES = (HUB_KEY, "docker.io", "index.docker.io", "registry-1.docker.io")


class Saved(Value):
    """Where a credential went: a helper's name or a file, and whether it lies there in plain."""

    where: str
    plain: bool


class CredentialStore:
    """All places where credentials are kept, asked in order.

    Files and variables are read when asked, so a login by another tool is seen.
    """

    def __init__(
        self, locations: CredentialLocations, *, new_helper: Callable[[str], Helper] = Helper
    ) -> None:
        self._locations = locations
        self._new_helper = new_helper

    def find(self, host: str, path: str = "") -> Credential | None:
        """Return the credential for a repository's path at a registry, or None.

        The most specific entry of the first file that has one counts. ``host`` is
        ``docker.io`` or a ``host[:port]``.

        Raises:
            Invalid: a file is malformed.
            Unavailable: a helper fails.
        """
        keys = [*_namespaces(host, path), *_names(host)]
        for file in self._files():
            for key in keys:
                name = file.helper_for(key)
                found = self._new_helper(name).get(key) if name else None
                found = found or file.find(key)
                if found:
                    return found
        return None

    def save(self, host: str, credential: Credential) -> Saved:
        """Keep a credential: in the helper that is configured, else in the file, in plain.

        Raises:
            Unavailable: there is no file to write, or a helper fails.
            Invalid: the file is malformed.
        """
        file, path = self._writable()
        key = _key(host)
        name = file.helper_for(key)
        if name:
            self._new_helper(name).store(key, credential)
            file.save(path, key, Credential())
            return Saved(name, plain=False)
        file.save(path, key, credential)
        return Saved(str(path), plain=True)

    def erase(self, host: str) -> bool:
        """Forget a registry's credential wherever it is kept; say whether there was one.

        Raises:
            Invalid: a file is malformed.
            Unavailable: a file cannot be written or a helper fails.
        """
        keys = _names(host)
        found = False
        for path in self._locations.files:
            file = AuthFile.read(path)
            for name in {file.helper_for(key) for key in keys} - {""}:
                helper = self._new_helper(name)
                for key in keys:
                    if helper.get(key):
                        helper.erase(key)
                        found = True
            if file.erase(path, keys):
                found = True
        return found

    def _files(self) -> Iterator[AuthFile]:
        if self._locations.inline:
            yield AuthFile.parse(self._locations.inline, "DOCKER_AUTH_CONFIG")
        for path in self._locations.files:
            yield AuthFile.read(path)

    def _writable(self) -> tuple[AuthFile, Path]:
        path = self._locations.writable
        if path is None:
            raise Unavailable("no file to keep credentials in", remedy="set HOME or DOCKER_CONFIG")
        return AuthFile.read(path), path


def _key(host: str) -> str:
    return HUB_KEY if host in _HUB_NAMES else host


def _names(host: str) -> list[str]:
    """Return all names under which tools keep a registry's credential, the usual one first."""
    if host in _HUB_NAMES:
        return list(_HUB_NAMES)
    return [host, f"https://{host}", f"http://{host}"]


def _namespaces(host: str, path: str) -> Iterator[str]:
    """Go through the repository and the namespaces above it, as Podman names them."""
    host = HUB if host in _HUB_NAMES else host
    while path:
        yield f"{host}/{path}"
        path = path.rpartition("/")[0]
