"""The hub against its own description, by schemathesis: what is described is what comes back.

Requests are made up from ``docs/hub-api.json``, well and badly filled in, alone and one after
another as its links say; each answer must have a status, headers and a body that it describes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nacre.oci.digest import Digest
from tests.integration import hub_api_answers as answers
from tests.integration.hub_api import FILE, OPERATIONS
from tests.integration.hub_people import CONFIG, LAYER, People, image, settled
from tests.peers.schemathesis import Findings, examined
from tests.servers.hub import ADMIN, started_hub

BLOB, MANIFEST = str(Digest.of(LAYER)), str(Digest.of(image()))
CHECKS = frozenset(
    {
        "not_a_server_error", "status_code_conformance", "content_type_conformance",
        "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
        "positive_data_acceptance", "unsupported_method", "allow_header_conformance",
        "use_after_free", "ensure_resource_availability", "ignored_auth",
    }
)  # fmt: skip
# The names have one part: schemathesis sends no others. Most requests are about what is there, but
# what is deleted is of a repository by itself. That a digest is not that of the bytes, no schema
# can say, nor that a mount makes the hub look at nothing else; a push that fails so ends its
# upload.
SETTINGS = f"""
[warnings]
enabled = false
[dictionaries]
names = {{ values = ["known", "fresh"] }}
doomed = {{ values = ["doomed", "absent"] }}
references = {{ values = ["latest", "{MANIFEST}"] }}
digests = {{ values = ["{BLOB}", "{MANIFEST}"] }}
[parameters]
"path.name" = {{ dictionary = "names", probability = 0.9 }}
"path.reference" = {{ dictionary = "references", probability = 0.8 }}
"path.digest" = {{ dictionary = "digests", probability = 0.8 }}
[[operations]]
include-method = "DELETE"
[operations.parameters]
"path.name" = {{ dictionary = "doomed", probability = 1.0 }}
[[operations]]
include-path-regex = "/blobs/uploads/|/manifests/"
[operations.checks]
negative_data_rejection.enabled = false
positive_data_acceptance.enabled = false
ensure_resource_availability.enabled = false
"""


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    env = {"NACRE_HUB_LIMITS_LOGINS": "100000/s", "NACRE_HUB_LOG_ACCESS": "false"}
    with started_hub(tmp_path / "hub", env=env) as hub:
        people = settled(hub)
        for name in ("known", "doomed"):
            for data in (LAYER, CONFIG):
                people[ADMIN].push_blob(name, data)
            assert people[ADMIN].push_manifest(name, "latest", image()).status == 201
        yield people


def asked(
    people: People, who: str, folder: Path, *flags: str, description: Path = FILE, **more: int
) -> Findings:
    hub = people[who]
    findings = examined(
        description,
        hub.url,
        *flags,
        folder=folder,
        settings=SETTINGS,
        authorization=hub.authorization,
        **{"examples": 6, **more},
    )
    assert "Traceback" not in people.hub.log
    return findings


def well_answered(findings: Findings) -> None:
    """Check that everything was asked and nothing was found."""
    assert not findings.failures, findings.said
    everything = {f"{each.method} {each.path}" for each in OPERATIONS}
    assert {operation for operation, _ in findings.answers} >= everything
    assert findings.checks >= CHECKS


def done_by_admin(findings: Findings) -> None:
    """Check that a run has come to where it counts: what can be done was done, not just refused."""
    for each in OPERATIONS:
        # To finish an upload takes the digest of what was sent, and a token the right password.
        if each.path not in {answers.UPLOAD, "/token"}:
            statuses = findings.statuses(f"{each.method} {each.path}")
            assert any(status < 300 for status in statuses), (each, statuses)
    assert {202, 204} & {status for asked, status in findings.answers if answers.UPLOAD in asked}


def test_all_is_as_described_for_an_admin(people: People, tmp_path: Path) -> None:
    findings = asked(people, ADMIN, tmp_path / "run")
    well_answered(findings)
    done_by_admin(findings)


def test_all_is_as_described_for_the_anonymous(people: People, tmp_path: Path) -> None:
    # Nothing comes of what the anonymous start, so no link leads anywhere. To look at a password
    # that is made up takes long, as it should; the long run does that.
    quickly = ("--phases", "coverage,fuzzing", "--generation-with-security-parameters", "false")
    findings = asked(people, "anonymous", tmp_path / "run", *quickly, examples=3)
    well_answered(findings)
    for each in OPERATIONS:
        statuses = findings.statuses(f"{each.method} {each.path}")
        if "{name}" in each.path and each.method not in {"GET", "HEAD"}:
            assert min(statuses) >= 400, (each, statuses)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("who", [ADMIN, "reader", "anonymous"])
def test_all_is_as_described_for_long(people: People, tmp_path: Path, who: str) -> None:
    findings = asked(people, who, tmp_path / "run", examples=60, seed=2)
    well_answered(findings)
    if who == ADMIN:
        done_by_admin(findings)


def _no_status(paths: dict[str, Any]) -> None:
    its = paths[answers.TAGS]["get"]["responses"]
    its["299"] = its.pop("200")


def _other_type(paths: dict[str, Any]) -> None:
    its = paths[answers.TAGS]["get"]["responses"]["200"]["content"]
    its["text/html"] = its.pop("application/json")


def _other_shape(paths: dict[str, Any]) -> None:
    its = paths[answers.TAGS]["get"]["responses"]["200"]["content"]["application/json"]
    its["schema"]["properties"]["tags"]["items"] = {"type": "integer"}


def _other_header(paths: dict[str, Any]) -> None:
    its = paths[answers.TAGS]["get"]["responses"]["200"]["headers"]
    its["X-Absent"] = {"required": True, "schema": {"type": "string"}}


def _login(paths: dict[str, Any]) -> None:
    paths["/v1/_ping"]["get"]["security"] = [{"password": []}]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (_no_status, "status_code_conformance"),
        (_other_type, "content_type_conformance"),
        (_other_shape, "response_schema_conformance"),
        (_other_header, "response_headers_conformance"),
        (_login, "ignored_auth"),
    ],
)
def test_a_description_that_is_wrong_is_found_out(
    people: People, tmp_path: Path, change: Any, check: str
) -> None:
    described = json.loads(FILE.read_text())
    change(described["paths"])
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(described))
    path = "/v1/_ping" if change is _login else answers.TAGS
    one = ("--include-operation-id", answers.operation_id("GET", path), "--phases", "fuzzing")
    findings = asked(people, ADMIN, tmp_path / "run", *one, description=wrong, examples=10)
    assert set(findings.failures) == {check}, findings.said
