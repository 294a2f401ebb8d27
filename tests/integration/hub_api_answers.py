"""What the hub's answers hold, in OpenAPI: their headers, media types and the shapes of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nacre.oci import mediatypes, wire

NAME = r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$"
TAG = r"^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$"
DIGEST = r"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"
ID = r"^[A-Za-z0-9_-]{1,64}$"

BLOB, UPLOAD = "/v2/{name}/blobs/{digest}", "/v2/{name}/blobs/uploads/{id}"
UPLOADS = "/v2/{name}/blobs/uploads/"
MANIFEST, REFERRERS = "/v2/{name}/manifests/{reference}", "/v2/{name}/referrers/{digest}"
TAGS = "/v2/{name}/tags/list"

Schema = Mapping[str, Any]

_TEXT: Schema = {"type": "string"}
_BYTES: Schema = {"type": "string", "format": "binary"}
_NUMBER: Schema = {"type": "integer", "minimum": 0}


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _maybe_null(of: Schema) -> Schema:
    """Return a list that may be null: Go writes an empty one so."""
    return {**of, "type": [of["type"], "null"]}


def _object(fields: Mapping[str, Schema], *maybe: str, is_open: bool = False) -> Schema:
    """Return an object that has all these fields and no others; those of ``maybe`` may lack."""
    return {
        "type": "object",
        "required": [name for name in fields if name not in maybe],
        "properties": dict(fields),
        "additionalProperties": is_open,
    }


def _one_of(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_CODES = [*sorted(wire.ERROR_CODES), "PAGINATION_NUMBER_INVALID", "RANGE_INVALID"]
SCHEMAS: Mapping[str, Schema] = {
    "Errors": _object(
        {
            "errors": {
                **_list(_object({"code": {"enum": _CODES}, "message": _TEXT, "detail": {}})),
                "minItems": 1,
            }
        }
    ),
    "Descriptor": _object(
        {
            "mediaType": {"type": "string", "minLength": 1},
            "digest": _text(DIGEST),
            "size": _NUMBER,
            "artifactType": _TEXT,
            "annotations": {"type": "object", "additionalProperties": _TEXT},
        },
        "artifactType",
        "annotations",
        is_open=True,
    ),
    "Index": _object(
        {
            "schemaVersion": {"const": 2},
            "mediaType": {"const": mediatypes.OCI_INDEX},
            "manifests": _maybe_null(_list(_one_of("Descriptor"))),
        },
        "mediaType",
        is_open=True,
    ),
    "Manifest": _object(
        {
            "schemaVersion": {"const": 2},
            "mediaType": {"const": mediatypes.OCI_MANIFEST},
            "config": _one_of("Descriptor"),
            "layers": _maybe_null(_list(_one_of("Descriptor"))),
        },
        "mediaType",
        is_open=True,
    ),
}
ERRORS = _one_of("Errors")

PUSHED: Mapping[str, Schema] = {
    mediatypes.OCI_INDEX: _one_of("Index"),
    mediatypes.OCI_MANIFEST: _one_of("Manifest"),
}
"""Media types of manifests that are described; Docker's are taken, too."""

_FOUND = _object(
    {
        "name": _text(NAME),
        "description": _TEXT,
        "star_count": _NUMBER,
        "is_official": {"type": "boolean"},
        "is_automated": {"type": "boolean"},
    }
)
_TOKEN = _object(
    {
        "token": _TEXT,
        "access_token": _TEXT,
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer", "minimum": 1},
        "issued_at": _text("^[0-9-]{10}T[0-9:]{8}Z$"),
        "scope": _TEXT,
        "refresh_token": _TEXT,
    },
    "refresh_token",
)
SERVICE: Schema = {"const": "nacre-hub"}
FORM: Schema = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"enum": ["password", "refresh_token"]},
        "service": SERVICE,
        "scope": _TEXT,
        "username": _TEXT,
        "password": _TEXT,
        "refresh_token": _TEXT,
        "access_type": {"enum": ["online", "offline"]},
    },
}
"""What is sent for a token by OAuth2."""

_EXTENSION = _object({"name": _TEXT, "description": _TEXT, "url": _TEXT, "endpoints": _list(_TEXT)})

_JSON_BODIES: Mapping[str, Schema] = {
    "/v2/": _object({}),
    wire.CATALOG: _object({"repositories": _list(_text(NAME))}),
    wire.EXTENSIONS: _object({"extensions": _list(_EXTENSION)}),
    wire.PING_V1: _object({"standalone": {"const": True}}),
    wire.SEARCH: _object({"num_results": _NUMBER, "query": _TEXT, "results": _list(_FOUND)}),
    TAGS: _object({"name": _text(NAME), "tags": _list(_text(TAG))}),
    "/token": _TOKEN,
}
_PLAIN = ("/healthz", "/readyz", "/metrics")
_DOCKERS = (mediatypes.DOCKER_MANIFEST, mediatypes.DOCKER_LIST)
_PULLED: Mapping[str, Mapping[str, Schema]] = {
    BLOB: {"application/octet-stream": _BYTES},
    MANIFEST: {**PUSHED, **{kind: {"type": "object"} for kind in _DOCKERS}},
    REFERRERS: {mediatypes.OCI_INDEX: _one_of("Index")},
}


