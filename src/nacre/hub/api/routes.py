"""The registry as an ASGI application: everything under ``/v2/``, and Docker's search.

One compiled expression finds the route. It sees the decoded path, and what it finds is checked by
the grammars of names, tags, digests and ids before anything else sees it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from nacre.hub.api import body
from nacre.hub.api.base import BaseRoutes
from nacre.hub.api.blobs import BlobRoutes
from nacre.hub.api.door import Door
from nacre.hub.api.errors import Challenge, failure, reply_to
from nacre.hub.api.listings import ListingRoutes
from nacre.hub.api.manifests import ManifestRoutes
from nacre.hub.api.observing import ROUTE, Receive, Scope, Send
from nacre.hub.api.reply import Headers, Reply, header
from nacre.hub.api.request import Request
from nacre.hub.api.sending import deliver, ready
from nacre.hub.api.uploads import UploadRoutes
from nacre.hub.auth.gate import Gate
from nacre.hub.errors import NameInvalid
from nacre.hub.records import Records
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.having import Having
from nacre.hub.registry.publishing import Publishing
from nacre.hub.registry.receiving import Receiving
from nacre.hub.registry.rules import Rules
from nacre.oci import wire
from nacre.oci.reference import is_repository_path

_RULES = Rules()

OnRepository = Callable[[Request, str, str], Awaitable[Reply]]
OnHub = Callable[[Request], Awaitable[Reply]]

_ROUTE = re.compile(
    r"/v2/(?P<name>.{1,1024})/(?:"
    r"manifests/(?P<manifest>[^/]+)"
    r"|blobs/uploads(?P<uploads>/?)"
    r"|blobs/uploads/(?P<upload>[^/]+)"
    r"|blobs/(?P<blob>[^/]+)"
    r"|(?P<tags>tags/list)"
    r"|referrers/(?P<referrers>[^/]+)"
    r")"
)


class RegistryApp:
    """Finds the route of a request, and turns whatever comes of it into a reply.

    Args:
        on_repository: by route and method, what answers below ``/v2/<name>/``.
        on_hub: by path, the route's name and what answers to GET and HEAD.
        challenge: for those who are to get a token.
        patience: how long a client may send nothing.
        hosts: names of this hub for ``ns=``, besides the one that a client uses.
    """

    def __init__(
        self,
        on_repository: Mapping[str, Mapping[str, OnRepository]],
        on_hub: Mapping[str, tuple[str, OnHub]],
        *,
        challenge: Challenge,
        patience: timedelta,
        hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._on_repository = on_repository
        self._on_hub = on_hub
        self._challenge = challenge
        self._patience = patience
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        try:
            reply = await ready(await self._answer(request), scope)
        except Exception as error:  # noqa: BLE001 (no client ever sees a traceback)
            reply = reply_to(error, request, self._challenge)
            await body.pass_over(request, patience=self._patience)
        await deliver(reply, scope, receive, send)

    async def _answer(self, request: Request) -> Reply:
        match = _ROUTE.fullmatch(request.path)
        if match is None:
            return await self._answer_hub(request)
        kind = match.lastgroup or ""
        request.scope[ROUTE] = "upload" if kind == "uploads" else kind
        methods = self._on_repository[kind]
        handler = methods.get(request.method)
        if handler is None:
            return _not_allowed(methods)
        request.check_path()
        name = match["name"]
        if not is_repository_path(name):
            raise NameInvalid("invalid repository name", detail={"name": name[:256]})
        reply = await handler(request, name, match[kind])
        if b"ns=" in request.scope["query_string"]:
            reply = self._in_namespace(request, reply)
        return reply

    async def _answer_hub(self, request: Request) -> Reply:
        found = self._on_hub.get(request.path)
        if found is None:
            return failure(404, "UNSUPPORTED", "there is nothing at this address")
        request.scope[ROUTE], handler = found
        if request.method not in {"GET", "HEAD"}:
            return _not_allowed(("GET", "HEAD"))
        return await handler(request)

    def _in_namespace(self, request: Request, reply: Reply) -> Reply:
        """Say that the reply is from the registry that a client asked a mirror for, if it is us.

        distribution-spec main, "Registry Proxying": another registry's name is not ours to state.
        """
        namespace = request.value("ns")
        if not namespace or namespace not in {*self._hosts, request.host}:
            return reply
        headers: Headers = (*reply.headers, header(wire.NAMESPACE, namespace))
        return Reply(reply.status, headers, reply.body, reply.content)


def registry_app(
    records: Records,
    place: BytePlace,
    gate: Gate,
    *,
    service: str,
    now: Callable[[], datetime],
    rules: Rules = _RULES,
    url: str = "",
    patience: timedelta = timedelta(seconds=60),
    pulled: Callable[[int, str], None] = lambda _repository, _tag: None,
    new_id: Callable[[], str] = lambda: secrets.token_urlsafe(24),
) -> RegistryApp:
    """Return the ASGI application of everything under ``/v2/`` and ``/v1/``.

    Args:
        records: of the hub.
        place: where the bytes of blobs are.
        gate: who may do what.
        service: the hub's name in challenges, as in the tokens that it issues.
        now: the time, UTC.
        rules: limits and defaults.
        url: the address that clients reach the hub by; "" takes it from each request.
        patience: how long a client may send nothing.
        pulled: is told of each pull by tag.
        new_id: makes texts that nobody can guess.
    """
    door = Door(gate, records.repositories, visibility=rules.visibility)
    having = Having(records.blobs, rules=rules, now=now)
    receiving = Receiving(records.uploads, place, rules=rules, now=now, new_id=new_id)
    uploads = UploadRoutes(door, receiving, having, rules=rules, patience=patience)
    published = Publishing(records.manifests, rules=rules)
    manifests = ManifestRoutes(door, published, rules=rules, patience=patience, pulled=pulled)
    listings = ListingRoutes(door, records.manifests, records.repositories, rules=rules)
    return RegistryApp(
        _on_repository(uploads, BlobRoutes(door, having, place), manifests, listings),
        _on_hub(BaseRoutes(door), listings),
        challenge=Challenge(service=service, url=url),
        patience=patience,
        hosts=frozenset({url.partition("://")[2].partition("/")[0]}),
    )


def _on_repository(
    uploads: UploadRoutes, blobs: BlobRoutes, manifests: ManifestRoutes, listings: ListingRoutes
) -> Mapping[str, Mapping[str, OnRepository]]:
    return {
        "manifest": {
            "GET": manifests.get,
            "HEAD": manifests.get,
            "PUT": manifests.put,
            "DELETE": manifests.delete,
        },
        "uploads": {"POST": uploads.start},
        "upload": {
            "GET": uploads.status,
            "HEAD": uploads.status,
            "PATCH": uploads.append,
            "PUT": uploads.finish,
            "DELETE": uploads.cancel,
        },
        "blob": {"GET": blobs.get, "HEAD": blobs.head, "DELETE": blobs.delete},
        "tags": {"GET": listings.tags, "HEAD": listings.tags},
        "referrers": {"GET": listings.referrers, "HEAD": listings.referrers},
    }


def _on_hub(base: BaseRoutes, listings: ListingRoutes) -> Mapping[str, tuple[str, OnHub]]:
    return {
        "/v2": ("base", base.check),
        "/v2/": ("base", base.check),
        wire.CATALOG: ("catalog", listings.catalog),
        wire.EXTENSIONS: ("extensions", base.extensions),
        wire.SEARCH: ("search", listings.search),
        wire.PING_V1: ("search", base.ping),
    }


def _not_allowed(methods: Mapping[str, object] | tuple[str, ...]) -> Reply:
    allow = header("Allow", ", ".join(sorted(methods)))
    return failure(405, "UNSUPPORTED", "the method is not allowed here", headers=(allow,))
