"""The composition root: a hub's parts, put together.

`composed` builds the application over records and a place for bytes that are open already;
`create_app` is what the server's workers run: it opens them when it starts and closes them when it
ends (ASGI, "Lifespan").
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from nacre.hub.accounts.attempts import Attempts
from nacre.hub.accounts.logins import Logins
from nacre.hub.accounts.passwords import Passwords
from nacre.hub.api import health
from nacre.hub.api.client_address import BehindProxies
from nacre.hub.api.limits import LimitedHeads, LimitedPulls, LimitedRequests
from nacre.hub.api.metrics import CONTENT_TYPE, Metrics
from nacre.hub.api.observing import App, Observed, Receive, Scope, Send
from nacre.hub.api.rates import Buckets, Rate
from nacre.hub.api.routes import registry_app
from nacre.hub.api.token import TokenServer
from nacre.hub.auth.gate import Gate
from nacre.hub.auth.issuer import Issuer
from nacre.hub.auth.signing import KeyRing
from nacre.hub.auth.tokens import Tokens
from nacre.hub.background import background
from nacre.hub.jobs.journal import Journal
from nacre.hub.jobs.pulls import Pulls
from nacre.hub.jobs.runner import Runner
from nacre.hub.logs import LineLog, Log
from nacre.hub.opening import now, records_of
from nacre.hub.options import Options
from nacre.hub.records import Records
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.repository import Visibility
from nacre.hub.settings import Settings
from nacre.hub.storage.folder import FolderPlace
from nacre.hub.storage.journal import FolderJournal
from nacre.hub.tether import tethered


class HubApp:
    """An ASGI application that is made when the server says that it starts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live through the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            stack.enter_context(tethered())
            try:
                self._app = await stack.enter_async_context(opened(self._settings))
            except BaseException as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def create_app(settings: Settings) -> HubApp:
    """Return the application of one worker."""
    return HubApp(settings)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[App]:
    """Open a hub's records and bytes, and give the application over them."""
    options = settings.options
    async with AsyncExitStack() as stack:
        records = await stack.enter_async_context(records_of(settings))
        place = FolderPlace(settings.blobs)
        log = LineLog(
            Path(options.log.file) if options.log.file else None,
            as_json=options.log.format == "json",
            now=now,
        )
        stack.callback(log.close)
        yield await stack.enter_async_context(
            composed(options, records, place, log, FolderJournal(settings.journal))
        )


@asynccontextmanager
async def composed(
    options: Options, records: Records, place: BytePlace, log: Log, journal: Journal
) -> AsyncIterator[App]:
    """Give the application of a hub, with its background work under way."""
    metrics = Metrics()
    with Passwords() as passwords:
        ring = KeyRing(records.keys, now)
        tokens = _tokens(options, ring)
        logins = Logins(records.users, passwords, _attempts(options.limits.logins), now)
        gate = Gate(
            records.repositories, logins, tokens, anonymous_push=options.auth.anonymous_push
        )
        pulls = Pulls(records.manifests, now=now)
        registry = registry_app(
            records,
            place,
            gate,
            service=options.auth.service,
            now=now,
            rules=_rules(options),
            url=options.server.url,
            patience=options.registry.client_patience,
            pulled=pulls.note,
        )
        issuer = Issuer(gate, logins, records.users, tokens)
        token = TokenServer(issuer, patience=options.registry.client_patience)
        site = Starlette(
            routes=[
                *_operation_routes(options, records, metrics),
                Route("/token", token.answer, methods=["GET", "POST"]),
            ]
        )
        app = _limited(_split(registry, site), options, tokens)

        def report(job: str, said: Mapping[str, object]) -> None:
            log.line("job", {"job": job, **said})

        jobs = background(options, records, place, journal, pulls=pulls, ring=ring, metrics=metrics)
        holder = f"{os.uname().nodename}:{os.getpid()}:{time.monotonic_ns()}"
        async with Runner(jobs, records.leases, holder=holder, report=report, now=now):
            yield BehindProxies(
                _observed(app, options, metrics, log), options.server.trusted_proxies
            )
            with contextlib.suppress(Exception):
                await pulls.write()


def _tokens(options: Options, ring: KeyRing) -> Tokens:
    auth = options.auth
    return Tokens(
        ring,
        service=auth.service,
        now=now,
        access_life=auth.token_life,
        refresh_life=auth.refresh_life,
    )


def _observed(app: App, options: Options, metrics: Metrics, log: Log) -> App:
    return Observed(
        app,
        metrics=metrics if options.log.metrics else None,
        access=log if options.log.access else None,
        audit=log if options.log.audit else None,
    )


def _rules(options: Options) -> Rules:
    registry = options.registry
    return Rules(
        manifest_limit=registry.manifest_limit,
        blob_limit=registry.blob_limit,
        chunk_min=registry.chunk_min,
        page=registry.page,
        writers=options.limits.uploads,
        grace=options.collection.grace,
        visibility=Visibility(registry.visibility),
        sparse=frozenset(registry.sparse),
        immutable=registry.immutable,
    )


def _split(registry: App, site: App) -> App:
    """Return an application that leaves the protocol to ``registry`` and all else to ``site``."""

    def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = scope.get("path", "")
        is_protocol = path.startswith(("/v2/", "/v1/")) or path == "/v2"
        return (registry if is_protocol else site)(scope, receive, send)

    return answer


def _operation_routes(options: Options, records: Records, metrics: Metrics) -> list[Route]:
    routes = [
        Route("/healthz", health.live),
        Route("/readyz", health.ready(records.check)),
    ]
    if options.log.metrics:

        async def numbers(_request: object) -> Response:
            return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

        routes.append(Route("/metrics", numbers))
    return routes


def _attempts(rate_text: str) -> Attempts:
    rate = Rate.read(rate_text)
    if rate is None:
        return Attempts(now, most=0)
    return Attempts(now, most=rate.requests, window=timedelta(seconds=rate.seconds))


def _limited(app: App, options: Options, tokens: Tokens) -> App:
    users, anonymous = _buckets(options.limits.pulls), _buckets(options.limits.pulls_anonymous)
    if users or anonymous:
        app = LimitedPulls(app, tokens.read, users=users, anonymous=anonymous or users)
    app = LimitedHeads(app, options.limits.header)
    requests = _buckets(options.limits.requests)
    return LimitedRequests(app, requests) if requests else app


def _buckets(rate_text: str) -> Buckets | None:
    rate = Rate.read(rate_text)
    return Buckets(rate, time.monotonic) if rate else None
