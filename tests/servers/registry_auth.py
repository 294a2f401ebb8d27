"""Who may do what at the test registry: basic authentication, or tokens from its own service."""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.servers.registry_handler import RegistryHandler

_ACTIONS = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}


def authorize(handler: RegistryHandler, repository: str) -> bool:
    """Let a request pass, or challenge it and return False."""
    options = handler.server.options
    given = handler.headers.get("Authorization", "")
    if not options.auth:
        return True
    if options.auth == "basic":
        if _user(handler, given):
            return True
        challenge = 'Basic realm="test registry"'
    else:
        needed = _needed(handler, repository)
        token = given.removeprefix("Bearer ")
        granted = handler.server.tokens.get(token)
        if granted is not None and (not needed or needed[0] in granted):
            return True
        challenge = f'Bearer realm="{handler.server.url}/token",service="test"'
        if needed:
            challenge += f',scope="{" ".join(needed)}"'
    handler.body()
    handler.refuse(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge})
    return False


def issue_token(handler: RegistryHandler, body: bytes) -> None:
    """Answer a request for a token, by GET (basic) or POST (OAuth2)."""
    options = handler.server.options
    if handler.command not in options.token_methods:
        handler.refuse(405, "UNSUPPORTED")
        return
    if handler.command == "POST":
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        scopes = form.get("scope", "").split()
        user = _form_user(handler, form)
        anonymous = False
    else:
        query = parse_qs(urlsplit(handler.path).query)
        scopes = query.get("scope", [])
        given = handler.headers.get("Authorization", "")
        user, anonymous = _user(handler, given), not given
    if not user and not (anonymous and options.anonymous_pull):
        handler.refuse(401, "UNAUTHORIZED", "incorrect username or password")
        return
    granted = tuple(
        one for scope in scopes for one in _split(scope) if user or one.endswith(":pull")
    )
    wanted = [one for scope in scopes for one in _split(scope)]
    if options.strict_scopes and len(granted) < len(wanted):
        handler.refuse(403, "DENIED", "requested access to the resource is denied")
        return
    token = uuid.uuid4().hex
    handler.server.tokens[token] = granted
    answer = {"token": token, "expires_in": options.token_life}
    if "offline_token=true" in handler.path and options.identity_tokens:
        answer["refresh_token"] = next(iter(options.identity_tokens))
    handler.reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})


def _needed(handler: RegistryHandler, repository: str) -> list[str]:
    """Return the scopes of a request, one action each; the first is the one that counts."""
    if not repository:
        return []
    action = _ACTIONS.get(handler.command, "push")
    if "/uploads/" in handler.path and handler.command in ("GET", "DELETE"):
        action = "push"
    return [f"repository:{repository}:{action}"]


def _split(scope: str) -> list[str]:
    resource, _, actions = scope.rpartition(":")
    return [f"{resource}:{action}" for action in actions.split(",")]


def _user(handler: RegistryHandler, given: str) -> str:
    """Return the user whom a basic ``Authorization`` proves, or ""."""
    if not given.startswith("Basic "):
        return ""
    user, _, password = base64.b64decode(given[6:]).decode().partition(":")
    options = handler.server.options
    if user == "<token>":
        return options.identity_tokens.get(password, "")
    return user if options.users.get(user) == password else ""


def _form_user(handler: RegistryHandler, form: dict[str, str]) -> str:
    options = handler.server.options
    if form.get("grant_type") == "refresh_token":
        return options.identity_tokens.get(form["refresh_token"], "")
    user = form.get("username", "")
    return user if options.users.get(user) == form.get("password", "-") else ""
