"""A registry over records and bytes in memory, and a client that speaks ASGI to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar
from urllib.parse import unquote

from nacre.hub.api.observing import App
from nacre.hub.api.routes import registry_app
from nacre.hub.registry.rules import Rules
from nacre.hub.registry.uploads import Upload
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode
from nacre.testing.hub_bytes import MemoryPlace
from tests.unit.hub.doors import SERVICE, Doors, doors

T = TypeVar("T")

HOST = "hub.test:5000"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return next(value for key, value in self.headers if key == name.lower())

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the only error."""
        assert self["content-type"] == "application/json"
        (error,) = self.json["errors"]
        assert error.keys() == {"code", "message", "detail"}
        return str(error["code"])


async def ask(
    app: App,
    method: str,
    target: str,
    body: bytes | Iterable[bytes] | None = None,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    cut_off: bool = False,
    silent: bool = False,
) -> Answer:
    """Send a request: bytes with their length, an iterable in chunks; ``cut_off`` loses the end."""
    path, _, query = target.partition("?")
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    parts = [body] if isinstance(body, bytes) else list(body or ())
    if isinstance(body, bytes) and not cut_off:
        pairs.append(("content-length", str(len(body))))
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    if not (cut_off or silent):
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    got: list[Any] = []

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        if not cut_off:
            await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        got.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "scheme": "http",
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 5000),
        "headers": [(b"host", HOST.encode())]
        + [(name.lower().encode(), value.encode()) for name, value in pairs],
        "extensions": {},
    }
    await app(scope, receive, send)
    start, *rest = got
    assert start["type"] == "http.response.start"
    return Answer(
        start["status"],
        tuple((name.decode(), value.decode("latin-1")) for name, value in start["headers"]),
        b"".join(message.get("body", b"") for message in rest),
    )


@dataclass
class Hub:
    """A hub in memory and everything that a test wants of it."""

    doors: Doors
    place: MemoryPlace
    app: App
    pulls: list[tuple[int, str]] = field(default_factory=list)
    who: Mapping[str, str] = field(default_factory=dict)

    async def ask(self, method: str, target: str, body: Any = None, **options: Any) -> Answer:
        headers = {**self.who, **options.pop("headers", {})}
        return await ask(self.app, method, target, body, headers=headers, **options)

    def as_(self, authorization: str | None) -> Hub:
        """Return the same hub, asked by somebody else."""
        who = {"authorization": authorization} if authorization else {}
        return Hub(self.doors, self.place, self.app, self.pulls, who)

    async def start(self, name: str = "app", query: str = "") -> str:
        """Start an upload and return its address."""
        answer = await self.ask("POST", f"/v2/{name}/blobs/uploads/{query}")
        assert answer.status == 202, answer
        return answer["location"]

    async def repository(self, name: str = "library/app") -> int:
        """Return the id of a repository, as it is recorded."""
        standing = await self.doors.records.repositories.standing(name, None)
        assert standing.repository is not None
        return standing.repository.id

    async def upload(self, upload: str) -> Upload:
        """Return an upload of ``app`` that nobody in particular started."""
        repository = await self.repository()
        return await self.doors.records.uploads.find(upload, repository=repository, owner="")

    async def push_blob(self, data: bytes, name: str = "app", algorithm: str = "sha256") -> Digest:
        digest = Digest.of(data, algorithm)
        answer = await self.ask("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", data)
        assert answer.status == 201, answer
        return digest

    async def push(
        self, fields: Mapping[str, Any], name: str = "app", reference: str = "", query: str = ""
    ) -> Answer:
        raw = encode(fields)
        reference = reference or Digest.of(raw)
        return await self.ask(
            "PUT",
            f"/v2/{name}/manifests/{reference}{query}",
            raw,
            headers={"content-type": fields.get("mediaType", mediatypes.OCI_MANIFEST)},
        )

    async def image(self, name: str = "app", reference: str = "", **fields: Any) -> Digest:
        """Push an image of one layer with its blobs, and return its digest."""
        manifest = await self.fields(name, **fields)
        answer = await self.push(manifest, name, reference)
        assert answer.status == 201, answer
        return Digest(answer["docker-content-digest"])

    async def fields(self, name: str = "app", **fields: Any) -> dict[str, Any]:
        """Push config and layer, and return the manifest that names them."""
        for data in (b"{}", b"a layer"):
            await self.push_blob(data, name)
        return image(**fields)


def part(
    content: bytes, media_type: str = mediatypes.OCI_LAYER_TAR, /, **more: Any
) -> dict[str, Any]:
    return {
        "mediaType": media_type,
        "digest": Digest.of(content),
        "size": len(content),
        **more,
    }


def image(**fields: Any) -> dict[str, Any]:
    """Return the manifest of an image of one layer; ``fields`` replace or add."""
    return {
        "schemaVersion": 2,
        "mediaType": mediatypes.OCI_MANIFEST,
        "config": part(b"{}", mediatypes.OCI_CONFIG),
        "layers": [part(b"a layer")],
        **fields,
    }


def index(*children: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": mediatypes.OCI_INDEX,
        "manifests": list(children),
        **fields,
    }


def on_hub(
    test: Callable[[Hub], Awaitable[T]],
    *,
    rules: Rules | None = None,
    anonymous_push: bool = True,
    patience: timedelta = timedelta(seconds=60),
    url: str = "",
) -> T:
    """Run a test on a fresh hub; anybody may push unless it says otherwise."""

    async def main() -> T:
        with doors(anonymous_push=anonymous_push) as all_doors:
            place, pulls, ids = MemoryPlace(), [], count(1)
            app = registry_app(
                all_doors.records,
                place,
                all_doors.gate,
                service=SERVICE,
                now=all_doors.clock,
                rules=rules or Rules(),
                url=url,
                patience=patience,
                pulled=lambda repository, tag: pulls.append((repository, tag)),
                new_id=lambda: f"id{next(ids)}",
            )
            return await test(Hub(all_doors, place, app, pulls))

    return asyncio.run(main())
