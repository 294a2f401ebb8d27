"""Everything that a hub answers: the protocol, the token service, and its own state."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from nacre.hub.api import health
from nacre.hub.api.metrics import CONTENT_TYPE, Metrics
from nacre.hub.api.observing import App, Receive, Scope, Send
from nacre.hub.api.responses import refused
from nacre.hub.api.token import TokenServer
from nacre.hub.records import Records
from nacre.hub.registry.byteplace import BytePlace


def site(
    registry: App, token: TokenServer, records: Records, place: BytePlace, metrics: Metrics | None
) -> App:
    """Return an application that leaves the protocol to ``registry``; without metrics, none."""
    others = Starlette(
        routes=[
            *_operation_routes(records, place, metrics),
            Route("/token", token.answer, methods=["GET", "POST"]),
        ],
        exception_handlers={HTTPException: refused},
    )
    # A redirect would lead to whatever host the client names.
    others.router.redirect_slashes = False

    def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = scope.get("path", "")
        is_protocol = path.startswith(("/v2/", "/v1/")) or path == "/v2"
        return (registry if is_protocol else others)(scope, receive, send)

    return answer


def _operation_routes(records: Records, place: BytePlace, metrics: Metrics | None) -> list[Route]:
    async def check() -> None:
        await records.check()
        place.check()

    routes = [
        Route("/healthz", health.live),
        Route("/readyz", health.ready(check)),
    ]
    if metrics is not None:
        text = metrics.text

        async def numbers(_request: object) -> Response:
            return Response(text(), headers={"content-type": CONTENT_TYPE})

        routes.append(Route("/metrics", numbers))
    return routes
