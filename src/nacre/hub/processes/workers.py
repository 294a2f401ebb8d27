"""The workers of a hub: the processes that serve, each with the whole application.

Loaded only to serve: the server is large. The process that was started keeps them: SIGTERM and
SIGINT end them after the requests in flight, SIGHUP replaces them one after another. Signals may
come to all processes at once (a terminal's do), and at any moment (see ``stopping``).
"""

from __future__ import annotations

import logging
import resource
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer, WorkerProcess

from nacre.errors import NacreError
from nacre.hub.app import HubApp, create_app
from nacre.hub.configuration.settings import Settings
from nacre.hub.processes import loop
from nacre.hub.processes.stopping import leave_renewing_to_the_parent
from nacre.hub.processes.worker import HeldWorker

_BUFFER = 96 * 1024
"""Bytes that a connection holds on their way in or out. Measured: with 64 KiB, pushes take a third
longer; with more, many slow pulls take memory."""

_log = logging.getLogger("_granian")
_MOST_FILES = 1 << 16
_GLANCE = 0.05
"""How often to look whether a worker listens, in seconds."""


@dataclass
class Loader:
    """What each worker calls for its application, with the settings as they are then."""

    settings: Settings

    def __call__(self) -> HubApp:
        """Return the application."""
        leave_renewing_to_the_parent()
        return create_app(self.settings)


class Workers(MPServer):
    """Keeps the workers.

    Args:
        settings: of the hub.
        address: host and port to listen on.
        again: reads the settings anew, with all that belongs to them, and checks them.
        on_ready: called when the first worker takes connections.
    """

    def __init__(
        self,
        settings: Settings,
        address: tuple[str, int],
        again: Callable[[], Settings],
        on_ready: Callable[[], None],
    ) -> None:
        options = settings.options
        super().__init__(
            "nacre-hub",
            address=address[0],
            port=address[1],
            interface=Interfaces.ASGI,
            workers=options.server.workers,
            loop=cast("Loops", loop.NAME),
            websockets=False,
            # With HTTP/2, a connection that never says anything would never be closed.
            http=HTTPModes.http1,
            backpressure=_most_connections(),
            log_level=LogLevels.warning,
            log_dictconfig=_to_standard_error(),
            workers_kill_timeout=round(options.server.stop_within.total_seconds()),
            respawn_failed_workers=True,
        )
        self._loader = Loader(settings)
        self._address = address
        self._again = again
        self._on_ready = on_ready
        self._take_over(settings)

    def run(self) -> None:
        """Serve until told to stop by a signal."""
        self.serve(target_loader=self._loader, wrap_loader=False)

    def startup(self, spawn_target: object, target_loader: object) -> None:
        """Start the workers, and wait until one listens; the process itself never does."""
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        # Not by waiting for it: a signal that comes while its lock is held would wait for ever.
        while not self.main_loop_interrupt.is_set():
            if _takes_connections(self._address):
                self._on_ready()
                return
            time.sleep(_GLANCE)

    def signal_handler_interrupt(self, *args: object) -> None:
        """Stop; a worker that was told so too, and is quicker, has not failed."""
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        super().signal_handler_interrupt(*args)  # type: ignore[no-untyped-call]

    def signal_handler_reload(self, *_args: object) -> None:
        """Replace the workers; with settings that cannot be used, everything stays as it is."""
        try:
            settings = self._again()
            self._take_over(settings)
        except NacreError as error:
            _log.error("nothing was changed: %s", error)
            return
        self._loader.settings = settings
        _log.warning("the settings were read anew, the workers are being replaced")
        super().signal_handler_reload()  # type: ignore[no-untyped-call]

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> WorkerProcess:
        """Make a worker; granian's own way to make one knows only its own kind."""
        worker = super()._spawn_worker(*args, **kwargs)
        worker.__class__ = HeldWorker
        return worker

    def _respawn_workers(self, *args: Any, **kwargs: Any) -> None:
        """Replace workers; what was asked for since the server last looked is not forgotten."""
        super()._respawn_workers(*args, **kwargs)
        if self.interrupt_signal or self.reload_signal:
            self.main_loop_interrupt.set()

    def _stop_workers(self) -> None:
        """Stop all; those that ended before count as failed only if nobody had told us to stop."""
        super()._stop_workers()  # type: ignore[no-untyped-call]
        if self.interrupt_signal:
            self.interrupt_children.clear()

    def _take_over(self, settings: Settings) -> None:
        """Use what of the settings is the server's own, at the next start of a worker."""
        options = settings.options
        patience = round(options.registry.client_patience.total_seconds() * 1000)
        self.http1_settings = HTTP1Settings(
            header_read_timeout=patience, max_buffer_size=max(options.limits.header, _BUFFER)
        )
        certificate, key = options.server.tls_certificate, options.server.tls_key
        if certificate:
            self.build_ssl_context(
                Path(certificate), Path(key), None, SSLProtocols.tls12, None, [], False
            )


def _takes_connections(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def _most_connections() -> int:
    """Return how many connections a worker may have; lets it have as many files as it is allowed.

    Each may have a blob open, and a connection to the records.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, _MOST_FILES) if hard != resource.RLIM_INFINITY else _MOST_FILES
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(most // 4, 128)


def _to_standard_error() -> dict[str, Any]:
    handler = {
        "formatter": "generic",
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stderr",
    }
    return {"handlers": {"console": handler, "access": handler}}
