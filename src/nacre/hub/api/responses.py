"""Replies of ours where the framework answers: the same JSON for every error of a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

from nacre.hub.api.errors import failure
from nacre.hub.api.reply import Headers, Reply, header

if TYPE_CHECKING:
    from starlette.requests import Request

_NOT_ALLOWED = 405


def response_of(reply: Reply, more: Headers = ()) -> Response:
    """Return a reply without content as the framework sends it, with ``more`` headers."""
    response = Response(reply.body, status_code=reply.status)
    response.raw_headers.extend((*reply.headers, *more))
    return response


async def refused(_request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: an address, or a method there."""
    if not isinstance(error, HTTPException):
        raise error
    said = (
        "the method is not allowed here"
        if error.status_code == _NOT_ALLOWED
        else "there is nothing at this address"
    )
    headers = tuple(header(name, value) for name, value in (error.headers or {}).items())
    return response_of(failure(error.status_code, "UNSUPPORTED", said, headers=headers))