def content(method: str, path: str, status: int) -> Mapping[str, Schema]:
    """Return the schemas of an answer's body by its media type; nothing for one without a body."""
    if method == "HEAD" or status == 304:
        return {}
    if status >= 400:
        return {"text/plain": _TEXT} if path == "/readyz" else {"application/json": ERRORS}
    if path in _PLAIN:
        return {"text/plain": _TEXT}
    if path in _JSON_BODIES:
        return {"application/json": _JSON_BODIES[path]}
    if method != "GET":
        return {}
    return _PULLED.get(path, {})


_IS_DIGEST = _text(DIGEST)
_RECEIVED = _text("^0-[0-9]+$")
_STANDING = {
    "Location": _text("^/v2/.+/blobs/uploads/[A-Za-z0-9_-]{1,64}$"),
    "Range": _RECEIVED,
    wire.UPLOAD_UUID: _text(ID),
}
_WHOLE = {wire.CONTENT_DIGEST: _IS_DIGEST, "ETag": _text('^"sha(256|512):[0-9a-f]+"$')}
_CREATED_BLOB = {
    "Location": _text("^/v2/.+/blobs/sha(256|512):[0-9a-f]+$"),
    wire.CONTENT_DIGEST: _IS_DIGEST,
}
_CREATED_MANIFEST = {
    "Location": _text("^/v2/.+/manifests/sha(256|512):[0-9a-f]+$"),
    wire.CONTENT_DIGEST: _IS_DIGEST,
}
_FIXED: Mapping[tuple[str, int], Mapping[str, Schema]] = {
    (BLOB, 200): {**_WHOLE, "Accept-Ranges": {"const": "bytes"}},
    (BLOB, 206): {**_WHOLE, "Content-Range": _text("^bytes [0-9]+-[0-9]+/[0-9]+$")},
    (BLOB, 304): _WHOLE,
    (BLOB, 416): {"Content-Range": _text(r"^bytes \*/[0-9]+$")},
    (MANIFEST, 200): _WHOLE,
    (MANIFEST, 304): _WHOLE,
    (MANIFEST, 201): _CREATED_MANIFEST,
    (UPLOADS, 201): _CREATED_BLOB,
    (UPLOADS, 202): _STANDING,
    (UPLOAD, 201): _CREATED_BLOB,
    (UPLOAD, 202): _STANDING,
    (UPLOAD, 416): {"Range": _RECEIVED, "Location": _TEXT},
    ("/token", 200): {"Cache-Control": {"const": "no-store"}},
}
_MAYBE: Mapping[tuple[str, int], tuple[str, ...]] = {
    (wire.CATALOG, 200): ("Link",),
    (TAGS, 200): ("Link",),
    (REFERRERS, 200): ("Link", wire.FILTERS_APPLIED),
    (MANIFEST, 201): (wire.SUBJECT, wire.PUSHED_TAGS, "Warning"),
    (UPLOADS, 202): (wire.CHUNK_MIN_LENGTH,),
}
_OF_STATUS: Mapping[int, Mapping[str, Schema]] = {
    401: {"WWW-Authenticate": _text("^(Bearer|Basic) realm=")},
    429: {"Retry-After": _text("^[0-9]+$")},
    503: {"Retry-After": _text("^[0-9]+$")},
}


def headers(method: str, path: str, status: int) -> Mapping[str, Any]:
    """Return the headers that an answer has, and those that it may have."""
    its = dict(_FIXED.get((path, status), {})) | dict(_OF_STATUS.get(status, {}))
    if (path, status) == (UPLOAD, 204) and method != "DELETE":
        its = dict(_STANDING)
    if status < 400 and path.startswith(("/v1/", "/v2/")):
        its["Docker-Distribution-Api-Version"] = {"const": "registry/2.0"}
    if status < 400 and path.startswith("/v2/"):
        its["X-Content-Type-Options"] = {"const": "nosniff"}
    made: dict[str, Any] = {
        name: {"required": True, "schema": schema} for name, schema in its.items()
    }
    for name in _MAYBE.get((path, status), ()):
        made[name] = {"required": False, "schema": _TEXT}
    return made


def links(method: str, path: str, status: int) -> Mapping[str, Any]:
    """Return the operations that an answer leads to: what was started or pushed."""
    name = {"name": "$request.path.name"}
    if (method, path, status) == ("POST", UPLOADS, 202):
        upload = {**name, "id": f"$response.header.{wire.UPLOAD_UUID}"}
        return {
            each: {"operationId": operation_id(each, UPLOAD), "parameters": upload}
            for each in ("GET", "HEAD", "PATCH", "PUT", "DELETE")
        }
    if (method, path, status) == ("PUT", MANIFEST, 201):
        pushed = {**name, "reference": f"$response.header.{wire.CONTENT_DIGEST}"}
        return {
            each: {"operationId": operation_id(each, MANIFEST), "parameters": pushed}
            for each in ("GET", "HEAD", "DELETE")
        }
    return {}


def operation_id(method: str, path: str) -> str:
    """Return the name of an operation.

    >>> operation_id("GET", "/v2/{name}/tags/list")
    'get-v2-name-tags-list'
    """
    words = path.replace("{", "").replace("}", "").strip("/").replace("/", "-")
    return f"{method.lower()}-{words}"
