"""Calls an ASGI application as a server does, without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nacre.hub.api.observing import App, Message
from tests.servers.hub import Answer


def http(
    path: str = "/",
    *,
    method: str = "GET",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    client: str | None = "192.0.2.1",
) -> dict[str, Any]:
    """Return the scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ],
        "client": (client, 40000) if client else None,
        "server": ("hub.test", 80),
        "scheme": "http",
    }


async def call(app: App, scope: dict[str, Any], body: bytes = b"") -> Answer:
    """Return what the application answers."""
    sent: list[Message] = []
    parts = [body[at : at + 1000] for at in range(0, len(body), 1000)] or [b""]

    async def receive() -> Message:
        if not parts:
            return {"type": "http.disconnect"}
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:]))
