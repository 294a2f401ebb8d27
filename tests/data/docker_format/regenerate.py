"""Record again what docker prints for the templates, formats and mistakes in this folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Thread
from typing import Any

HERE = Path(__file__).parent
ANSWERS = (
    (r"/images/[^/]*/history", "history.json"),
    (r"/images/search", "search.json"),
    (r"/images/json\?.*reference", None),
    (r"/images/json", "images.json"),
    (r"/images/document/json", "document.json"),
    (r"/images/[^/]*/json", "subject.json"),
)


class Engine(BaseHTTPRequestHandler):
    """Answers the requests that the recorded commands make."""

    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(b"")  # the ping that finds out the API version

    def do_GET(self) -> None:
        for pattern, name in ANSWERS:
            if re.search(pattern, self.path):
                self._answer((HERE / name).read_bytes() if name else b"[]")
                return
        self._answer(b"OK")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Api-Version", "1.50")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body:
            self.wfile.write(body)


class Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


def docker(socket: str, *arguments: str) -> tuple[int, str, str]:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{socket}", "TZ": "UTC"}
    done = subprocess.run(
        ["docker", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        check=False,
    )
    out, err = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
    return done.returncode, out, err


def said(socket: str, *arguments: str) -> tuple[int, str]:
    code, out, err = docker(socket, *arguments)
    return code, (err if code else out).removesuffix("\n")


def read(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def rewrite(name: str, cases: list[list[object]]) -> None:
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def record(socket: str) -> None:
    inspect = ("image", "inspect", "-f")
    rewrite(
        "templates.json", [[t, *said(socket, *inspect, t, "x")] for t, *_ in read("templates.json")]
    )
    rewrite(
        "inspections.json",
        [[t, *said(socket, *inspect, t, "document")] for t, *_ in read("inspections.json")],
    )
    rewrite(
        "tables.json",
        [
            [f, said(socket, "history", "--format", f, "x")[1].split("\n")]
            for f, _ in read("tables.json")
        ],
    )
    rewrite("lists.json", [[a, *docker(socket, *a)] for a, *_ in read("lists.json")])
    rewrite("usage.json", [[a, *mistake(socket, a)] for a, *_ in read("usage.json")])


def mistake(socket: str, arguments: list[str]) -> tuple[int, str]:
    code, out, err = docker(socket, *arguments)
    return code, (err or out).split("\n")[0]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/engine.sock"
        with Server(socket, Engine) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            record(socket)
            server.shutdown()


if __name__ == "__main__":
    main()
