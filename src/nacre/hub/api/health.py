"""Whether the hub lives (``/healthz``) and can serve (``/readyz``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from nacre.errors import NacreError

if TYPE_CHECKING:
    from starlette.requests import Request


async def live(_request: Request) -> Response:
    """Answer as long as this process answers anything."""
    return PlainTextResponse("ok\n")


def ready(check: Callable[[], Awaitable[None]]) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that answers 200 while ``check`` finds nothing wrong, else 503."""

    async def answer(_request: Request) -> Response:
        try:
            await check()
        except NacreError as error:
            return PlainTextResponse(f"{error}\n", status_code=503, headers={"Retry-After": "5"})
        return PlainTextResponse("ok\n")

    return answer
