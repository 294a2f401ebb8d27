"""Tokens from an authorization service (Docker's token and OAuth2 authentication).

https://distribution.github.io/distribution/spec/auth/
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from urllib.parse import urlencode

from nacre.distribution.credential import Credential
from nacre.distribution.errors import ErrorReply, InvalidReply, Purpose
from nacre.distribution.exchange import Request, with_query
from nacre.distribution.fields import number
from nacre.distribution.transport_reply import Reply
from nacre.errors import Denied, NacreError
from nacre.value import Value, field

_LIMIT = 1024 * 1024
_CLIENT = "nacre"
_SHORTEST_LIFE = 60.0
_LONGEST_LIFE = 86_400.0
_NO_SUCH_WAY = (404, 405)

Send = Callable[[Request], Reply]
"""Sends a request as it is; follows no redirect, since requests for tokens carry secrets."""


class CredentialsRefused(Denied):
    """The authorization service does not know this user with this password or token."""


class Service(Value):
    """An authorization service: its address, and what the registry is called there."""

    realm: str
    name: str = ""


class Token(Value):
    """A token for a registry; ``life`` in seconds from when it was asked for.

    ``identity`` is a token to ask for more tokens with, when one was wanted and granted.
    """

    text: str = field(repr=False)
    life: float
    identity: str = field(default="", repr=False)


def fetch(
    send: Send,
    service: Service,
    scopes: Iterable[str],
    credential: Credential | None,
    *,
    purpose: Purpose,
    offline: bool = False,
) -> Token:
    """Ask for a token: by refresh token, by password, or anonymously.

    A service that lacks the way a credential needs (404 or 405) is asked the other way:
    an identity token goes by POST, else as a password by GET; a password the other way round.
    ``offline`` asks for an identity token as well.

    Raises:
        CredentialsRefused: the credential is wrong.
        AccessDenied: there is no credential, and anonymous access is refused.
        InvalidReply: the reply holds no token.
    """
    scopes = tuple(scopes)
    ways = [_by_get, _by_post]
    if credential and credential.identity_token:
        ways.reverse()
    for position, way in enumerate(ways):
        last = position == 1 or credential is None
        with send(way(service, scopes, credential, offline)) as reply:
            if reply.status in _NO_SUCH_WAY and not last:
                continue
            if reply.status != 200:
                body = reply.read(_LIMIT)
                raise _refusal(ErrorReply.parse(reply.status, body), credential, purpose)
            return _read(reply.read(_LIMIT), service)
    raise AssertionError("the last way returns or raises")


def basic(username: str, password: str) -> str:
    """Return the ``Authorization`` value for a user name and a password (RFC 7617, UTF-8)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _by_get(
    service: Service, scopes: tuple[str, ...], credential: Credential | None, offline: bool
) -> Request:
    query = [("service", service.name)] if service.name else []
    query += [("scope", scope) for scope in scopes]
    headers = {}
    if credential:
        username = credential.username or "<token>"
        headers["Authorization"] = basic(username, credential.password or credential.identity_token)
        query.append(("account", username))
        if offline:
            query += [("client_id", _CLIENT), ("offline_token", "true")]
    url = with_query(service.realm, urlencode(query)) if query else service.realm
    return Request("GET", url, headers)


def _by_post(
    service: Service, scopes: tuple[str, ...], credential: Credential | None, offline: bool
) -> Request:
    form = {"service": service.name, "client_id": _CLIENT, "scope": " ".join(scopes)}
    if credential and credential.identity_token:
        form |= {"grant_type": "refresh_token", "refresh_token": credential.identity_token}
    elif credential:
        form |= {
            "grant_type": "password",
            "username": credential.username,
            "password": credential.password,
        }
    if offline:
        form["access_type"] = "offline"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", service.realm, headers, urlencode(form).encode())


def _read(body: bytes, service: Service) -> Token:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        reply = None
    fields: dict[str, object] = reply if isinstance(reply, dict) else {}
    text = fields.get("token") or fields.get("access_token")
    if not isinstance(text, str) or not (text and text.isascii() and text.isprintable()):
        shown = service.realm.partition("?")[0][:200]
        raise InvalidReply(f"the authorization service {shown} sent no token")
    identity = fields.get("refresh_token")
    return Token(text, _life(fields), identity if isinstance(identity, str) else "")


def _life(fields: dict[str, object]) -> float:
    """Return how long a token lives: what is stated, within sense."""
    stated = fields.get("expires_in")
    if isinstance(stated, str):
        stated = number(stated)
    if isinstance(stated, bool) or not isinstance(stated, int | float):
        return _SHORTEST_LIFE
    # In this order: a life that is not a number (NaN) counts as the shortest.
    return float(max(_SHORTEST_LIFE, min(stated, _LONGEST_LIFE)))


def _refusal(reply: ErrorReply, credential: Credential | None, purpose: Purpose) -> NacreError:
    if credential and reply.status in (400, 401, 403):
        said = reply.message or "unauthorized: incorrect username or password"
        return CredentialsRefused(f"{purpose.host} refused the login: {said}", remedy=purpose.login)
    return reply.to_error(purpose)
