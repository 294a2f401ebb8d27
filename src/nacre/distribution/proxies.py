"""Which proxy a connection goes through, by the rules of HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from nacre.distribution.endpoint import is_loopback
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.distribution.exchange import Origin


class Proxies(Value):
    """Proxy addresses by scheme, and the hosts that are reached without one.

    An entry of ``none`` is ``*``, a domain (which includes what lies below it), a domain with a
    leading dot (only what lies below), an address, or a network as ``10.0.0.0/8``; each may end
    in ``:port``.
    """

    http: str = ""
    https: str = ""
    none: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Proxies:
        """Read the variables; lower-case names count before upper-case ones."""

        def value(name: str) -> str:
            return environment.get(name.lower()) or environment.get(name, "")

        none = tuple(entry.strip() for entry in value("NO_PROXY").split(",") if entry.strip())
        return cls(_url(value("HTTP_PROXY")), _url(value("HTTPS_PROXY")), none)

    def choose(self, origin: Origin) -> str:
        """Return the address of the proxy for an origin, or ""; loopback never has one."""
        if is_loopback(origin.address) or any(_matches(entry, origin) for entry in self.none):
            return ""
        return self.https if origin.scheme == "https" else self.http


def _url(value: str) -> str:
    return value if not value or "://" in value else f"http://{value}"


def _matches(entry: str, origin: Origin) -> bool:
    if entry == "*":
        return True
    name, port = _split_port(entry.lower())
    if port and port != str(origin.port):
        return False
    host = origin.host.lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        suffix = name.removeprefix("*")
        return host == suffix or host.endswith(suffix if suffix.startswith(".") else f".{suffix}")
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""
