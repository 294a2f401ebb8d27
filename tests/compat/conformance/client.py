"""A client that is as simple as OCI's suite has it, in what it sends and how it logs in.

It is not ours to make clever: a body without a length is sent chunk-encoded, a challenge is read
with one greedy expression, and a token is kept for a host, repository and kind of access. Like
every client in Go it offers gzip; nothing is undone here if the hub takes that up, so content that
is sent in another way than it was stored fails its check.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from tests.compat.conformance.report import Failed

_SCHEME = re.compile(r".*(bearer|basic).*", re.IGNORECASE)
_FIELD = re.compile(r'([a-zA-Z]+)="(.+?)"')
_REPOSITORY = re.compile(r"/v2/([a-z0-9._/-]+?)/(?:blobs|manifests|tags|referrers)/[^/]+")
_ACCESS = {"GET": "pull", "HEAD": "pull", "POST": "push", "PATCH": "push", "PUT": "push"}

Fields = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a request to ``url``."""

    url: str
    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header of a name, or ""."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> list[str]:
        """Return all headers of a name."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def expect(self, *statuses: int) -> Answer:
        """Return this answer if its status is one of these; fail the check otherwise."""
        if self.status not in statuses:
            raise Failed(f"{self.url} answers {self.status}, not {statuses}: {self.body[:300]!r}")
        return self

    def expect_header(self, name: str, value: str) -> Answer:
        """Return this answer if it has the header with this value; fail the check otherwise."""
        if value not in self.headers(name):
            raise Failed(f"{self.url} has {name} {self.headers(name)}, not {value!r}")
        return self

    def expect_body(self, body: bytes) -> Answer:
        """Return this answer if it has exactly this body; fail the check otherwise."""
        if self.body != body:
            raise Failed(f"{self.url} sends {len(self.body)} bytes that are not the expected")
        return self

    def location(self, **query: str) -> str:
        """Return where the answer leads to, with fields set in the query of that."""
        stated = self.header("Location")
        if not stated:
            raise Failed(f"{self.url} leads nowhere")
        return with_query(urljoin(self.url, stated), query.items())

    def document(self) -> Any:
        """Return the JSON of the body."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failed(f"{self.url} does not send JSON: {error}") from None


class Client:
    """A connection to a registry; ``login`` is a name and password, both "" for nobody's.

    ``tls`` says whom to trust; without it the connection is in plain HTTP.
    """

    def __init__(
        self,
        host: str,
        *,
        login: tuple[str, str] = ("", ""),
        keeps: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.base = f"{'https' if tls else 'http'}://{host}"
        self._connection = (
            http.client.HTTPSConnection(host, timeout=60, context=tls)
            if tls
            else http.client.HTTPConnection(host, timeout=60)
        )
        self._login = login
        self._tokens: dict[tuple[str, str], str] | None = {} if keeps and login[0] else None

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        *,
        length: int | None = None,
        fields: Fields = (),
    ) -> Answer:
        """Send a request and, when challenged, send it again with what that got.

        Args:
            method: as GET.
            target: a path, or a whole address of the same registry.
            body: what to send.
            length: the length to announce; without one the body is chunk-encoded.
            fields: headers.
        """
        url = urljoin(self.base, target)
        place = _place(method, url)
        shown = (self._tokens or {}).get(place, "")
        answer = self._send(method, url, body, length, (*fields, *_authorization(shown)))
        if answer.status == 401:
            shown = self._authorize(answer)
            if self._tokens is not None:
                self._tokens[place] = shown
            answer = self._send(method, url, body, length, (*fields, *_authorization(shown)))
        return answer

    def _authorize(self, refusal: Answer) -> str:
        challenge = refusal.header("WWW-Authenticate")
        basic = f"Basic {b64encode(':'.join(self._login).encode()).decode()}"
        scheme = _SCHEME.sub(r"\1", challenge).lower()
        if scheme == "basic":
            return basic
        if scheme != "bearer":
            raise Failed(f"{refusal.url} challenges with {challenge!r}")
        stated = dict(_FIELD.findall(challenge))
        asked = {name: stated[name] for name in ("service", "scope") if stated.get(name)}
        url = f"{urljoin(refusal.url, stated['realm'])}?{urlencode(asked)}"
        answer = self._send("GET", url, None, None, _authorization(basic)).expect(200)
        document = answer.document()
        return f"Bearer {document.get('access_token') or document.get('token')}"

    def _send(
        self, method: str, url: str, body: bytes | None, length: int | None, fields: Fields
    ) -> Answer:
        for _ in range(2):
            try:
                return self._send_once(method, url, body, length, fields)
            except http.client.RemoteDisconnected:
                # The server has ended a connection that nothing was under way on.
                self._connection.close()
            except (http.client.HTTPException, OSError) as error:
                self._connection.close()
                raise Failed(f"{method} {url} ends with {error!r}") from None
        raise Failed(f"{method} {url} is not answered")

    def _send_once(
        self, method: str, url: str, body: bytes | None, length: int | None, fields: Fields
    ) -> Answer:
        if not url.startswith(f"{self.base}/"):
            raise Failed(f"{url} leads away from {self.base}")
        parts = urlsplit(url)
        connection = self._connection
        target = urlunsplit(("", "", parts.path, parts.query, ""))
        connection.putrequest(method, target, skip_accept_encoding=True)
        connection.putheader("Accept-Encoding", "gzip")
        for name, value in fields:
            connection.putheader(name, value)
        is_chunked = body is not None and length is None
        if is_chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif body is not None or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(length or 0))
        # It may answer before it has all.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(_pieces(body or b""), encode_chunked=is_chunked)
        answer = connection.getresponse()
        return Answer(url, answer.status, tuple(answer.getheaders()), answer.read())


def with_query(url: str, fields: Fields) -> str:
    """Return an address with more fields in its query."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *fields])
    return urlunsplit(parts._replace(query=query))


def _pieces(body: bytes) -> Iterable[bytes]:
    return (body[at : at + 32_768] for at in range(0, len(body), 32_768))


def _authorization(shown: str) -> Fields:
    return [("Authorization", shown)] if shown else []


def _place(method: str, url: str) -> tuple[str, str]:
    """Return what a token is kept for."""
    path = urlsplit(url).path
    found = _REPOSITORY.match(path)
    if found is None and path != "/v2/":
        raise Failed(f"there is no repository in {path}")
    return (found[1] if found else "", _ACCESS.get(method, method))
