"""``/token``: where clients get tokens.

Docker's token authentication: GET with Basic credentials or none, and OAuth2 by POST of a form
(RFC 6749 sections 4.3 and 6). Unknown parameters are ignored, unknown scopes give nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from nacre.hub.api import request as api
from nacre.hub.api.errors import reply_to
from nacre.hub.api.observing import ROUTE, USER
from nacre.hub.api.reply import header, in_json
from nacre.hub.api.responses import response_of
from nacre.hub.auth import scopes
from nacre.hub.auth.gate import basic_credentials
from nacre.hub.auth.issuer import Issued, Issuer
from nacre.hub.auth.scopes import Access
from nacre.hub.errors import NotSupported, Unauthorized

_LARGEST_FORM = 64 << 10
_MOST_FIELDS = 100
_NOT_KEPT = (header("Cache-Control", "no-store"),)


class BadTokenRequest(NotSupported):
    """A request for a token that cannot be understood."""

    status = 400


class SlowTokenRequest(BadTokenRequest):
    """A form that takes too long to come."""

    status = 408


class PasswordChallenge:
    """What clients are told who are to show a password (RFC 7617)."""

    def __init__(self, realm: str) -> None:
        self._realm = realm

    def header(self, _request: api.Request, _scope: str) -> tuple[bytes, bytes]:
        """Return the challenge."""
        return header("WWW-Authenticate", f'Basic realm="{self._realm}", charset="UTF-8"')


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request for a token asks for.

    Attributes:
        login: name and password, when shown.
        refresh: a refresh token, when shown.
        offline: whether a refresh token is wanted.
    """

    asked: Sequence[Access]
    login: tuple[str, str] | None = None
    refresh: str | None = None
    offline: bool = False


class TokenServer:
    """The endpoint: ``answer`` is for GET and POST of ``/token``.

    Args:
        issuer: makes the tokens.
        patience: how long a form may take to come.
    """

    def __init__(self, issuer: Issuer, *, patience: timedelta = timedelta(seconds=60)) -> None:
        self._issuer = issuer
        self._patience = patience

    async def answer(self, request: Request) -> Response:
        """Answer with a token, or with why there is none."""
        request.scope[ROUTE] = "token"
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                wanted = await _wanted(request, self._issuer.service)
            if wanted.login:
                request.scope[USER] = wanted.login[0]
            issued = await self._issue(wanted, request.client.host if request.client else "")
        except TimeoutError:
            return self._refusal(SlowTokenRequest("the form took too long"), request)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 (no client ever sees a traceback)
            return self._refusal(error, request)
        request.scope[USER] = issued.user
        return response_of(in_json(200, reply(issued)), _NOT_KEPT)

    def _refusal(self, error: Exception, request: Request) -> Response:
        """Return why there is no token."""
        asked = api.Request(request.scope, request.receive)
        told = reply_to(error, asked, PasswordChallenge(self._issuer.service))
        if isinstance(error, BadTokenRequest):
            told = replace(told, status=error.status)
        return response_of(told, _NOT_KEPT)

    async def _issue(self, wanted: Wanted, address: str) -> Issued:
        if wanted.refresh is not None:
            return await self._issuer.for_refresh(wanted.refresh, wanted.asked)
        if wanted.login is None:
            return await self._issuer.to_anybody(wanted.asked)
        name, password = wanted.login
        return await self._issuer.for_password(
            name, password, wanted.asked, address=address, offline=wanted.offline
        )


def reply(issued: Issued) -> dict[str, object]:
    """Return the reply as Docker's specification has it; both of its names for the token."""
    token = issued.access
    body: dict[str, object] = {
        "token": token.text,
        "access_token": token.text,
        "token_type": "Bearer",
        "expires_in": int(token.life.total_seconds()),
        "issued_at": token.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "scope": " ".join(
            f"{one.kind}:{one.name}:{','.join(one.in_order)}"
            for one in issued.granted
            if one.actions
        ),
    }
    if issued.refresh is not None:
        body["refresh_token"] = issued.refresh.text
    return body


async def _wanted(request: Request, service: str) -> Wanted:
    """Return what a request asks for.

    Raises:
        BadTokenRequest: it cannot be understood.
        Unauthorized: it shows something else than Basic credentials.
    """
    if request.method == "POST":
        fields = await _form(request)
        wanted = _from_form(fields)
    else:
        fields = _fields(request.url.query)
        authorization = request.headers.get("authorization")
        wanted = Wanted(
            scopes.parse(fields.get("scope", ())),
            login=_basic(authorization) if authorization else None,
            offline=_one(fields, "offline_token").lower() in {"true", "1"},
        )
    if _one(fields, "service") not in {"", service}:
        raise BadTokenRequest(f"this hub gives tokens for the service {service} only")
    return wanted


def _basic(authorization: str) -> tuple[str, str] | None:
    """Return the name and password that are shown; None for neither, as some of the anonymous do.

    OCI's conformance suite without a login is one of those who send an empty name and password.
    """
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "basic":
        # A narrow token must not get a wider one.
        raise Unauthorized("show a password for a token")
    name, password = basic_credentials(given)
    return (name, password) if name or password else None


def _from_form(fields: Mapping[str, Sequence[str]]) -> Wanted:
    asked = scopes.parse(fields.get("scope", ()))
    match _one(fields, "grant_type"):
        case "password":
            return Wanted(
                asked,
                login=(_one(fields, "username"), _one(fields, "password")),
                offline=_one(fields, "access_type") == "offline",
            )
        case "refresh_token":
            return Wanted(asked, refresh=_one(fields, "refresh_token"))
        case _:
            raise BadTokenRequest("grant_type must be password or refresh_token")


def _one(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name, ())
    return values[-1] if values else ""


async def _form(request: Request) -> Mapping[str, Sequence[str]]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM:
            raise BadTokenRequest(f"the form has more than {_LARGEST_FORM} bytes")
    try:
        return _fields(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadTokenRequest("the form is no UTF-8") from None


def _fields(text: str) -> Mapping[str, Sequence[str]]:
    try:
        return parse_qs(text, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadTokenRequest(f"there are more than {_MOST_FIELDS} fields") from None
