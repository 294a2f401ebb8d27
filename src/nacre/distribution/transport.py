"""The one place that opens network connections: sends a request, returns the reply.

No authentication, no redirects, no retries: see `session`. Connections are kept and shared by
all threads.
"""

from __future__ import annotations

import ssl
import threading
import warnings
from typing import Any, Self
from urllib.parse import unquote

import urllib3

from nacre.distribution import transport_tls
from nacre.distribution.endpoint import HUB_HOST
from nacre.distribution.exchange import Origin, Request, origin
from nacre.distribution.settings import HostSettings, InvalidSettings, RegistrySettings
from nacre.distribution.transport_errors import translated
from nacre.distribution.transport_patience import POOLS
from nacre.distribution.transport_reply import Reply
from nacre.oci.reference import HUB

_KEPT_CONNECTIONS = 8
_BLOCK = 1024 * 1024


class Transport:
    """Pools of connections, one for each scheme, host and port, each with its TLS and proxy."""

    def __init__(self, settings: RegistrySettings, *, user_agent: str) -> None:
        self._settings = settings
        self._user_agent = user_agent
        self._pools: dict[Origin, urllib3.PoolManager] = {}
        self._contexts: dict[tuple[transport_tls.TlsFiles, bool], ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def send(self, request: Request) -> Reply:
        """Send one request and return its reply, whatever its status; the caller closes it.

        Raises:
            ConnectionFailed: no reply came.
            InvalidSettings: the proxy has no address that can be used.
        """
        pool = self._pool(origin(request.url))
        headers = {
            "User-Agent": self._user_agent,
            "Accept-Encoding": "identity",
            **request.headers,
        }
        body = request.body
        if body is not None:
            headers["Content-Length"] = str(len(body) if isinstance(body, bytes) else body.length)
        with translated(request.url):
            response = pool.urlopen(
                request.method,
                request.url,
                redirect=False,
                retries=False,
                headers=headers,
                body=body,
                preload_content=False,
                decode_content=False,
            )
        return Reply(response, request.url)

    def has_authority(self, host: str) -> bool:
        """Say whether an authority is configured for ``host[:port]`` in particular."""
        return bool(self._files(origin(f"https://{host}")).authorities)

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pool(self, origin: Origin) -> urllib3.PoolManager:
        with self._lock:
            pool = self._pools.get(origin)
            if pool is None:
                pool = self._pools[origin] = self._new_pool(origin)
            return pool

    def _new_pool(self, origin: Origin) -> urllib3.PoolManager:
        settings = self._settings
        options: dict[str, Any] = {
            "num_pools": 1,
            "maxsize": _KEPT_CONNECTIONS,
            "block": False,
            "blocksize": _BLOCK,
            "timeout": urllib3.Timeout(
                connect=settings.timeouts.connect, read=settings.timeouts.read
            ),
        }
        if origin.scheme == "https":
            options["ssl_context"] = self._context(origin)
        proxy = settings.proxies.choose(origin)
        pool = _through(proxy, options, origin) if proxy else urllib3.PoolManager(**options)
        pool.pool_classes_by_scheme = POOLS
        return pool

    def _context(self, origin: Origin) -> ssl.SSLContext:
        """Return the TLS context for a host; hosts without files of their own share one."""
        verify = not any(self._settings.at(name).insecure for name in _names(origin))
        if not verify:
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        files = self._files(origin)
        if (files, verify) not in self._contexts:
            self._contexts[files, verify] = transport_tls.context(files, verify=verify)
        return self._contexts[files, verify]

    def _files(self, origin: Origin) -> transport_tls.TlsFiles:
        names = _names(origin)
        configured = next(
            (at for at in map(self._settings.at, names) if at != HostSettings()), None
        )
        return transport_tls.find(
            names, self._settings.certificate_directories, configured or HostSettings()
        )


def _through(proxy: str, options: dict[str, Any], origin: Origin) -> urllib3.ProxyManager:
    """Return a pool of connections that go through a proxy."""
    try:
        user = urllib3.util.parse_url(proxy).auth
        credentials = urllib3.make_headers(proxy_basic_auth=unquote(user) if user else None)
        return urllib3.ProxyManager(proxy, proxy_headers=credentials, **options)
    except urllib3.exceptions.LocationValueError:
        # The address itself stays unsaid: it may hold a password.
        raise InvalidSettings(
            f"the proxy for {origin.address} has no http or https address",
            remedy="check HTTP_PROXY and HTTPS_PROXY",
        ) from None


def _names(origin: Origin) -> tuple[str, ...]:
    """Return the names under which a host may be configured, the exact one first."""
    if origin.port != 443:
        return (origin.address,)
    host = origin.address.removesuffix(":443")
    return (origin.address, host, HUB) if host == HUB_HOST else (origin.address, host)
