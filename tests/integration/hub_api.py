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
from tests.integration import hub_api_answers as answers
from tests.integration.hub_api_answers import DIGEST, ID, NAME, TAG

FILE = Path(__file__).parents[2] / "docs" / "hub-api.json"

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


_BLOB, _UPLOAD, _MANIFEST = answers.BLOB, answers.UPLOAD, answers.MANIFEST
_TAGS, _REFERRERS = answers.TAGS, answers.REFERRERS
_REFUSED = (400, 403, 404)

OPERATIONS = (
    Operation("GET", "/v2/", "Say that the API is here", (200,)),
    Operation("GET", wire.CATALOG, "List repositories", (200, 400), ("n", "last")),
    Operation("GET", wire.EXTENSIONS, "List extensions", (200,)),
    Operation("GET", wire.PING_V1, "Answer Docker's search", (200,)),
    Operation("GET", wire.SEARCH, "Search repositories", (200, 400), ("q", "n")),
    Operation("GET", _BLOB, "Pull a blob, or a part", (200, 206, 304, 416, *_REFUSED)),
    Operation("HEAD", _BLOB, "Ask for a blob", (200, 304, *_REFUSED)),
    Operation("DELETE", _BLOB, "Delete a blob", (202, *_REFUSED)),
    Operation(
        "POST",
        answers.UPLOADS,
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
    Operation("GET", _TAGS, "List tags", (200, *_REFUSED), ("n", "last")),
    Operation("HEAD", _TAGS, "Ask for tags", (200, *_REFUSED), ("n", "last")),
    Operation(
        "GET",
        _REFERRERS,
        "List what refers to a manifest",
        (200, *_REFUSED),
        ("artifactType", "n", "last"),
    ),
    Operation("HEAD", _REFERRERS, "Ask for referrers", (200, *_REFUSED)),
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
        "components": {"schemas": answers.SCHEMAS, "securitySchemes": _LOGINS},
    }


_LOGINS = {
    "password": {"type": "http", "scheme": "basic"},
    "token": {"type": "http", "scheme": "bearer"},
}
_SHOWN: list[dict[str, list[str]]] = [{"password": []}, {"token": []}]
_QUERY: dict[str, dict[str, Any]] = {
    "n": {"type": "integer", "minimum": 0},
    "digest": {"type": "string", "pattern": DIGEST},
    "digest-algorithm": {"enum": ["sha256", "sha512"]},
    "service": dict(answers.SERVICE),
    "tag": {"type": "array", "items": {"type": "string", "pattern": TAG}},
}
_TEXT = {"type": "string"}


def _described(operation: Operation) -> dict[str, Any]:
    named = [name for name in _PATTERNS if f"{{{name}}}" in operation.path]
    made: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": answers.operation_id(operation.method, operation.path),
        "security": _logins(operation),
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": _PATTERNS[name]},
            }
            for name in named
        ]
        + [_field(operation, name) for name in operation.query],
        "responses": {
            str(status): _answer(operation, status)
            for status in sorted({*operation.answers, *ALWAYS})
        },
    }
    if operation.has_body:
        made["requestBody"] = {"content": _body(operation)}
        made["requestBody"]["required"] = operation.path in {"/token", _MANIFEST}
    return made


def _logins(operation: Operation) -> list[dict[str, list[str]]]:
    """Return what must be shown; an empty entry is for nothing, where the public may pull."""
    if not operation.path.startswith("/v"):
        return []
    is_for_anybody = operation.path.startswith("/v1/") or (
        operation.method in {"GET", "HEAD"} and "{name}" in operation.path
    )
    return [*_SHOWN, {}] if is_for_anybody and operation.path != _UPLOAD else _SHOWN


def _field(operation: Operation, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "in": "query", "schema": _QUERY.get(name, _TEXT)}
    if (operation.path, name) == (_UPLOAD, "digest"):
        made["required"] = True
    return made


def _body(operation: Operation) -> dict[str, Any]:
    if operation.path == "/token":
        return {"application/x-www-form-urlencoded": {"schema": answers.FORM}}
    if operation.path == _MANIFEST:
        return {kind: {"schema": schema} for kind, schema in answers.PUSHED.items()}
    return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def _answer(operation: Operation, status: int) -> dict[str, Any]:
    its = operation.method, operation.path, status
    made: dict[str, Any] = {"description": "an error" if status >= 400 else "done"}
    if headers := answers.headers(*its):
        made["headers"] = headers
    if content := answers.content(*its):
        made["content"] = {kind: {"schema": schema} for kind, schema in content.items()}
    if links := answers.links(*its):
        made["links"] = links
    return made


def text() -> str:
    """Return the description as it is in the file."""
    return json.dumps(description(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
