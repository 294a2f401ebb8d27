"""Every request seen from outside: counted, timed, written down.

The routes inside leave two notes in the ASGI scope: ``nacre.route``, which of them it was, and
``nacre.user``, who asked.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from nacre.hub.api.metrics import Metrics
from nacre.hub.logs import Log

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ROUTE = "nacre.route"
USER = "nacre.user"
CLIENT = "nacre.client"
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"})
_CHANGED = frozenset({"manifest", "blob", "upload"})
_CHANGES = frozenset({"PUT", "POST", "DELETE"})
_BEGUN = ("POST", 202)
_UNAUTHORIZED = 401
_DIGEST = b"docker-content-digest"


class Observed:
    """An application whose requests are counted and written down.

    Args:
        app: what answers.
        metrics: where they are counted; None counts nothing.
        access: the log of all requests; None writes none.
        audit: the log of changes and logins; None writes none.
    """

    def __init__(
        self, app: App, *, metrics: Metrics | None, access: Log | None, audit: Log | None
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._access = access
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = _Seen(receive, send)
        if self._metrics:
            self._metrics.in_flight += 1
        began = time.perf_counter()
        try:
            await self._app(scope, seen.receive, seen.send)
        finally:
            seconds = time.perf_counter() - began
            if self._metrics:
                self._metrics.in_flight -= 1
            self._note(scope, seen, seconds)

    def _note(self, scope: Scope, seen: _Seen, seconds: float) -> None:
        method: str = scope["method"]
        route: str = scope.get(ROUTE, "other")
        if self._metrics:
            self._metrics.answered(
                route,
                method if method in _METHODS else "other",
                seen.status,
                seconds=seconds,
                sent=seen.sent,
                received=seen.received,
            )
        is_audited = self._audit is not None and _is_of_note(scope, route, seen.status)
        if self._access is None and not is_audited:
            return
        client = scope.get(CLIENT) or (scope.get("client") or ("",))[0]
        said = {
            "client": client,
            "user": scope.get(USER, ""),
            "method": method,
            "path": scope["path"],
            "status": seen.status,
        }
        if self._audit is not None and is_audited:
            self._audit.line("audit", {**said, **seen.digest})
        if self._access is not None:
            ms = round(seconds * 1000, 1)
            self._access.line("access", {**said, "sent": seen.sent, "ms": ms})


def _is_of_note(scope: Scope, route: str, status: int) -> bool:
    """Say whether a request is a login or a change, tried or made.

    An upload is one change: neither its begin nor its chunks are, its end is. Who shows nothing
    and is told to log in has tried nothing.
    """
    if route == "token":
        return True
    if status == _UNAUTHORIZED:
        return any(name == b"authorization" for name, _ in scope["headers"])
    method: str = scope["method"]
    return route in _CHANGED and method in _CHANGES and (method, status) != _BEGUN


class _Seen:
    """The two ends of a request, with what went through them."""

    __slots__ = ("_headers", "_receive", "_send", "received", "sent", "status")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        # What a client sees that is cut off before an answer began.
        self.status = 499
        self._headers: Iterable[tuple[bytes, bytes]] = ()
        self.sent = 0
        self.received = 0

    @property
    def digest(self) -> Mapping[str, str]:
        """What was made, where the answer says so."""
        stated = [value.decode("latin-1") for name, value in self._headers if name == _DIGEST]
        return {"digest": stated[0]} if stated else {}

    async def receive(self) -> Message:
        message = await self._receive()
        if body := message.get("body"):
            self.received += len(body)
        return message

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = message.get("headers", ())
        else:
            self.sent += len(message.get("body", b""))
        return self._send(message)
