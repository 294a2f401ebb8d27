"""The addresses that are about no repository: the check of the API, and its extensions."""

from __future__ import annotations

from nacre.hub.api.door import Door
from nacre.hub.api.reply import Reply, in_json
from nacre.hub.api.request import Request

_EXTENSIONS = {
    "extensions": [
        {
            "name": "_oci",
            "description": "Discovery of extensions.",
            "url": "https://github.com/opencontainers/distribution-spec/blob/main/extensions/_oci.md",
            "endpoints": ["_oci/ext/discover"],
        },
        {
            "name": "_catalog",
            "description": "The repositories that you may pull from.",
            "url": "https://distribution.github.io/distribution/spec/api/#catalog",
            "endpoints": ["_catalog"],
        },
    ]
}


class BaseRoutes:
    """What ``/v2/`` and what belongs to no repository answers."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def check(self, request: Request) -> Reply:
        """Answer ``/v2/``: the API is here, for whoever shows a token or password."""
        await self._door.shown(request)
        return in_json(200, {})

    async def extensions(self, request: Request) -> Reply:
        """Answer ``/v2/_oci/ext/discover``."""
        await self._door.shown(request)
        return in_json(200, _EXTENSIONS)

    async def ping(self, _request: Request) -> Reply:
        """Answer ``/v1/_ping``, which Docker asks before it searches."""
        return in_json(200, {"standalone": True})
