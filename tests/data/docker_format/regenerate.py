"""Record again what docker prints for the templates and formats in this folder."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Thread

HERE = Path(__file__).parent


class Engine(BaseHTTPRequestHandler):
    """Answers the three requests that the recorded commands make."""

    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(b"")  # the ping that finds out the API version

    def do_GET(self) -> None:
        if self.path.endswith("_ping"):
            self._answer(b"OK")
        else:
            is_history = self.path.partition("?")[0].endswith("/history")
            self._answer((HERE / ("history.json" if is_history else "subject.json")).read_bytes())

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


def run(socket: str, *arguments: str) -> tuple[int, str]:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{socket}", "TZ": "UTC"}
    done = subprocess.run(
        ["docker", *arguments, "x"], capture_output=True, env=environment, check=False
    )
    stream = done.stderr if done.returncode else done.stdout
    return done.returncode, stream.decode("utf-8", "replace").removesuffix("\n")


def rewrite(name: str, cases: list[list[object]]) -> None:
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/engine.sock"
        with Server(socket, Engine) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            templates = json.loads((HERE / "templates.json").read_text(encoding="utf-8"))
            recorded = [[t, *run(socket, "image", "inspect", "-f", t)] for t, _, _ in templates]
            rewrite("templates.json", recorded)
            tables = json.loads((HERE / "tables.json").read_text(encoding="utf-8"))
            listed = [[f, run(socket, "history", "--format", f)[1].split("\n")] for f, _ in tables]
            rewrite("tables.json", listed)
            server.shutdown()


if __name__ == "__main__":
    main()
