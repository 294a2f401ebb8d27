"""Following redirects, to safe addresses only and not for ever."""

from __future__ import annotations

from collections.abc import Callable

from nacre.distribution.errors import InvalidReply
from nacre.distribution.exchange import origin, redirect
from nacre.distribution.transport_reply import Reply

_LIMIT = 10


def followed(send: Callable[[str], Reply], method: str, url: str) -> Reply:
    """Send a request to where it leads in the end; the caller closes the reply.

    Args:
        send: sends the request to an address.
        method: its method.
        url: the first address.

    Raises:
        UnsafeAddress: see `exchange.redirect`.
        InvalidReply: there are more than ten redirects.
        NacreError: what ``send`` raises.

    """
    first = url
    for _ in range(_LIMIT + 1):
        reply = send(url)
        try:
            target = redirect(reply.status, reply.header("Location"), url, method)
        except BaseException:
            reply.close()
            raise
        if target is None:
            return reply
        reply.close()
        url = target
    raise InvalidReply(
        f"{origin(first).address} redirects more than {_LIMIT} times",
        remedy="ask whoever runs that server",
    )
