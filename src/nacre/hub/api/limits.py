"""How much one client may ask for: limits on requests, and on pulls as Docker Hub counts them.

A pull is a GET of a manifest that is not refused; its answers, and those of HEAD, which costs
nothing, tell the limit and what is left of it in ``ratelimit-limit`` and ``ratelimit-remaining``.
Beyond a limit the answer is 429 with ``Retry-After`` (distribution-spec 1.1, "Error Codes").
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable

from nacre.hub.api.client_address import client_of
from nacre.hub.api.errors import failure
from nacre.hub.api.observing import App, Message, Receive, Scope, Send
from nacre.hub.api.rates import Buckets, Taken
from nacre.hub.api.reply import Headers, Reply, header
from nacre.hub.api.sending import deliver
from nacre.hub.auth.subject import Subject
from nacre.hub.configuration.rates import Rate
from nacre.hub.errors import Unauthorized

_REFUSED = 400
_MANIFEST = re.compile(r"/v2/.+/manifests/[^/]+")


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
            await deliver(_refusal(taken), scope, receive, send)


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
        if counts and not taken.may_pass:
            refusal = _refusal(taken, _headers(buckets.rate, taken))
            await deliver(refusal, scope, receive, send)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                # A name or address is only claimed until the answer: whoever is refused must not
                # use up what others have.
                is_refused = counts and message["status"] >= _REFUSED
                stands = buckets.give_back(key) if is_refused else taken
                told = _headers(buckets.rate, stands)
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


def _headers(rate: Rate, taken: Taken) -> Headers:
    window = f";w={math.ceil(rate.seconds)}"
    return (
        (b"ratelimit-limit", f"{rate.requests}{window}".encode()),
        (b"ratelimit-remaining", f"{taken.remaining}{window}".encode()),
    )


def _refusal(taken: Taken, headers: Headers = ()) -> Reply:
    wait = header("Retry-After", str(max(1, math.ceil(taken.retry_after))))
    return failure(429, "TOOMANYREQUESTS", "too many requests", headers=(wait, *headers))
