"""Whether settings make sense: each by itself, and with the others."""

from __future__ import annotations

import ipaddress
import re

from nacre.errors import Invalid
from nacre.hub.configuration.options import Limits, Options, Server, written
from nacre.hub.configuration.rates import Rate
from nacre.oci.reference import is_domain, is_repository_path

_SERVICE = re.compile(r"[A-Za-z0-9._:/-]{1,255}")
_URL = re.compile(r"https?://([^/?#]+)(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")
_YEARS = 100 * 365 * 86_400  # seconds


class InvalidSettings(Invalid):
    """A setting of the hub is unknown or means nothing.

    ``key`` is which, as ``server.url``, where who says so does not know who set it.
    """

    usual_remedy = "nacre hub config prints every key"

    def __init__(self, message: str, *, remedy: str = "", key: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.key = key


def check(options: Options) -> None:
    """Check all.

    Raises:
        InvalidSettings: one of them cannot be used; it is named.
    """
    _check_server(options.server)
    _check_numbers(options)
    _check_rates(options.limits)
    for name in options.registry.sparse:
        if "/" in name or not is_repository_path(name):
            raise _refused("registry.sparse", f": {name!r} cannot be the name of a namespace")
    if not _SERVICE.fullmatch(options.auth.service):
        raise _refused("auth.service", f": {options.auth.service!r} is no name of a service")
    try:
        re.compile(options.registry.immutable)
    except re.error as error:
        raise _refused("registry.immutable", f": {error}") from None


def _refused(key: str, why: str, remedy: str = "") -> InvalidSettings:
    return InvalidSettings(f"{key}{why}", remedy=remedy, key=key)


def _check_server(server: Server) -> None:
    if bool(server.tls_certificate) != bool(server.tls_key):
        stated = "server.tls-certificate" if server.tls_certificate else "server.tls-key"
        raise InvalidSettings("server.tls-certificate and server.tls-key go together", key=stated)
    if server.url and not _is_address(server.url):
        raise _refused(
            "server.url",
            f": {server.url!r} is not an http or https address",
            "write it like https://hub.example.com",
        )
    for proxy in server.trusted_proxies:
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            raise _refused("server.trusted-proxies", f": {proxy!r} is no address") from None


def _is_address(url: str) -> bool:
    """Say whether clients can be sent to a URL: it is put into headers of answers as it is."""
    match = _URL.fullmatch(url)
    return match is not None and is_domain(match[1])


def _check_numbers(options: Options) -> None:
    server, auth, registry, limits = options.server, options.auth, options.registry, options.limits
    seconds = registry.client_patience.total_seconds()
    collection = options.collection
    for key, number, least, most in (
        ("server.workers", server.workers, 1, 64),
        ("server.stop-within", server.stop_within.total_seconds(), 1, 86_400),
        ("auth.token-life", auth.token_life.total_seconds(), 60, 86_400),
        ("registry.manifest-limit", registry.manifest_limit, 1024, 1 << 30),
        ("registry.page", registry.page, 1, 100_000),
        ("registry.client-patience", seconds, 1, 86_400),
        # Without any, what a client was told to be there could go before it uses it.
        ("collection.grace", collection.grace.total_seconds(), 1, _YEARS),
        ("collection.trash", collection.trash.total_seconds(), 1, _YEARS),
        # Never off: what is not carried to the journal piles up in the records.
        ("collection.journal", collection.journal.total_seconds(), 0.1, 86_400),
        ("limits.header", limits.header, 8192, 1 << 24),
        ("limits.uploads", limits.uploads, 1, 100_000),
    ):
        if not least <= number <= most:
            unit = " seconds" if isinstance(number, float) else ""
            raise _refused(key, f" must be from {least} to {most}{unit}")


def _check_rates(limits: Limits) -> None:
    for name in ("pulls", "pulls_anonymous", "requests", "logins"):
        try:
            Rate.read(getattr(limits, name))
        except Invalid as error:
            raise _refused(f"limits.{written(name)}", f": {error}", error.remedy) from None
