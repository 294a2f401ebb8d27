"""``nacre hub serve`` as a process of its own, on a free port of loopback."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacre.oci.digest import Digest
from tests.peers.tools import isolated_environment, run, succeed, wait_until

_LISTENING = re.compile(r"listens on (https?)://(\S+):(\d+),")
_PASSWORD = re.compile(r"with the password (\S+)")
_PROGRAM = str(Path(sys.executable).with_name("nacre"))

ADMIN = "admin"
"""The user that the first start makes."""


@dataclass(frozen=True)
class Answer:
    """What the hub answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the first error in the body."""
        return str(self.json["errors"][0]["code"])


@dataclass
class Hub:
    """A running hub.

    Attributes:
        host: address and port, what goes before the first slash of a reference.
        env: of the hub, and of the commands on its data.
        config: its settings file, or None.
        password: of the user admin when this start made it, else "".
        authorization: sent with each request; "" sends none.
    """

    process: subprocess.Popen[bytes]
    data: Path
    env: Mapping[str, str]
    config: Path | None
    scheme: str
    name: str
    port: int
    password: str
    said: Path
    logged: Path
    authorization: str = ""
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Address and port."""
        return f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        """Address with its scheme."""
        return f"{self.scheme}://{self.host}"

    @property
    def log(self) -> str:
        """All lines on standard error so far."""
        return self.logged.read_text(errors="replace")

    def manage(self, *words: str, stdin: str | None = None) -> str:
        """Run ``nacre hub`` on this hub's data, also when it has stopped; return what it says."""
        flags = ("--config", str(self.config)) if self.config else ()
        argv = (_PROGRAM, "hub", *words, "--data", str(self.data), *flags)
        return succeed(run(*argv, env=self.env, stdin=stdin)).stdout

    def add_user(self, name: str, password: str) -> None:
        """Let somebody else in."""
        self.manage("user", "add", "--password-stdin", name, stdin=password)

    def as_(self, user: str, password: str = "") -> Hub:
        """Return the same hub as somebody sees it who shows a password; "" shows none."""
        return self.with_(basic(user, password) if user else "")

    def with_(self, authorization: str) -> Hub:
        """Return the same hub as somebody sees it who sends this header."""
        return Hub(**{**self.__dict__, "authorization": authorization})

    def connect(self, timeout: float = 60) -> http.client.HTTPConnection:
        """Return a new connection."""
        name = self.name.strip("[]")
        if self.tls is not None:
            return http.client.HTTPSConnection(name, self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(name, self.port, timeout=timeout)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask over a connection of its own; a body in pieces is sent chunk-encoded."""
        shown = {"Authorization": self.authorization} if self.authorization else {}
        connection = self.connect()
        try:
            connection.request(method, target, body, {**shown, **(headers or {})})
            answer = connection.getresponse()
            named = {key.lower(): value for key, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()

    def push_blob(self, repository: str, data: bytes) -> Digest:
        """Push a blob in one request."""
        digest = Digest.of(data)
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/?digest={digest}", data)
        assert answer.status == 201, answer
        return digest

    def push_manifest(self, repository: str, reference: str, raw: bytes) -> Answer:
        """Push a manifest of the type that it states."""
        headers = {"Content-Type": json.loads(raw)["mediaType"]}
        return self.ask("PUT", f"/v2/{repository}/manifests/{reference}", raw, headers)

    def start_upload(self, repository: str) -> str:
        """Start an upload and return its location."""
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert answer.status == 202, answer
        return answer.headers["location"]

    def token(self, *scopes: str) -> str:
        """Return the header of a token for scopes, for whoever asks."""
        query = "&".join(f"scope={scope}" for scope in scopes)
        return f"Bearer {self.ask('GET', f'/token?{query}').json['token']}"

    def answers(self) -> bool:
        """Say whether it is ready."""
        try:
            return self.ask("GET", "/readyz").status == 200
        except OSError:
            return False

    def workers(self) -> list[int]:
        """Return the ids of the processes that serve."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in children.read_text().split()]

    def stop(self, *, within: float = 60) -> None:
        """Stop the hub as systemd does, and check that it ends well and leaves nothing."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(within) == 0, self.log
        assert not _lives(self.process.pid), "processes were left behind"
        assert "Traceback" not in self.log, self.log

    def kill(self) -> None:
        """End all processes of the hub at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        wait_until(lambda: not _lives(self.process.pid), "the end of the hub")


@contextmanager
def started_hub(
    folder: Path,
    *flags: str,
    env: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    data: Path | None = None,
    listen: str = "127.0.0.1:0",
    settings: str = "",
) -> Iterator[Hub]:
    """Start a hub with its data in ``folder``, give it when it is ready, and stop it in the end.

    A test that stops or kills the hub itself may do so. ``env`` is its environment besides what
    every program needs; ``flags`` follow ``nacre hub serve``; ``settings`` is the text of its
    settings file, if it shall have one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data, config, env = data or folder / "data", None, environment(folder / "home", env)
    if settings:
        config = folder / "hub.toml"
        config.write_text(settings)
        flags = ("--config", str(config), *flags)
    count = sum(1 for _ in folder.glob("said-*"))
    said, logged = folder / f"said-{count}", folder / f"logged-{count}"
    with said.open("wb") as out, logged.open("wb") as err:
        process = subprocess.Popen(
            command("--data", str(data), "--listen", listen, *flags),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    hub = Hub(process, data, env, config, "http", "127.0.0.1", 0, "", said, logged, tls=tls)
    try:
        _wait_until_ready(hub)
        yield hub
        if process.poll() is None:
            hub.stop()
    finally:
        hub.kill()


def command(*flags: str) -> list[str]:
    """Return the command line that starts a hub."""
    return [_PROGRAM, "hub", "serve", *flags]


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a hub."""
    return isolated_environment(home) | {"NO_COLOR": "1"} | dict(more or {})


def basic(user: str, password: str) -> str:
    """Return the header that shows a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _wait_until_ready(hub: Hub) -> None:
    wait_until(lambda: _has_said(hub), "the hub to start")
    match = _LISTENING.search(hub.said.read_text())
    assert match is not None, f"the hub did not start: {hub.said.read_text()}{hub.log}"
    hub.scheme, hub.name, hub.port = match[1], match[2], int(match[3])
    wait_until(lambda: hub.process.poll() is not None or _is_ready(hub), "the hub to be ready")
    assert hub.process.poll() is None, f"the hub ended: {hub.said.read_text()}{hub.log}"
    password = _PASSWORD.search(hub.said.read_text())
    hub.password = password[1] if password else ""


def _has_said(hub: Hub) -> bool:
    return hub.process.poll() is not None or _LISTENING.search(hub.said.read_text()) is not None


def _is_ready(hub: Hub) -> bool:
    try:
        return hub.ask("GET", "/readyz").status == 200
    except (OSError, http.client.HTTPException):
        return False


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
