"""Debian's docker-registry on a free loopback port: the foreign registry that tests talk to."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.peers.certificates import Authority
from tests.peers.tools import require_tool, run, succeed, wait_until

_ACCESS = re.compile(
    r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d+) (?P<sent>\d+)'
)
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
_SETTLED = "/v2/?settled="


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the registry answered; ``sent`` counts the bytes of the answer's body."""

    method: str
    path: str
    status: int
    sent: int


class DockerRegistry:
    """A running docker-registry. ``host`` is what goes before the first slash of a reference."""

    def __init__(self, folder: Path, port: int, *, tls: ssl.SSLContext | None) -> None:
        self.folder = folder
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        self._tls = tls
        self._marks = count(1)

    def requests(self, method: str = "", path: str = "") -> list[Request]:
        """Return what was asked so far, oldest first; ``path`` is a regular expression."""
        self._settle()
        return [
            request
            for request in self._logged()
            if method in ("", request.method)
            and re.search(path, request.path)
            and not request.path.startswith(_SETTLED)
        ]

    def count(self, method: str = "", path: str = "") -> int:
        """Return how many such requests were answered so far."""
        return len(self.requests(method, path))

    def _logged(self) -> Iterator[Request]:
        for found in _ACCESS.finditer((self.folder / "access.log").read_text()):
            yield Request(found["method"], found["path"], int(found["status"]), int(found["sent"]))

    def _settle(self) -> None:
        # The registry logs a request after answering it, so a client may be ahead of the log.
        mark = f"{_SETTLED}{next(self._marks)}"
        connection = self._connect()
        try:
            connection.request("GET", mark)
            connection.getresponse().read()
        finally:
            connection.close()
        wait_until(
            lambda: any(request.path == mark for request in self._logged()), "docker-registry's log"
        )

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self._tls)


@contextmanager
def running_registry(
    folder: Path,
    *,
    user: str = "",
    password: str = "",
    authority: Authority | None = None,
    client_authority: Authority | None = None,
    delete: bool = False,
    port: int = 0,
) -> Iterator[DockerRegistry]:
    """Start a registry that keeps its data in ``folder``, and end it on leaving.

    ``user`` and ``password`` turn on basic authentication, ``authority`` TLS with a certificate
    it issues, ``client_authority`` the demand for a client certificate; ``delete`` allows
    deletion. ``port`` 0 takes a free one; the same folder and port give the same registry again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = _config(folder, port=port, delete=delete)
    tls = None
    if user:
        file = _password_file(folder, user, password)
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(file)}}
    if authority:
        config["http"]["tls"], tls = _tls(authority, client_authority)
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    argv = [require_tool("docker-registry"), "serve", str(folder / "config.yml")]
    with (
        (folder / "access.log").open("ab") as access,
        (folder / "server.log").open("wb") as server,
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=access, stderr=server) as process,
    ):
        try:
            port = _listening_port(process, folder / "server.log")
            yield DockerRegistry(folder, port, tls=tls)
        finally:
            process.terminate()


def _config(folder: Path, *, port: int, delete: bool) -> dict[str, Any]:
    return {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "data")},
            "delete": {"enabled": delete},
        },
        "http": {"addr": f"127.0.0.1:{port}"},
    }


def _password_file(folder: Path, user: str, password: str) -> Path:
    hashed = succeed(run(require_tool("htpasswd"), "-iBn", user, stdin=f"{password}\n")).stdout
    file = folder / "htpasswd"
    file.write_text(hashed)
    return file


def _tls(
    authority: Authority, client_authority: Authority | None
) -> tuple[dict[str, Any], ssl.SSLContext]:
    server = authority.issue("registry")
    settings: dict[str, Any] = {"certificate": str(server.certificate), "key": str(server.key)}
    context = ssl.create_default_context(cafile=authority.certificate)
    if client_authority:
        settings["clientcas"] = [str(client_authority.certificate)]
        client = client_authority.issue("registry-log-reader")
        context.load_cert_chain(client.certificate, client.key)
    return settings, context


def _listening_port(process: subprocess.Popen[bytes], log: Path) -> int:
    wait_until(
        lambda: process.poll() is not None or _LISTENING.search(log.read_text()), "docker-registry"
    )
    found = _LISTENING.search(log.read_text())
    if found is None or process.poll() is not None:
        pytest.fail(f"docker-registry did not start:\n{log.read_text()}", pytrace=False)
    return int(found[1])
