"""Endpoints: where a registry's names are really served, and by which schemes to try it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from nacre.errors import Invalid
from nacre.oci.reference import HUB, is_domain, is_repository_path
from nacre.value import Value

HUB_HOST = "registry-1.docker.io"
"""The host that serves the names of ``docker.io``."""

HTTPS_ONLY = ("https",)
HTTPS_FIRST = ("https", "http")
HTTP_FIRST = ("http", "https")


class InvalidPort(Invalid):
    """A host is written with a port beyond 65535."""

    usual_remedy = "write HOST:PORT with a port from 1 to 65535"


class Endpoint(Value):
    """A host that serves the names of ``domain``, below ``prefix`` when that is not empty.

    ``host`` is ``host[:port]``. ``scheme`` is "" unless the address itself states one.
    ``verify`` says whether certificates count.
    """

    domain: str
    host: str
    prefix: str = ""
    scheme: str = ""
    verify: bool = True

    @classmethod
    def of(cls, domain: str, location: str, *, insecure: bool = False) -> Endpoint:
        """Return the endpoint at an address that `is_address` accepts.

        Raises:
            InvalidPort: the grammar of names knows no largest port, but there is one.
        """
        scheme, _, rest = location.rpartition("://")
        host, _, prefix = rest.partition("/")
        if not _has_sound_port(host):
            raise InvalidPort(f"{host} has a port that is none")
        return cls(domain, host, prefix, scheme, not insecure)

    @property
    def credential_host(self) -> str:
        """The host under which credentials are kept; Docker Hub is known as its domain.

        Credentials belong to the host that gets them, so a relocated domain has others.
        """
        return HUB if self.host == HUB_HOST else self.host

    def path(self, path: str) -> str:
        """Return the path of a repository here."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def schemes(self, *, has_authority: bool) -> tuple[str, ...]:
        """Return the schemes to try, in order.

        Everything but https needs the user's word, except on this very machine, where nobody
        listens in. There plain http is the usual case, so it is tried first, unless an authority
        was installed for the host (``has_authority``) or the port says otherwise.
        """
        if self.scheme:
            return (self.scheme,)
        if is_loopback(self.host):
            secure = has_authority or self.host.endswith(":443")
            return HTTPS_FIRST if secure else HTTP_FIRST
        return HTTPS_ONLY if self.verify else HTTPS_FIRST


def is_loopback(host: str) -> bool:
    """Say whether ``host[:port]`` is this machine: localhost, 127.0.0.0/8 or ::1."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _has_sound_port(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").port != 0
    except ValueError:
        return False


def is_address(text: str) -> bool:
    """Say whether this is ``[http[s]://]HOST[:PORT][/PREFIX]``."""
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme not in ("http", "https"):
        return False
    host, _, prefix = rest.rstrip("/").partition("/")
    return is_domain(host) and (not prefix or is_repository_path(prefix))
