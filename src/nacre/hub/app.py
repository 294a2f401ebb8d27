"""The application that the server's workers run.

It opens the records and the bytes of a hub when it starts, and closes them when it ends (ASGI,
"Lifespan"); what is built over them, `nacre.hub.composing` says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from nacre.hub.api.observing import App, Receive, Scope, Send
from nacre.hub.composing import composed
from nacre.hub.configuration.settings import Settings
from nacre.hub.logs import LineLog
from nacre.hub.opening import now, records_of
from nacre.hub.processes.tether import tethered
from nacre.hub.storage.folder import FolderPlace
from nacre.hub.storage.journal import FolderJournal


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
