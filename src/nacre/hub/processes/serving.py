"""Starting to serve: the address, the certificate, then the workers."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from nacre.errors import Conflict, Invalid, Unavailable
from nacre.hub.configuration.settings import Settings
from nacre.hub.processes.stopping import held


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
        raise Unavailable(
            f"cannot listen on {shown}: {error.strerror}", remedy="choose another with --listen"
        ) from None


def check_certificate(settings: Settings) -> None:
    """Check that the certificate and its key, if there are any, can be used.

    Raises:
        Invalid: they cannot.
    """
    server = settings.options.server
    certificate, key = server.tls_certificate, server.tls_key
    if not certificate:
        return
    _read(certificate, "server.tls-certificate")
    if b"ENCRYPTED" in _read(key, "server.tls-key"):
        raise Invalid(
            f"the key {key} needs a password",
            remedy="'openssl pkcs8 -topk8 -nocrypt' makes one without",
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, _no_password)
    except (OSError, ssl.SSLError) as error:
        is_other = getattr(error, "reason", "") == "KEY_VALUES_MISMATCH"
        reason = "the key is another certificate's" if is_other else "they are not PEM, or damaged"
        raise Invalid(
            f"cannot use the certificate {certificate} with the key {key}: {reason}",
            remedy="check server.tls-certificate and server.tls-key",
        ) from None


def _read(file: str, setting: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Invalid(f"cannot read {file}: {error.strerror}", remedy=f"check {setting}") from None


def _no_password() -> str:
    """Answer for a key that needs one, which otherwise is asked for at the terminal."""
    return ""


def serve(
    settings: Settings,
    address: tuple[str, int],
    *,
    again: Callable[[], Settings],
    on_ready: Callable[[], None],
) -> None:
    """Serve until told to stop by a signal.

    Args:
        settings: of the hub, whose certificate was checked.
        address: where to listen, from `free_address`.
        again: reads the settings anew and checks them, at SIGHUP.
        on_ready: called when connections are taken.
    """
    with held():  # What a signal raises while something is imported may be lost.
        # Loaded before the workers are forked: they share it, and start at once.
        from nacre.hub.processes.workers import Workers  # noqa: PLC0415

    Workers(settings, address, again, on_ready).run()
