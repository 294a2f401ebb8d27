"""Which heads of requests are taken at all, whatever they ask for."""

from __future__ import annotations

from nacre.hub.api.errors import failure
from nacre.hub.api.observing import App, Receive, Scope, Send
from nacre.hub.api.reply import Reply, header
from nacre.hub.api.sending import deliver

_CLOSE = header("Connection", "close")
_OLD = frozenset({"1", "1.0"})


class SoundHeads:
    """An application that gets no request whose head is too large, or names not one host.

    The server's own limit is that of its buffer, which is larger. To what host a request without
    ``Host``, or with two, is meant to go, two programs may understand differently.

    Args:
        app: what answers.
        limit: how many bytes of headers are taken.
    """

    def __init__(self, app: App, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say what is wrong with its head."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await deliver(refusal, scope, receive, send)

    def _refusal(self, scope: Scope) -> Reply | None:
        """Return what is said of a head that is not taken (RFC 6585, 5; RFC 9112, 3.2)."""
        headers = scope["headers"]
        if sum([len(name) + len(value) for name, value in headers]) > self._limit:
            return failure(431, "UNSUPPORTED", "the head is too large", headers=(_CLOSE,))
        hosts = [value for name, value in headers if name == b"host"]
        # The server adds an empty one where there is none.
        is_named = len(hosts) == 1 and (hosts[0] or scope["http_version"] in _OLD)
        if is_named or (not hosts and scope["http_version"] in _OLD):
            return None
        return failure(400, "UNSUPPORTED", "the head names not one host", headers=(_CLOSE,))
