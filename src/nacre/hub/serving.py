"""The server process: sockets, workers, signals.

The process that was started keeps the workers, each of which runs the whole application. SIGTERM
and SIGINT let requests in flight end, SIGHUP replaces the workers one after another, with the
settings and the TLS certificate as they are then.
"""

from __future__ import annotations

import errno
import functools
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacre.errors import Conflict, Invalid, Unavailable
from nacre.hub.app import create_app
from nacre.hub.settings import Settings


class AddressInUse(Conflict):
    """Somebody else listens there."""


def free_address(settings: Settings) -> tuple[str, int]:
    """Return the host and port to listen on; port 0 becomes one that is free.

    Raises:
        AddressInUse: another process listens there.
        Unavailable: this machine has no such address, or we may not use the port.
    """
    host, port = settings.address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # The server shares its port among workers, and so would share it with another hub.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return host, probe.getsockname()[1]
    except OSError as error:
        shown = settings.options.server.listen
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(
                f"cannot listen on {shown}: it is in use", remedy="choose another with --listen"
            ) from None
        raise Unavailable(f"cannot listen on {shown}: {error.strerror}") from None


def serve(settings: Settings, address: tuple[str, int], on_ready: Callable[[], None]) -> None:
    """Serve until told to stop by a signal.

    Args:
        settings: of the hub.
        address: where to listen, from `free_address`.
        on_ready: called once the socket is open.

    Raises:
        Invalid: the certificate or its key cannot be used.
    """
    # Loaded before the workers are forked: they share it, and start at once.
    from granian.constants import Interfaces, Loops  # noqa: PLC0415
    from granian.http import HTTP1Settings, HTTP2Settings  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415
    from granian.server.mp import MPServer  # noqa: PLC0415

    options = settings.options
    patience = round(options.registry.client_patience.total_seconds() * 1000)
    server = MPServer(
        "nacre-hub",
        address=address[0],
        port=address[1],
        interface=Interfaces.ASGI,
        workers=options.server.workers,
        loop=Loops.uvloop,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=_to_standard_error(),
        http1_settings=HTTP1Settings(
            header_read_timeout=patience, max_buffer_size=max(options.limits.header, 8192)
        ),
        http2_settings=HTTP2Settings(max_headers_size=options.limits.header),
        workers_kill_timeout=round(options.server.stop_within.total_seconds()),
        respawn_failed_workers=True,
        **_tls(options.server.tls_certificate, options.server.tls_key),
    )
    server.on_startup(on_ready)
    server.serve(target_loader=functools.partial(create_app, settings), wrap_loader=False)


def _tls(certificate: str, key: str) -> dict[str, Any]:
    if not certificate:
        return {}
    from granian.constants import SSLProtocols  # noqa: PLC0415

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or str(error)
        raise Invalid(
            f"cannot use the certificate {certificate} with the key {key}: {reason}",
            remedy="check server.tls-certificate and server.tls-key",
        ) from None
    return {
        "ssl_cert": Path(certificate),
        "ssl_key": Path(key),
        "ssl_protocol_min": SSLProtocols.tls12,
    }


def _to_standard_error() -> dict[str, Any]:
    handler = {
        "formatter": "generic",
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stderr",
    }
    return {"handlers": {"console": handler, "access": handler}}
