"""A session with one endpoint: requests with all that surrounds them.

Each goes out with authentication, follows redirects (credentials never leave the endpoint's own
origin), is tried again where that may help, and ends in a reply of an expected status or in an
error that says in the user's words what could not be done.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

from nacre.distribution import challenge
from nacre.distribution.auth import Authorizer, FindCredential, Need
from nacre.distribution.endpoint import Endpoint
from nacre.distribution.errors import (
    ERROR_BODY_LIMIT,
    ConnectionFailed,
    ErrorReply,
    InvalidReply,
    Purpose,
    TlsFailed,
    denied,
)
from nacre.distribution.exchange import Body, Request, origin
from nacre.distribution.notices import Warnings
from nacre.distribution.redirects import followed
from nacre.distribution.retry import Retrier
from nacre.distribution.transport import Transport
from nacre.distribution.transport_reply import Reply
from nacre.value import NOTHING, Value, replace

_OK = (200,)


class Call(Value):
    """One request to an endpoint: a route or an absolute address, and what it needs.

    ``expect`` are the statuses that are returned rather than raised.
    """

    method: str
    address: str
    need: Need
    expect: Collection[int] = _OK
    headers: Mapping[str, str] = NOTHING
    body: bytes | Body | None = None

    @property
    def purpose(self) -> Purpose:
        """What the request is for."""
        return self.need.purpose


class Surroundings(Value):
    """What sessions share: connections, patience, and whom to tell warnings."""

    transport: Transport
    retrier: Retrier
    warnings: Warnings


class Session:
    """Requests to one endpoint; safe for use by several threads."""

    def __init__(
        self,
        endpoint: Endpoint,
        surroundings: Surroundings,
        find_credential: FindCredential,
        *,
        offline: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self.retrier = surroundings.retrier
        self._transport = surroundings.transport
        self._warnings = surroundings.warnings
        self.authorizer = Authorizer(
            self._send_for_token, find_credential, self.retrier.monotonic, offline=offline
        )
        self._base = ""
        self._settling = threading.Lock()

    def request(self, call: Call) -> Reply:
        """Send a request, trying again where that may help; the caller closes the reply.

        Raises:
            NacreError: no reply of an expected status came; see `errors`.
        """
        reply = self.retrier.call(str(call.purpose), lambda: self._attempt(call))
        return self._expected(call, reply)

    def request_once(self, call: Call) -> Reply:
        """Send a request whose failure the caller deals with, by continuing where it stopped.

        Raises:
            NacreError: as `request`; transient statuses too.
        """
        return self._expected(call, self._attempt(call))

    def _expected(self, call: Call, reply: Reply) -> Reply:
        self._warnings.note(self.endpoint.domain, reply.headers("Warning"))
        if reply.status in call.expect:
            return reply
        with reply:
            try:
                body = reply.read(ERROR_BODY_LIMIT) if call.method != "HEAD" else b""
            except (ConnectionFailed, InvalidReply):
                # What is wrong with the explanation matters less than what it was to explain.
                body = b""
            purpose = call.purpose
            if reply.status == 403 and self.authorizer.knows(call.need.repository):
                purpose = replace(purpose, known=True)
            raise ErrorReply.parse(reply.status, body).to_error(purpose)

    def _attempt(self, call: Call) -> Reply:
        base = self._base
        if not base:
            with self._settling:
                base = self._base
                if not base:
                    return self._settle(call)
        return self._authorized(call, base)

    def _settle(self, call: Call) -> Reply:
        """Send the first request, and learn by it which scheme the endpoint speaks."""
        schemes = self.endpoint.schemes(
            has_authority=self._transport.has_authority(self.endpoint.host)
        )
        failure: ConnectionFailed | None = None
        doubtful: Reply | None = None
        for scheme in schemes:
            base = f"{scheme}://{self.endpoint.host}"
            try:
                reply = self._authorized(call, base)
            except ConnectionFailed as error:
                if isinstance(error, TlsFailed) and error.speaks_tls:
                    raise
                failure = failure or error
                continue
            if reply.status == 400 and scheme != schemes[-1]:
                # Plain http at a TLS port is answered so; but a registry may mean it, too.
                doubtful = reply
                continue
            if doubtful:
                doubtful.close()
            self._base = base
            return reply
        if doubtful:
            self._base = f"http://{self.endpoint.host}"
            return doubtful
        raise failure or InvalidReply(f"{self.endpoint.host} speaks neither http nor https")

    def _authorized(self, call: Call, base: str) -> Reply:
        """Send a request; when it is refused for lack of authentication, once more with it."""
        header = self.authorizer.header(call.need)
        reply = self._followed(call, base, header)
        if reply.status != 401:
            return reply
        with reply:
            if origin(reply.url) != origin(base):
                raise denied(call.purpose, f"{origin(reply.url).address} refused access")
            challenges = challenge.parse(reply.headers("WWW-Authenticate"))
        header = self.authorizer.answer(challenges, call.need, header, base)
        return self._followed(call, base, header)

    def _followed(self, call: Call, base: str, authorization: str) -> Reply:
        """Send a request and follow redirects, authorization only to the endpoint's origin."""
        url = call.address if "://" in call.address else base + call.address
        own = origin(base)

        def send(url: str) -> Reply:
            headers = dict(call.headers)
            if authorization and origin(url) == own:
                headers["Authorization"] = authorization
            return self._transport.send(Request(call.method, url, headers, call.body))

        return followed(send, call.method, url)

    def _send_for_token(self, request: Request) -> Reply:
        what = f"token from {origin(request.url).address}"
        return self.retrier.call(what, lambda: self._transport.send(request))
