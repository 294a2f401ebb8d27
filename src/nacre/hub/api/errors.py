"""From errors to replies: status, headers and the specification's JSON.

distribution-spec 1.1, "Error Codes". The person at the other end gets the sentence and the code;
what went wrong inside goes to the log.
"""

from __future__ import annotations

import logging
import math
from typing import Protocol

from nacre.errors import Denied, Invalid, NacreError, NotFound, Unavailable
from nacre.hub.api.ranges import RangeInvalid, received
from nacre.hub.api.reply import Headers, Reply, header, in_json
from nacre.hub.api.request import QueryInvalid, Request
from nacre.hub.errors import (
    Busy,
    OutOfOrder,
    OutOfSpace,
    RegistryError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
)
from nacre.hub.registry.chunk import TooSlow
from nacre.oci import wire

_log = logging.getLogger(__name__)

_RETRY_AFTER = 5

_BY_KIND: tuple[tuple[type[NacreError], int], ...] = (
    (OutOfOrder, 416),
    (RangeInvalid, 416),
    (TooLarge, 413),
    (QueryInvalid, 414),
    (TooSlow, 408),
    (OutOfSpace, 507),
    (Busy, 503),
)
_BY_CATEGORY: tuple[tuple[type[NacreError], int, str], ...] = (
    (NotFound, 404, "BLOB_UNKNOWN"),
    (Denied, 403, "DENIED"),
    (Invalid, 400, "UNSUPPORTED"),
    (Unavailable, 503, "TOOMANYREQUESTS"),
)


class Challenging(Protocol):
    """Tells clients how to show who they are."""

    def header(self, request: Request, scope: str) -> tuple[bytes, bytes]:
        """Return the challenge; ``scope`` is what a token must be asked for, "" when unknown."""


class Challenge:
    """What clients are told who are to get a token.

    Args:
        service: the name of this hub in its tokens.
        url: the address that clients reach it by; "" takes it from each request.
    """

    def __init__(self, *, service: str, url: str = "") -> None:
        self._service = service
        self._url = url.rstrip("/")

    def header(self, request: Request, scope: str) -> tuple[bytes, bytes]:
        """Return the challenge (RFC 6750; Docker's token authentication)."""
        realm = f"{self._url or request.base}/token"
        asked = f',scope="{scope}"' if scope else ""
        challenge = f'Bearer realm="{realm}",service="{self._service}"{asked}'
        return header("WWW-Authenticate", challenge)


def reply_to(error: Exception, request: Request, challenge: Challenging) -> Reply:
    """Return the reply that tells a client of an error."""
    if not isinstance(error, NacreError):
        _log.error("%s %s failed", request.method, request.path, exc_info=error)
        return failure(500, "UNKNOWN", "internal error")
    if not isinstance(error, RegistryError):
        return _reply_to_category(error)
    message = f"{error}: {error.remedy}" if error.remedy else str(error)
    if error.told:
        _log.error("%s %s: %s", request.method, request.path, message)
        message = error.told
    headers = _headers(error, request, challenge)
    return failure(status_of(error), error.code, message, detail=error.detail, headers=headers)


def failure(
    status: int, code: str, message: str, *, detail: object = None, headers: Headers = ()
) -> Reply:
    """Return a reply with the specification's JSON for one error."""
    said = {"code": code, "message": message, "detail": detail}
    return in_json(status, {"errors": [said]}, headers)


def status_of(error: RegistryError) -> int:
    """Return the HTTP status that an error is answered with."""
    for kind, status in _BY_KIND:
        if isinstance(error, kind):
            return status
    return wire.ERROR_CODES.get(error.code, 400)


def _reply_to_category(error: NacreError) -> Reply:
    for category, status, code in _BY_CATEGORY:
        if isinstance(error, category):
            retry = (header("Retry-After", str(_RETRY_AFTER)),) if status == 503 else ()
            return failure(status, code, str(error), headers=retry)
    return failure(400, "UNSUPPORTED", str(error))


def _headers(error: RegistryError, request: Request, challenge: Challenging) -> Headers:
    match error:
        case Unauthorized():
            return (challenge.header(request, error.scope),)
        case OutOfOrder():
            return (header("Location", request.path), header("Range", received(error.offset)))
        case RangeInvalid():
            return (header("Content-Range", f"bytes */{error.size}"),)
        case TooManyRequests():
            return (header("Retry-After", str(max(1, math.ceil(error.retry_after)))),)
        case Busy():
            return (header("Retry-After", str(_RETRY_AFTER)),)
        case _:
            return ()
