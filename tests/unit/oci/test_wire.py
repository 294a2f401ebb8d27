"""The distribution protocol's words, as the specification spells them."""

from __future__ import annotations

from nacre.oci import wire
from nacre.oci.digest import Digest

DIGEST = Digest("sha256:" + "a" * 64)


def test_routes() -> None:
    assert wire.manifest("team/app", "1.0") == "/v2/team/app/manifests/1.0"
    assert wire.manifest("app", DIGEST) == f"/v2/app/manifests/{DIGEST}"
    assert wire.blob("app", DIGEST) == f"/v2/app/blobs/{DIGEST}"
    assert wire.uploads("app") == "/v2/app/blobs/uploads/"
    assert wire.tags("app") == "/v2/app/tags/list"
    assert wire.referrers("app", DIGEST) == f"/v2/app/referrers/{DIGEST}"


def test_a_reference_cannot_leave_its_place_in_the_route() -> None:
    assert wire.manifest("app", "../blobs/x?y#z") == "/v2/app/manifests/..%2Fblobs%2Fx%3Fy%23z"


def test_scope() -> None:
    assert str(wire.Scope("team/app", (wire.PULL, wire.PUSH))) == "repository:team/app:pull,push"


def test_referrers_tag() -> None:
    assert wire.referrers_tag(DIGEST) == "sha256-" + "a" * 64
    assert wire.referrers_tag(Digest("sha512:" + "b" * 128)) == "sha512-" + "b" * 64


def test_error_codes_of_the_specification() -> None:
    assert {"MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "TOOMANYREQUESTS"} <= set(wire.ERROR_CODES)
    assert set(wire.ERROR_CODES.values()) == {400, 401, 403, 404, 405, 429}
