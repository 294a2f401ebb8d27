"""Who may do what, over HTTP and on real records: everybody against everything.

For whoever may not see a repository, it and one that does not exist must look the same: status,
headers and body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from tests.integration.hub_people import (
    CONFIG,
    LAYER,
    PASSWORD,
    People,
    image,
    index,
    part,
    settled,
)
from tests.servers.hub import ADMIN, Answer, started_hub

BLOB, ABSENT = Digest.of(LAYER), Digest.of(b"absent")
EVERYBODY = ("anonymous", "reader", "writer", "owner", ADMIN)
SEES_ALPHA = frozenset({"reader", "writer", ADMIN})
WRITES_ALPHA = frozenset({"writer", ADMIN})
# The body is that of whoever asks last; what counts is the standing.
TYPE = {"Content-Type": mediatypes.OCI_INDEX}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with started_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield settled(hub)


def told(answer: Answer, name: str) -> tuple[object, ...]:
    """Return all that an answer tells, without the name, the time and random ids."""
    headers = {key: value for key, value in answer.headers.items() if key != "date"}
    text = re.sub(name, "NAME", f"{headers}{answer.body.decode()}")
    return answer.status, re.sub(r"uploads/[\w-]{20,}|[\w-]{32}", "ID", text)


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", f"/v2/{{}}/blobs/{BLOB}"),
        ("HEAD", f"/v2/{{}}/blobs/{BLOB}"),
        ("GET", "/v2/{}/manifests/latest"),
        ("HEAD", "/v2/{}/manifests/latest"),
        ("GET", f"/v2/{{}}/manifests/{Digest.of(image())}"),
        ("GET", f"/v2/{{}}/referrers/{BLOB}"),
        ("GET", "/v2/{}/tags/list"),
    ],
)
def test_reading(people: People, who: str, method: str, target: str) -> None:
    there = people[who].ask(method, target.format("alpha/app"))
    absent = people[who].ask(method, target.format("alpha/zzz"))
    if who in SEES_ALPHA:
        assert there.status == 200
    else:
        assert there.status == (401 if who == "anonymous" else 404)
        assert told(there, "alpha/app") == told(absent, "alpha/zzz")


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (("POST", "/v2/{}/blobs/uploads/", None), 202),
        (("POST", f"/v2/{{}}/blobs/uploads/?digest={Digest.of(CONFIG)}", CONFIG), 201),
        (("POST", f"/v2/{{}}/blobs/uploads/?mount={BLOB}", None), 201),
        (("POST", f"/v2/{{}}/blobs/uploads/?mount={ABSENT}&from=beta/app", None), 202),
        (("PUT", "/v2/{}/manifests/by-tag", index()), 201),
        (("PUT", f"/v2/{{}}/manifests/{Digest.of(index())}?tag=a&tag=b", index()), 201),
    ],
)
def test_writing(
    people: People, who: str, request_: tuple[str, str, bytes | None], status: int
) -> None:
    method, target, body = request_
    headers = TYPE if "manifests" in target else {}
    there = people[who].ask(method, target.format("alpha/app"), body, headers)
    if who in WRITES_ALPHA:
        assert there.status == status, there
        return
    assert there.status == (401 if who == "anonymous" else 403)
    if who not in SEES_ALPHA:
        absent = people[who].ask(method, target.format("alpha/zzz"), body, headers)
        assert told(there, "alpha/app") == told(absent, "alpha/zzz")


@pytest.mark.parametrize("who", ["anonymous", "reader", "owner"])
@pytest.mark.parametrize("target", [f"blobs/{BLOB}", "manifests/latest", "blobs/uploads/an-id"])
def test_deleting(people: People, who: str, target: str) -> None:
    there = people[who].ask("DELETE", f"/v2/alpha/app/{target}")
    assert there.status == (401 if who == "anonymous" else 403)
    if who not in SEES_ALPHA:
        absent = people[who].ask("DELETE", f"/v2/alpha/zzz/{target}")
        assert told(there, "alpha/app") == told(absent, "alpha/zzz")
    assert people[ADMIN].ask("GET", "/v2/alpha/app/manifests/latest").status == 200


@pytest.mark.parametrize("source", ["&from=alpha/app", "&from=alpha/zzz", "&from=beta/app", ""])
@pytest.mark.parametrize("how", ["password", "token", "wide token"])
def test_mounting_gives_only_what_whoever_asks_may_read(
    people: People, source: str, how: str
) -> None:
    """The owner of beta owns what is mounted into, and may not see alpha."""
    secret = people[ADMIN].push_blob("alpha/app", f"secret{source}{how}".encode())
    scopes = ["repository:beta/app:pull,push"]
    if how == "wide token":
        scopes.append("repository:alpha/app:pull")
    owner = people["owner"] if how == "password" else people.token("owner", *scopes)
    target = "/v2/beta/app/blobs/uploads/?mount="
    found, absent = (owner.ask("POST", f"{target}{digest}{source}") for digest in (secret, ABSENT))
    assert found.status == 202
    assert told(found, str(secret)) == told(absent, str(ABSENT))
    assert owner.ask("HEAD", f"/v2/beta/app/blobs/{secret}").status == 404
    admin = people[ADMIN].ask("POST", f"{target}{secret}&from=alpha/app")
    assert admin.status == 201
    assert people[ADMIN].ask("DELETE", f"/v2/beta/app/blobs/{secret}").status == 202


def test_a_manifest_that_names_a_foreign_digest_gives_nothing(people: People) -> None:
    secret = people[ADMIN].push_blob("alpha/app", b"named by a stranger")
    owner = people["owner"]
    for data in (b"named by a stranger", b"nobody has this"):
        stolen = image(layers=[part(data)])
        answer = owner.push_manifest("beta/app", "stolen", stolen)
        assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")
    foreign = Digest.of(image(annotations={"only": "alpha"}))
    people[ADMIN].push_manifest("alpha/app", "only", image(annotations={"only": "alpha"}))
    subject = {"mediaType": mediatypes.OCI_MANIFEST, "digest": str(foreign), "size": 1}
    assert owner.push_manifest("beta/app", "about", index(subject=subject)).status == 201
    for target in (f"blobs/{secret}", f"manifests/{foreign}", f"blobs/{foreign}"):
        assert owner.ask("GET", f"/v2/beta/app/{target}").status == 404
    listed = people["reader"].ask("GET", f"/v2/alpha/app/referrers/{foreign}")
    assert listed.json["manifests"] == [], "what a stranger says of it is not shown there"


@pytest.mark.parametrize("who", EVERYBODY)
def test_lists_show_what_may_be_pulled_and_no_more(people: People, who: str) -> None:
    may = {"alpha/app": who in SEES_ALPHA, "beta/app": who in {"owner", ADMIN}}
    seen = people.token(who, "registry:catalog:*").ask("GET", "/v2/_catalog?n=1000")
    names = seen.json["repositories"]
    found = people[who].ask("GET", "/v1/search?q=app").json["results"]
    for name, allowed in may.items():
        assert (name in names) is allowed
        assert (name in [each["name"] for each in found]) is allowed
    page = people.token(who, "registry:catalog:*").ask("GET", "/v2/_catalog?n=1&last=alpha/a")
    assert ("alpha/app" in page.json["repositories"]) is may["alpha/app"]


def test_an_upload_is_of_use_to_nobody_but_who_started_it(people: People) -> None:
    """Quay CVE-2026-32589."""
    location = people["writer"].start_upload("alpha/app")
    assert people["writer"].ask("PATCH", location, LAYER).status == 202
    upload = location.rpartition("/")[2]
    other = upload[:-4] + "ZZZZ"
    elsewhere = f"/v2/beta/app/blobs/uploads/{upload}"
    for who, target in ((ADMIN, location), (ADMIN, elsewhere), ("owner", elsewhere)):
        for method in ("GET", "HEAD", "PATCH", "PUT", "DELETE"):
            query = f"?digest={BLOB}" if method == "PUT" else ""
            answer = people[who].ask(method, target + query, b"x" if method == "PATCH" else None)
            assert answer.status == 404, (who, method)
            absent = people[who].ask(method, target.replace(upload, other) + query)
            assert told(answer, upload) == told(absent, other)
    assert people["reader"].ask("GET", location).status == 403
    assert people["anonymous"].ask("GET", location).status == 401
    assert people["writer"].ask("GET", location).headers["range"] == f"0-{len(LAYER) - 1}"


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("repository:alpha/app:pull", {"GET"}),
        ("repository:alpha/app:pull,push", {"GET", "POST"}),
        ("repository:alpha/app:*", {"GET", "POST", "DELETE"}),
        ("repository:alpha/other:pull,push,delete", set()),
        ("repository:beta/app:pull,push,delete", set()),
        ("registry:catalog:*", set()),
        ("repository:alpha/app:", set()),
    ],
)
def test_a_token_gives_no_more_than_it_says(people: People, scope: str, may: set[str]) -> None:
    token = people.token(ADMIN, scope)
    location = people[ADMIN].start_upload("alpha/app")
    for method, target in (
        ("GET", "/v2/alpha/app/manifests/latest"),
        ("POST", "/v2/alpha/app/blobs/uploads/"),
        ("DELETE", f"/v2/alpha/app/blobs/{ABSENT}"),
    ):
        answer = token.ask(method, target)
        assert (answer.status in {200, 202, 404}) is (method in may), (method, answer)
        if method not in may:
            assert answer.status == 401
            assert 'scope="repository:alpha/app:' in answer.headers["www-authenticate"]
    assert (token.ask("GET", location).status == 401) is ("POST" not in may)


def test_nobody_gets_a_token_for_more_than_they_may(people: People) -> None:
    wanted = "repository:alpha/app:pull,push,delete"
    for who, may in (("anonymous", set()), ("reader", {"GET"}), ("owner", set())):
        token = people.token(who, wanted)
        answers = {
            "GET": token.ask("GET", "/v2/alpha/app/manifests/latest"),
            "POST": token.ask("POST", "/v2/alpha/app/blobs/uploads/"),
            "DELETE": token.ask("DELETE", "/v2/alpha/app/manifests/latest"),
        }
        assert {method for method, answer in answers.items() if answer.status < 300} == may


@pytest.mark.parametrize("since", ["removed", "made again", "password"])
def test_tokens_end_with_the_user_and_the_password(people: People, since: str) -> None:
    hub, name = people.hub, f"nacre-{since.replace(' ', '-')}"
    hub.add_user(name, PASSWORD)
    token = people.token(name, f"repository:{name}/p:pull,push", "registry:catalog:*")
    uploads, manifest = f"/v2/{name}/p/blobs/uploads/", "/v2/alpha/app/manifests/latest"
    assert token.ask("GET", "/v2/").status == 200
    assert token.ask("POST", f"{uploads}?mount=none").status == 202
    hub.manage("repo", "rm", f"{name}/p")
    if since == "password":
        hub.manage("user", "passwd", "--password-stdin", name, stdin="another battery")
    else:
        hub.manage("user", "rm", name)
    if since == "made again":
        hub.add_user(name, "another battery")
    for method, target in (
        ("POST", uploads),
        ("GET", manifest),
        ("GET", "/v2/"),
        ("GET", "/v2/_catalog"),
        ("GET", "/v1/search?q=app"),
    ):
        answer = token.ask(method, target)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED"), target
    if since != "removed":
        hub = people.hub.as_(name, "another battery")
        renewed = hub.with_(hub.token(f"repository:{name}/p:pull,push"))
        assert renewed.ask("POST", uploads).status == 202


def test_the_audit_has_each_change_and_each_failed_login(tmp_path: Path) -> None:
    with started_hub(tmp_path) as hub:
        admin = hub.as_(ADMIN, hub.password)
        location = admin.start_upload("app")
        assert admin.ask("PATCH", location, LAYER).status == 202
        assert admin.ask("PUT", f"{location}?digest={BLOB}").status == 201
        mount = f"/v2/app/blobs/uploads/?mount={BLOB}&from=app"
        assert admin.ask("POST", mount).status == 201
        assert admin.ask("DELETE", admin.start_upload("app")).status == 204
        assert hub.as_("nobody", "guessed").ask("GET", "/v2/").status == 401
        assert hub.with_("Bearer made.up.token").ask("GET", "/v2/").status == 401
        assert hub.ask("GET", "/v2/").status == 401
        hub.stop()
        lines = re.findall(r"^\S+ audit (.*)$", hub.log, re.MULTILINE)
    said = [dict(word.split("=", 1) for word in line.split()) for line in lines]
    assert [(one["user"], one["method"], one["status"], one.get("digest")) for one in said] == [
        (ADMIN, "PUT", "201", str(BLOB)),
        (ADMIN, "POST", "201", str(BLOB)),
        (ADMIN, "DELETE", "204", None),
        ("nobody", "GET", "401", None),
        ('""', "GET", "401", None),
    ]
