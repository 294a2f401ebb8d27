"""The workers of a hub: the processes that serve, each with the whole application.

Loaded only to serve: the server is large. The process that was started keeps them: SIGTERM and
SIGINT end them after the requests in flight, SIGHUP replaces them. Signals may come to all of a
hub's processes at once (a terminal's do), and at any moment (see ``stopping``).
"""

from __future__ import annotations

import logging
import resource
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer, WorkerProcess

from nacre.errors import NacreError
from nacre.hub.app import HubApp, create_app
from nacre.hub.configuration.settings import Settings
from nacre.hub.processes import loop
from nacre.hub.processes.certificate import Certificate, checked_certificate
from nacre.hub.processes.stopping import leave_renewing_to_the_parent
from nacre.hub.processes.wakeup import Wakeup
from nacre.hub.processes.worker import HeldWorker, living, serves

_BUFFER = 96 * 1024
"""Bytes that a connection holds on their way in or out. Measured: with 64 KiB, pushes take a third
longer; with more, many slow pulls take memory."""

_log = logging.getLogger("_granian")
_MOST_FILES = 1 << 16
_GLANCE = 0.05
"""How often to look whether a worker listens, in seconds."""
_FORGIVEN = 5
"""How many workers may end by themselves within a minute, however soon after each other."""


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
        certificate: what the workers show; it is closed when another takes its place.
        again: reads the settings anew and checks them.
        on_ready: called when the first worker takes connections.
    """

    def __init__(
        self,
        settings: Settings,
        address: tuple[str, int],
        certificate: Certificate | None,
        again: Callable[[], Settings],
        on_ready: Callable[[], None],
    ) -> None:
        super().__init__(
            "nacre-hub",
            address=address[0],
            port=address[1],
            interface=Interfaces.ASGI,
            workers=settings.options.server.workers,
            loop=cast("Loops", loop.NAME),
            websockets=False,
            # With HTTP/2, a connection that never says anything would never be closed.
            http=HTTPModes.http1,
            backpressure=_most_connections(),
            log_level=LogLevels.warning,
            log_dictconfig=_to_standard_error(),
            respawn_failed_workers=True,
        )
        self.main_loop_interrupt = cast("Any", Wakeup())
        self._loader = Loader(settings)
        self._certificate = certificate
        self._address = address
        self._again = again
        self._on_ready = on_ready
        self._aside: list[WorkerProcess] = []
        self._ends: list[float] = []
        self._use(settings, certificate)

    def run(self) -> None:
        """Serve until told to stop by a signal."""
        self.serve(target_loader=self._loader, wrap_loader=False)

    def startup(self, spawn_target: object, target_loader: object) -> None:
        """Start the workers, and wait until one listens; the process itself never does."""
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        while not self.main_loop_interrupt.is_set():
            if _takes_connections(self._address):
                self._on_ready()
                return
            time.sleep(_GLANCE)

    def signal_handler_interrupt(self, *args: object) -> None:
        """Stop; a worker that was told so too, and is quicker, has not failed."""
        for worker in (*self.wrks, *self._aside):
            worker.interrupt_by_parent = True
        super().signal_handler_interrupt(*args)  # type: ignore[no-untyped-call]

    def _reload(self, spawn_target: object, target_loader: object) -> None:
        """Replace the workers; where that cannot be done, everything stays as it is.

        Those before serve until all others do, and then finish what they have begun, however long
        that takes: granian would replace one after another, and kill those with slow clients.
        """
        self.reload_signal = False
        self.main_loop_interrupt.clear()
        before = self._loader.settings, self._certificate
        try:
            settings = self._again()
            certificate = checked_certificate(settings.options.server)
        except NacreError as error:
            _log.error("nothing was changed: %s", error)
        else:
            _log.warning("the settings were read anew, the workers are being replaced")
            self._use(settings, certificate)
            unused = before[1]
            if not self._replace_workers(spawn_target, target_loader):
                self._use(*before)
                unused = certificate
            if unused:
                unused.close()
        self._look_again()

    def _replace_workers(self, spawn_target: object, target_loader: object) -> bool:
        """Let others serve; return False, and let the same ones do so, when they fail to."""
        leaving = self.wrks
        self._aside = [*living(self._aside), *leaving]
        self.wrks = []
        for index in range(self.workers):
            worker = self._spawn_worker(index, spawn_target, target_loader)
            worker.interrupt_by_parent = True  # Nobody needs it yet: it may end.
            worker.start()
            self.wrks.append(worker)
        if not (serve := self._wait_until_they_serve()):
            leaving, self.wrks = self.wrks, leaving
            self._aside = [*(each for each in self._aside if each not in self.wrks), *leaving]
        for each in leaving:
            each.terminate()  # type: ignore[no-untyped-call]
        return serve

    def _wait_until_they_serve(self) -> bool:
        """Return False when a worker ended before that, or the hub was told something else."""
        while not all(serves(worker) for worker in self.wrks):
            if self.interrupt_signal or self.reload_signal:
                return False
            if living(self.wrks) != self.wrks:
                _log.error("nothing was changed: the new workers do not start")
                return False
            time.sleep(_GLANCE)
        for worker in self.wrks:
            worker.interrupt_by_parent = self.interrupt_signal
        return living(self.wrks) == self.wrks

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> HeldWorker:
        """Make a worker; granian's own way to make one knows only its own kind."""
        worker = super()._spawn_worker(*args, **kwargs)
        worker.__class__ = HeldWorker
        return cast("HeldWorker", worker)

    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        """Replace workers that ended by themselves.

        Granian ends the hub when the same one does so twice within seconds. Those that somebody
        kills are no reason for that; those that cannot start are many within a minute.
        """
        super()._respawn_workers(workers, *args, **kwargs)
        now = time.monotonic()
        self._ends = [*(end for end in self._ends if now - end < 60), *(now for _ in workers)]
        if len(self._ends) <= _FORGIVEN:
            self.respawned_wrks.clear()
        self._look_again()

    def _look_again(self) -> None:
        """Let the main loop see what was asked for since it last looked."""
        if self.interrupt_signal or self.reload_signal or self.interrupt_children:
            self.main_loop_interrupt.set()

    def _stop_workers(self) -> None:
        """Stop all; those that ended before count as failed only if nobody had told us to stop."""
        self.wrks += living(self._aside)
        super()._stop_workers()  # type: ignore[no-untyped-call]
        if self.interrupt_signal:
            self.interrupt_children.clear()

    def _use(self, settings: Settings, certificate: Certificate | None) -> None:
        """Start workers with these from now on."""
        self._loader.settings, self._certificate = settings, certificate
        options = settings.options
        patience = round(options.registry.client_patience.total_seconds() * 1000)
        self.http1_settings = HTTP1Settings(
            header_read_timeout=patience, max_buffer_size=max(options.limits.header, _BUFFER)
        )
        self.workers_kill_timeout = round(options.server.stop_within.total_seconds())
        # Not by `build_ssl_context`, which resolves paths: those of files in memory lead nowhere.
        made: Any = (
            certificate is not None,
            certificate.chain if certificate else None,
            certificate.key if certificate else None,
            None,
            str(SSLProtocols.tls12),
            None,
            [],
            False,
        )
        self.ssl_ctx = made


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
