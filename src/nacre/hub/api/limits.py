"""How much one client may ask for: limits on requests, and on pulls as Docker Hub counts them.

A pull is a GET of a manifest; its answers, and those of HEAD, which costs nothing, tell the limit
and what is left of it in ``ratelimit-limit`` and ``ratelimit-remaining``. Beyond a limit the
answer is 429 with ``Retry-After`` (distribution-spec 1.1, "Error Codes").
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable, Sequence

from nacre.hub.api.client_address import client_of
from nacre.hub.api.observing import App, Message, Receive, Scope, Send
from nacre.hub.api.rates import Buckets, Taken
from nacre.hub.auth.subject import Subject
from nacre.hub.configuration.rates import Rate
from nacre.hub.errors import Unauthorized

Header = tuple[bytes, bytes]

_MANIFEST = re.compile(r"/v2/.+/manifests/[^/]+")


class LimitedHeads:
    """An application that gets no request with more than so many bytes of headers.

    The server's own limit is that of its buffer, which is larger.
    """

    def __init__(self, app: App, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say that its head is too large (RFC 6585 section 5)."""
        size = sum([len(name) + len(value) for name, value in scope.get("headers", ())])
        if size > self._limit:
            headers = [(b"content-length", b"0"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 431, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._app(scope, receive, send)


class LimitedRequests:
    """An application of which each address may ask only so much.

    Args:
        app: what answers.
        buckets: what each address has.
    """

    def __init__(self, app: App, buckets: Buckets) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say that there were too many."""
        address = client_of(scope) if scope["type"] == "http" else ""
        taken = self._buckets.take(address) if address else None
        if taken is None or taken.may_pass:
            await self._app(scope, receive, send)
        else:
            await _refuse(send, taken, ())


class LimitedPulls:
    """An application from which manifests can be pulled only so often.

    Who shows a token is counted by name, everybody else by address.

    Args:
        app: what answers.
        read: reads a token (`nacre.hub.auth.tokens.Tokens.read`).
        users: what each user, or address that shows a password, has; None is no limit.
        anonymous: what each address has that shows nothing; None is no limit.
    """

    def __init__(
        self,
        app: App,
        read: Callable[[str], Awaitable[Subject]],
        *,
        users: Buckets | None,
        anonymous: Buckets | None,
    ) -> None:
        self._app = app
        self._read = read
        self._users = users
        self._anonymous = anonymous

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say that there were too many."""
        if not _is_pull(scope):
            await self._app(scope, receive, send)
            return
        buckets, key = await self._bucket(scope)
        if buckets is None or not key:
            await self._app(scope, receive, send)
            return
        counts = scope["method"] == "GET"
        taken = buckets.take(key) if counts else buckets.look(key)
        told = _headers(buckets.rate, taken)
        if counts and not taken.may_pass:
            await _refuse(send, taken, told)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *told]}
            await send(message)

        await self._app(scope, receive, telling)

    async def _bucket(self, scope: Scope) -> tuple[Buckets | None, str]:
        address = client_of(scope)
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, given = shown.decode("latin-1").partition(" ")
        if scheme.lower() == "basic":
            return self._users, address
        if scheme.lower() == "bearer":
            try:
                subject = await self._read(given.strip())
            except Unauthorized:
                # The application will say so; until then it is somebody unknown.
                return self._anonymous, address
            if subject.user is not None:
                return self._users, f"user {subject.user}"
        return self._anonymous, address


def _is_pull(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] in {"GET", "HEAD"}
        and _MANIFEST.fullmatch(scope["path"]) is not None
    )


def _headers(rate: Rate, taken: Taken) -> Sequence[Header]:
    window = f";w={math.ceil(rate.seconds)}"
    return (
        (b"ratelimit-limit", f"{rate.requests}{window}".encode()),
        (b"ratelimit-remaining", f"{taken.remaining}{window}".encode()),
    )


async def _refuse(send: Send, taken: Taken, headers: Sequence[Header]) -> None:
    error = {"code": "TOOMANYREQUESTS", "message": "too many requests", "detail": None}
    body = json.dumps({"errors": [error]}).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 429,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"retry-after", str(max(1, math.ceil(taken.retry_after))).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
