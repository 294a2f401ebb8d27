"""The two registries that are compared, each as one process to be measured on one processor."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.kit.registry import registry
from bench.kit.stopwatch import CommandFailed, program

USER, PASSWORD = "bench", "correct horse battery"
_NACRE = Path(sys.executable).with_name("nacre")
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A registry that runs: ``process`` is the first of its processes."""

    name: str
    port: int
    process: int

    @property
    def host(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.port}"


def on_processor(number: int | None) -> Sequence[str]:
    """Return what goes before a command to keep it on one processor; None leaves it free."""
    if number is None:
        return ()
    return ("taskset", "--cpu-list", str(number % (os.cpu_count() or 1)))


def add_user(data: Path) -> None:
    """Let the hub of a folder know `USER`, who may do everything."""
    argv = (_NACRE, "hub", "user", "add", USER, "--admin", "--password-stdin", "--data", data)
    done = subprocess.run(
        list(map(str, argv)), input=PASSWORD, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise CommandFailed(f"$ nacre hub user add\n{done.stderr}")


@contextmanager
def hub(
    data: Path,
    *,
    auth: bool = False,
    log: bool = False,
    processor: int | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[Serving]:
    """Serve a hub's folder, with one worker, until the block ends.

    Raises:
        CommandFailed: it did not start.
    """
    port = _free_port()
    data.mkdir(parents=True, exist_ok=True)
    own = {
        "NACRE_HUB_LOG_ACCESS": str(log).lower(),
        "NACRE_HUB_LOG_FILE": str(data / "access.log"),
        "NACRE_HUB_REGISTRY_VISIBILITY": "private" if auth else "public",
    }
    argv = [
        *on_processor(processor),
        str(_NACRE),
        *("hub", "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"),
        *(() if auth else ("--anonymous-push",)),
    ]
    errors = data / "server.log"
    with (
        errors.open("wb") as output,
        subprocess.Popen(
            argv,
            env={**os.environ, **own, **(more or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
        ) as server,
    ):
        try:
            _await_answer(server, port, errors)
            yield Serving("nacre hub", port, server.pid)
        finally:
            server.terminate()


@contextmanager
def docker_registry(
    data: Path, folder: Path, *, auth: bool = False, log: bool = False, processor: int | None = None
) -> Iterator[Serving]:
    """Serve a folder with Debian's docker-registry until the block ends.

    Raises:
        CommandFailed: it did not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    also: dict[str, Any] = {"log": {"level": "info", "accesslog": {"disabled": not log}}}
    if auth:
        (folder / "htpasswd").write_text(_htpasswd())
        also["auth"] = {"htpasswd": {"realm": "bench", "path": str(folder / "htpasswd")}}
    with registry(data, folder, also=also, before=on_processor(processor)) as served:
        yield Serving("docker-registry", served.port, served.process)


def _htpasswd() -> str:
    argv = [program("htpasswd"), "-nbB", USER, PASSWORD]
    return subprocess.run(argv, text=True, capture_output=True, check=True).stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answer(server: subprocess.Popen[bytes], port: int, errors: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise CommandFailed(f"the hub did not start:\n{errors.read_text()}") from None
            time.sleep(0.005)
        else:
            return
        finally:
            connection.close()
