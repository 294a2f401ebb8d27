"""The distribution protocol's words: routes, headers, error codes and scopes.

Spoken by the registry client and by the hub, so that each tests the other
(distribution-spec 1.1, "Endpoints" and "Error Codes"; Docker's token authentication).
"""

from __future__ import annotations

from urllib.parse import quote

from nacre.oci.digest import Digest
from nacre.value import Value

API_BASE = "/v2/"
CATALOG = "/v2/_catalog"
EXTENSIONS = "/v2/_oci/ext/discover"
SEARCH = "/v1/search"
PING_V1 = "/v1/_ping"

CONTENT_DIGEST = "Docker-Content-Digest"
UPLOAD_UUID = "Docker-Upload-UUID"
CHUNK_MIN_LENGTH = "OCI-Chunk-Min-Length"
SUBJECT = "OCI-Subject"
FILTERS_APPLIED = "OCI-Filters-Applied"
PUSHED_TAGS = "OCI-Tag"
NAMESPACE = "OCI-Namespace"

PULL = "pull"
PUSH = "push"
DELETE = "delete"

ERROR_CODES = {
    "BLOB_UNKNOWN": 404,
    "BLOB_UPLOAD_INVALID": 400,
    "BLOB_UPLOAD_UNKNOWN": 404,
    "DIGEST_INVALID": 400,
    "MANIFEST_BLOB_UNKNOWN": 404,
    "MANIFEST_INVALID": 400,
    "MANIFEST_UNKNOWN": 404,
    "NAME_INVALID": 400,
    "NAME_UNKNOWN": 404,
    "SIZE_INVALID": 400,
    "UNAUTHORIZED": 401,
    "DENIED": 403,
    "UNSUPPORTED": 405,
    "TOOMANYREQUESTS": 429,
}
"""The error codes of the specification, each with the HTTP status it comes with."""


class Scope(Value):
    """What a token is asked to allow: actions on one repository."""

    repository: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"repository:{self.repository}:{','.join(self.actions)}"


def manifest(repository: str, reference: str) -> str:
    """Return the route of a manifest; ``reference`` is a tag or a digest."""
    return f"/v2/{repository}/manifests/{quote(reference, safe=':')}"


def blob(repository: str, digest: Digest) -> str:
    """Return the route of a blob."""
    return f"/v2/{repository}/blobs/{digest}"


def uploads(repository: str) -> str:
    """Return the route that starts an upload."""
    return f"/v2/{repository}/blobs/uploads/"


def tags(repository: str) -> str:
    """Return the route that lists tags."""
    return f"/v2/{repository}/tags/list"


def referrers(repository: str, digest: Digest) -> str:
    """Return the route that lists what refers to a manifest."""
    return f"/v2/{repository}/referrers/{digest}"


def referrers_tag(digest: Digest) -> str:
    """Return the tag under which referrers are kept where the API is missing.

    distribution-spec "Referrers Tag Schema": algorithm cut to 32 and hash to 64 characters.
    """
    return f"{digest.algorithm[:32]}-{digest.encoded[:64]}"
