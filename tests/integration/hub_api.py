"""The hub's API as a table, and its description in OpenAPI: ``docs/hub-api.json``.

The table is what tests are made from; a test keeps the description true to it, and the table true
to the routes. To write the description anew: ``python -m tests.integration.hub_api``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacre.oci import wire

FILE = Path(__file__).parents[2] / "docs" / "hub-api.json"
NAME = r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$"
TAG = r"^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$"
DIGEST = r"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"
ID = r"^[A-Za-z0-9_-]{1,64}$"

ALWAYS = (401, 408, 429, 503)
"""What any operation may answer: no login, too slow, too many, busy."""
_PATTERNS = {"name": NAME, "reference": f"{TAG}|{DIGEST}", "digest": DIGEST, "id": ID}


@dataclass(frozen=True)
class Operation:
    """A method on a path: what it does, what it may answer, and the fields of its query."""

    method: str
    path: str
    summary: str
    answers: tuple[int, ...]
    query: tuple[str, ...] = ()
    has_body: bool = False


_BLOB, _UPLOAD = "/v2/{name}/blobs/{digest}", "/v2/{name}/blobs/uploads/{id}"
_MANIFEST = "/v2/{name}/manifests/{reference}"
_REFUSED = (400, 403, 404)

OPERATIONS = (
    Operation("GET", "/v2/", "Say that the API is here", (200,)),
    Operation("GET", wire.CATALOG, "List repositories", (200, 400), ("n", "last")),
    Operation("GET", wire.EXTENSIONS, "List extensions", (200,)),
    Operation("GET", wire.PING_V1, "Answer Docker's search", (200,)),
    Operation("GET", wire.SEARCH, "Search repositories", (200, 400), ("q", "n")),
    Operation("GET", _BLOB, "Pull a blob, or a part", (200, 206, 304, 416, *_REFUSED)),
    Operation("HEAD", _BLOB, "Ask for a blob", (200, *_REFUSED)),
    Operation("DELETE", _BLOB, "Delete a blob", (202, *_REFUSED)),
    Operation(
        "POST",
        "/v2/{name}/blobs/uploads/",
        "Push or mount a blob, or start an upload",
        (201, 202, 413, 507, *_REFUSED),
        ("digest", "mount", "from", "digest-algorithm"),
        has_body=True,
    ),
    Operation("GET", _UPLOAD, "Ask how far an upload is", (204, *_REFUSED)),
    Operation("HEAD", _UPLOAD, "Ask how far an upload is", (204, *_REFUSED)),
    Operation("PATCH", _UPLOAD, "Push a chunk", (202, 413, 416, 507, *_REFUSED), has_body=True),
    Operation(
        "PUT", _UPLOAD, "Finish an upload", (201, 413, 416, 507, *_REFUSED), ("digest",), True
    ),
    Operation("DELETE", _UPLOAD, "Cancel an upload", (204, *_REFUSED)),
    Operation("GET", _MANIFEST, "Pull a manifest", (200, 304, *_REFUSED)),
    Operation("HEAD", _MANIFEST, "Ask for a manifest", (200, 304, *_REFUSED)),
    Operation("PUT", _MANIFEST, "Push a manifest", (201, 413, 414, 507, *_REFUSED), ("tag",), True),
    Operation("DELETE", _MANIFEST, "Delete a manifest or tag", (202, *_REFUSED)),
    Operation("GET", "/v2/{name}/tags/list", "List tags", (200, *_REFUSED), ("n", "last")),
    Operation("HEAD", "/v2/{name}/tags/list", "Ask for tags", (200, *_REFUSED), ("n", "last")),
    Operation(
        "GET",
        "/v2/{name}/referrers/{digest}",
        "List what refers to a manifest",
        (200, *_REFUSED),
        ("artifactType", "n", "last"),
    ),
    Operation("HEAD", "/v2/{name}/referrers/{digest}", "Ask for referrers", (200, *_REFUSED)),
    Operation("GET", "/token", "Issue a token", (200, 400), ("service", "scope", "offline_token")),
    Operation("POST", "/token", "Issue a token (OAuth2)", (200, 400), has_body=True),
    Operation("GET", "/healthz", "Say whether the hub lives", (200,)),
    Operation("GET", "/readyz", "Say whether the hub can serve", (200,)),
    Operation("GET", "/metrics", "Tell numbers to Prometheus", (200,)),
)


def description() -> dict[str, Any]:
    """Return the description of `OPERATIONS` (OpenAPI 3.1)."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "nacre hub",
            "version": "2",
            "description": "The OCI Distribution Specification, and what belongs to a hub.",
        },
        "paths": paths,
        "components": {"schemas": {"Errors": _ERRORS}},
    }


_ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"enum": [*sorted(wire.ERROR_CODES), "PAGINATION_NUMBER_INVALID",
                                      "RANGE_INVALID"]},
                    "message": {"type": "string"},
                    "detail": {},
                },
            },
        }
    },
}  # fmt: skip


def _described(operation: Operation) -> dict[str, Any]:
    named = [name for name in _PATTERNS if f"{{{name}}}" in operation.path]
    made: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": _PATTERNS[name]},
            }
            for name in named
        ]
        + [{"name": each, "in": "query", "schema": {"type": "string"}} for each in operation.query],
        "responses": {
            str(status): _answer(operation, status)
            for status in sorted({*operation.answers, *ALWAYS})
        },
    }
    if operation.has_body:
        anything = {"schema": {"type": "string", "format": "binary"}}
        kind = "application/x-www-form-urlencoded" if operation.path == "/token" else "*/*"
        if operation.path == "/token":
            anything = {"schema": {"type": "object"}}
        made["requestBody"] = {"content": {kind: anything}}
    return made


def _answer(operation: Operation, status: int) -> dict[str, Any]:
    is_error = status >= 400
    made: dict[str, Any] = {"description": "an error" if is_error else "done"}
    if is_error and operation.method != "HEAD" and operation.path != "/readyz":
        schema = {"$ref": "#/components/schemas/Errors"}
        made["content"] = {"application/json": {"schema": schema}}
    return made


def text() -> str:
    """Return the description as it is in the file."""
    return json.dumps(description(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
