"""Starting to serve: the address, then the workers."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from nacre.errors import Conflict, Unavailable
from nacre.hub.configuration.settings import Settings
from nacre.hub.processes.certificate import Certificate
from nacre.hub.processes.stopping import held

_NOT_OURS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class AddressInUse(Conflict):
    """Somebody else listens there."""


def free_address(settings: Settings) -> tuple[str, int]:
    """Return the IP address and port to listen on; port 0 becomes one that is free.

    Of the addresses that a name has, the first that this machine has too.

    Raises:
        AddressInUse: another process listens there.
        Unavailable: the name means no address, this machine does not have it, or we may not use
            the port.
    """
    host, port = settings.address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _refused(settings, error) from None
    except UnicodeError:
        raise _refused(settings, OSError(errno.EINVAL, "that is no name")) from None
    reason = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    for family, _type, _protocol, _name, address in found:
        try:
            return _probed(family, str(address[0]), port)
        except OSError as error:
            reason = error
        if reason.errno not in _NOT_OURS:
            break
    raise _refused(settings, reason)


def _refused(settings: Settings, reason: OSError) -> Conflict | Unavailable:
    what, remedy = settings.options.server.listen, "choose another with --listen"
    if reason.errno == errno.EADDRINUSE:
        return AddressInUse(f"cannot listen on {what}: it is in use", remedy=remedy)
    return Unavailable(f"cannot listen on {what}: {reason.strerror}", remedy=remedy)


def _probed(family: int, address: str, port: int) -> tuple[str, int]:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # The server shares its port among workers, and so would share it with another hub.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))
        return address, probe.getsockname()[1]


def serve(
    settings: Settings,
    address: tuple[str, int],
    certificate: Certificate | None,
    *,
    again: Callable[[], Settings],
    on_ready: Callable[[], None],
) -> None:
    """Serve until told to stop by a signal.

    Args:
        settings: of the hub.
        address: where to listen, from `free_address`.
        certificate: what to show, from `checked_certificate`; None for plain HTTP.
        again: reads the settings anew and checks them, at SIGHUP.
        on_ready: called when connections are taken.
    """
    with held():  # What a signal raises while something is imported may be lost.
        # Loaded before the workers are forked: they share it, and start at once.
        from nacre.hub.processes.workers import Workers  # noqa: PLC0415

    Workers(settings, address, certificate, again, on_ready).run()
