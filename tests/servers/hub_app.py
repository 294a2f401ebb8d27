"""A registry for granian: SQLite and a folder, anybody may push.

Started by `running_hub_app` as a process of its own, with what it needs in the environment.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nacre.hub.accounts.attempts import Attempts
from nacre.hub.accounts.logins import Logins
from nacre.hub.accounts.passwords import Passwords
from nacre.hub.api.observing import App, Receive, Scope, Send
from nacre.hub.api.routes import registry_app
from nacre.hub.auth.gate import Gate
from nacre.hub.auth.signing import KeyRing
from nacre.hub.auth.tokens import Tokens
from nacre.hub.storage.folder import FolderPlace
from nacre.hub.storage.sql import open_records

ROOT = Path(__file__).resolve().parents[2]


def _now() -> datetime:
    return datetime.now(UTC)


class HubApp:
    """Opens the hub when the server starts and closes it when it ends."""

    def __init__(self, data: Path, patience: timedelta) -> None:
        self._data = data
        self._patience = patience
        self._app: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        async with AsyncExitStack() as stack:
            (self._data / "blobs").mkdir(exist_ok=True)
            records = await stack.enter_async_context(open_records(self._data / "hub.db"))
            passwords = stack.enter_context(Passwords())
            logins = Logins(records.users, passwords, Attempts(_now), _now)
            tokens = Tokens(KeyRing(records.keys, _now), service="test", now=_now)
            self._app = registry_app(
                records,
                FolderPlace(self._data / "blobs"),
                Gate(records.repositories, logins, tokens, anonymous_push=True),
                service="test",
                now=_now,
                patience=self._patience,
            )
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def create() -> HubApp:
    """Return the application, as the environment says."""
    patience = timedelta(seconds=float(os.environ["HUB_PATIENCE"]))
    return HubApp(Path(os.environ["HUB_DATA"]), patience)


@contextmanager
def running_hub_app(data: Path, *, patience: float = 60, workers: int = 1) -> Iterator[int]:
    """Give the port of a hub on loopback, with its data in a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--loop", "uvloop"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    command += ["--log-level", "warning", "--factory", "tests.servers.hub_app:create"]
    environment = {**os.environ, "HUB_DATA": str(data), "HUB_PATIENCE": str(patience)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        _wait(process, port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the hub did not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the hub does not answer")
