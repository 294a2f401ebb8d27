"""What went wrong in other registries and tools, tried against a running hub.

Each test is named by the numbers under which the failure is known; `tests/unit/hub/api` has more
about some of them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from nacre.hub.repositories.repository import Role
from nacre.hub.storage.sql import open_records
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from tests.integration.hub_people import (
    CONFIG,
    LAYER,
    PASSWORD,
    People,
    claims,
    image,
    index,
    part,
    settled,
)
from tests.servers.hub import ADMIN, basic, started_hub

BLOB = Digest.of(LAYER)
LATEST = "/v2/alpha/app/manifests/latest"
Attack = Callable[[People], None]
ATTACKS: dict[str, Attack] = {}


def known_as(*numbers: str) -> Callable[[Attack], Attack]:
    """Note an attack under the numbers it is known as."""

    def note(attack: Attack) -> Attack:
        ATTACKS.update(dict.fromkeys(numbers, attack))
        return attack

    return note


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    env = {"NACRE_HUB_REGISTRY_IMMUTABLE": "v[0-9]+", "NACRE_HUB_LIMITS_LOGINS": "1000/min"}
    with started_hub(tmp_path_factory.mktemp("hub"), env=env) as hub:
        yield settled(hub)


@known_as("CVE-2024-39897")
def blobs_of_others_by_head_and_mount(people: People) -> None:
    owner = people["owner"]
    secret = people[ADMIN].push_blob("alpha/app", b"for alpha only")
    for _ in range(2):
        assert owner.ask("HEAD", f"/v2/beta/app/blobs/{secret}").status == 404
        for source in ("", "&from=alpha/app", "&from=beta/app"):
            target = f"/v2/beta/app/blobs/uploads/?mount={secret}{source}"
            assert owner.ask("POST", target).status == 202
    assert owner.ask("GET", f"/v2/beta/app/blobs/{secret}").status == 404


@known_as("CVE-2026-27771", "CVE-2025-69413", "CVE-2020-13794", "CVE-2019-19030", "CVE-2020-29662")
def private_names_and_images_for_the_anonymous(people: People) -> None:
    anonymous = people.token("anonymous", "registry:catalog:*", "repository:alpha/app:pull")
    assert anonymous.ask("GET", "/v2/_catalog").json["repositories"] == []
    assert anonymous.ask("GET", "/v1/search?q=alpha").json["results"] == []
    answers = {
        (answer.status, answer.body.replace(name.encode(), b"NAME"))
        for name in ("alpha/app", "alpha/no", "no/no")
        for answer in [anonymous.ask("GET", f"/v2/{name}/tags/list")]
    }
    assert len(answers) == 1


@known_as("CVE-2026-35172")
def content_that_was_deleted_and_is_read_again(people: People) -> None:
    admin = people[ADMIN]
    blob = admin.push_blob("alpha/app", b"soon deleted")
    admin.push_manifest("alpha/app", "doomed", index(annotations={"a": "doomed"}))
    manifest = admin.ask("GET", "/v2/alpha/app/manifests/doomed").headers["docker-content-digest"]
    for target in (f"blobs/{blob}", f"manifests/{manifest}"):
        assert admin.ask("GET", f"/v2/alpha/app/{target}").status == 200
        assert admin.ask("DELETE", f"/v2/alpha/app/{target}").status == 202
        for method in ("GET", "HEAD"):
            assert admin.ask(method, f"/v2/alpha/app/{target}").status == 404
    assert admin.ask("GET", "/v2/alpha/app/manifests/doomed").status == 404


@known_as("CVE-2026-32589", "CVE-2026-58426")
def uploads_of_others(people: People) -> None:
    location = people["writer"].start_upload("alpha/app")
    for method in ("GET", "PATCH", "DELETE"):
        answer = people[ADMIN].ask(method, location, b"x" if method == "PATCH" else None)
        assert (answer.status, answer.body and answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert people["writer"].ask("GET", location).status == 204


@known_as("CVE-2025-24976", "CVE-2024-28180", "CVE-2025-30204")
def tokens_of_somebody_else(people: People) -> None:
    """Another key under our name, no signature, keys in the token, compression, endless dots."""
    ours = people["reader"].token("repository:alpha/app:pull").partition(" ")[2]
    header = json.loads(base64.urlsafe_b64decode(ours.split(".")[0] + "=="))
    wanted = {**claims(ours), "sub": ADMIN, "exp": int(time.time()) + 300}
    keys: list[ECKey | RSAKey | OctKey] = [ECKey.generate_key("P-256"), RSAKey.generate_key(2048)]
    forged = []
    for key, algorithm in zip(keys, ("ES256", "RS256"), strict=True):
        for more in ({}, {"jwk": key.as_dict(private=False)}, {"jku": "http://127.0.0.1:9/k"}):
            made = {**header, **more, "alg": algorithm}
            forged.append(jwt.encode(made, wanted, key, algorithms=[algorithm]))
    shared = OctKey.import_key("the service is nacre-hub")
    forged.append(jwt.encode({**header, "alg": "HS256"}, wanted, shared, algorithms=["HS256"]))
    body = base64.urlsafe_b64encode(json.dumps(wanted).encode()).decode().rstrip("=")
    for name in ("none", "None", ""):
        first = base64.urlsafe_b64encode(json.dumps({**header, "alg": name}).encode()).decode()
        forged += [f"{first.rstrip('=')}.{body}.", f"{first.rstrip('=')}.{body}.AA"]
    first, _, signature = ours.split(".")
    forged += [f"{first}.{body}.{signature}", ours[:-4], ours + ".x", "." * 8000, "a" * 30_000, ""]
    for token in forged:
        answer = people.hub.with_(f"Bearer {token}").ask("GET", LATEST)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED"), token
    assert people.hub.with_(f"Bearer {ours}").ask("GET", LATEST).status == 200


@known_as("CVE-2025-68944", "CVE-2025-68941", "CVE-2026-28699", "CVE-2022-31668", "CVE-2019-16097")
def a_right_that_is_forgotten_on_one_way_in(people: People) -> None:
    narrow = people.token(ADMIN, "repository:alpha/app:pull")
    reader = people["reader"]
    for method, target, body in (
        ("POST", "/v2/alpha/app/blobs/uploads/", None),
        ("POST", f"/v2/alpha/app/blobs/uploads/?mount={BLOB}&from=alpha/app", None),
        ("PUT", "/v2/alpha/app/manifests/x", index()),
        ("DELETE", LATEST, None),
        ("DELETE", f"/v2/alpha/app/blobs/{BLOB}", None),
        ("PATCH", "/v2/alpha/app/blobs/uploads/x", b""),
    ):
        headers = {"Content-Type": mediatypes.OCI_INDEX}
        assert narrow.ask(method, target, body, headers).status == 401
        assert reader.ask(method, target, body, headers).status == 403


@known_as("CVE-2026-31801", "CVE-2026-41888")
def a_tag_that_may_not_be_changed(people: People) -> None:
    admin = people[ADMIN]
    first, second = index(annotations={"n": "1"}), index(annotations={"n": "2"})
    assert admin.push_manifest("alpha/app", "v1", first).status in {200, 201}
    assert admin.push_manifest("alpha/app", "v1", first).status == 201, "the same is no change"
    digest, other = Digest.of(first), Digest.of(second)
    refused = (
        admin.push_manifest("alpha/app", "v1", second),
        admin.push_manifest("alpha/app", f"{other}?tag=new&tag=v1", second),
        admin.ask("DELETE", "/v2/alpha/app/manifests/v1"),
        admin.ask("DELETE", f"/v2/alpha/app/manifests/{digest}"),
    )
    assert [(answer.status, answer.code) for answer in refused] == [(403, "DENIED")] * 4
    assert admin.ask("GET", "/v2/alpha/app/manifests/v1").body == first
    assert admin.ask("GET", "/v2/alpha/app/manifests/new").status == 404, "all or nothing"
    for who in ("reader", "owner"):
        assert people[who].ask("DELETE", LATEST).status == 403


@known_as("CVE-2017-11468", "CVE-2023-25153", "CVE-2024-29902", "CVE-2024-29903")
def bodies_without_end(people: People) -> None:
    admin = people[ADMIN]
    headers = {"Content-Type": mediatypes.OCI_INDEX}
    for body in (b" " * 5_000_000, iter([b" " * 1_000_000] * 6)):
        answer = admin.ask("PUT", "/v2/alpha/app/manifests/big", body, headers)
        assert (answer.status, answer.code) == (413, "SIZE_INVALID")
    for text in (b"[" * 100_000, b'{"a":' * 100_000, b'{"schemaVersion":' + b"9" * 50_000 + b"}"):
        answer = admin.ask("PUT", "/v2/alpha/app/manifests/deep", text, headers)
        assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")
    form = b"grant_type=password&" + b"a=b&" * 100_000
    assert people.hub.ask("POST", "/token", form).status == 400


@known_as("CVE-2023-2253")
def a_page_without_end(people: People) -> None:
    catalog = people.token(ADMIN, "registry:catalog:*")
    for n in ("9999999999999", "1" * 400, "10000"):
        assert catalog.ask("GET", f"/v2/_catalog?n={n}").status == 200
        assert people[ADMIN].ask("GET", f"/v2/alpha/app/tags/list?n={n}").status == 200
    for n in ("-1", "x", "", "1e9", "%D9%A1"):
        answer = catalog.ask("GET", f"/v2/_catalog?n={n}")
        assert (answer.status, answer.code) == (400, "PAGINATION_NUMBER_INVALID")


@known_as("CVE-2021-41190", "GHSA-qq97-vm5h-rrhg", "GHSA-mc8v-mgrf-8f4m")
def one_document_of_two_kinds(people: People) -> None:
    both = image(manifests=[])
    twice = image().replace(b'"schemaVersion":2', b'"schemaVersion":2,"schemaVersion":2')
    for raw, kind in (
        (both, mediatypes.OCI_MANIFEST),
        (both, mediatypes.OCI_INDEX),
        (image(), mediatypes.OCI_INDEX),
        (index(), mediatypes.OCI_MANIFEST),
        (index(), mediatypes.DOCKER_LIST),
        (twice, mediatypes.OCI_MANIFEST),
    ):
        headers = {"Content-Type": kind}
        answer = people[ADMIN].ask("PUT", "/v2/alpha/app/manifests/odd", raw, headers)
        assert (answer.status, answer.code) == (400, "MANIFEST_INVALID"), (raw, kind)
    accept = {"Accept": mediatypes.OCI_INDEX}
    got = people[ADMIN].ask("GET", LATEST, headers=accept)
    assert got.status == 404 or got.headers["content-type"] == mediatypes.OCI_MANIFEST


@known_as("CVE-2025-59354", "CVE-2024-3727", "GHSA-qv35-3gw6-8q4j")
def digests_that_are_none_or_not_of_the_bytes(people: People) -> None:
    admin = people[ADMIN]
    for text in (
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256:",
        "sha256:../../hub.db",
        "sha256:" + "a" * 63,
        "sha256:" + "A" * 64,
        "sha512:" + "a" * 64,
        "sha1:x",
    ):
        shown = quote(text, safe=":")
        for target in (f"manifests/{shown}", f"blobs/{shown}", f"referrers/{shown}"):
            answer = admin.ask("GET", f"/v2/alpha/app/{target}")
            assert answer.status in {400, 404}, (target, answer)
        answer = admin.ask("POST", f"/v2/alpha/app/blobs/uploads/?digest={shown}", LAYER)
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    wrong = Digest.of(b"other bytes")
    answer = admin.ask("POST", f"/v2/alpha/app/blobs/uploads/?digest={wrong}", LAYER)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    answer = admin.push_manifest("alpha/app", str(wrong), index())
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    lying = image(layers=[{**part(LAYER), "data": base64.b64encode(b"other").decode()}])
    answer = admin.push_manifest("alpha/app", "lying", lying)
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")


@known_as("CVE-2022-47747", "CVE-2021-3762", "CVE-2026-50162", "CVE-2026-50163")
def paths_that_lead_elsewhere(people: People) -> None:
    admin = people[ADMIN]
    before = {path for path in people.hub.data.rglob("*") if path.is_dir()}
    names = "../.. alpha/../beta/app alpha%2f..%2fbeta/app %2e%2e/%2e%2e/etc alpha/./app"
    more = ".. alpha//app alpha/app%00 alpha\\app ALPHA/app -a"
    for name in f"{names} {more}".split():
        for target in (f"/v2/{name}/manifests/latest", f"/v2/{name}/blobs/{BLOB}"):
            assert admin.ask("GET", quote(target, safe="/%:")).status in {400, 404}
        answer = admin.ask("POST", quote(f"/v2/{name}/blobs/uploads/", safe="/%:"))
        assert answer.status in {400, 404}, (name, answer)
    for tag in ("..", "%2e%2e", "..%2f..%2fx", "a%00b", "a" * 129, "-x", "a:b", "a b"):
        target = f"/v2/alpha/app/manifests/{quote(tag, safe='%')}"
        headers = {"Content-Type": mediatypes.OCI_INDEX}
        assert admin.ask("PUT", target, index(), headers).status in {400, 404}
    for upload in ("..", "..%2f..%2fhub.db", "x" * 500):
        assert admin.ask("PATCH", f"/v2/alpha/app/blobs/uploads/{upload}", b"x").status in {
            400,
            404,
        }
    new = {path for path in people.hub.data.rglob("*") if path.is_dir()} - before
    assert not [path for path in new if "blobs" not in path.parts]


@known_as("CVE-2026-10517", "CVE-2020-13788", "CVE-2025-59346", "CVE-2026-22874")
def addresses_in_manifests(people: People) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(1)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/layer"
        foreign = part(b"elsewhere", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
        raw = image(layers=[{**foreign, "urls": [url]}])
        assert people[ADMIN].push_manifest("alpha/app", "foreign", raw).status == 201
        digest = Digest.of(b"elsewhere")
        assert people[ADMIN].ask("GET", f"/v2/alpha/app/blobs/{digest}").status == 404
        with pytest.raises(TimeoutError):
            trap.accept()


@known_as("CVE-2025-32019")
def pages_that_are_blobs(people: People) -> None:
    page = people[ADMIN].push_blob("alpha/app", b"<script>alert(1)</script>")
    answer = people[ADMIN].ask("GET", f"/v2/alpha/app/blobs/{page}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "attachment"
    odd = people.hub.ask("GET", "/v2/%3Cscript%3E/tags/list")
    assert odd.headers["content-type"] == "application/json"


@known_as("CVE-2019-19026", "CVE-2019-19029", "CVE-2024-22261", "CVE-2025-30086")
def questions_that_are_commands(people: People) -> None:
    reader, admin = people["reader"], people[ADMIN]
    catalog = people.token("reader", "registry:catalog:*")
    for text in ("' OR '1'='1", "%", "_", "a'; DROP TABLE users; --", '"', "\\", "*", "\0"):
        shown = quote(text)
        names = [
            each["name"] for each in reader.ask("GET", f"/v1/search?q={shown}").json["results"]
        ]
        assert "beta/app" not in names
        listed = catalog.ask("GET", f"/v2/_catalog?last={shown}").json["repositories"]
        assert set(listed) <= {"alpha/app"}
        admin.ask("GET", f"/v2/alpha/app/tags/list?last={shown}&n=5")
        kind = reader.ask("GET", f"/v2/alpha/app/referrers/{BLOB}?artifactType={shown}")
        assert kind.json["manifests"] == []
        assert reader.as_(text, PASSWORD).ask("GET", "/v2/").status == 401
    sorted_by = reader.ask("GET", "/v1/search?q=app&sort=password_hash&filter=password_hash~a")
    assert b"argon2" not in sorted_by.body


@known_as("CVE-2026-4404", "CVE-2023-20902", "CVE-2025-48374", "GHSA-prh4-vhfh-24mj")
def passwords_that_can_be_guessed_or_read(people: People) -> None:
    hub = people.hub
    for user, password in (
        (ADMIN, "admin"),
        (ADMIN, "password"),
        (ADMIN, ""),
        (ADMIN, "Harbor12345"),
    ):
        assert hub.as_(user, password).ask("GET", "/v2/").status == 401
    known, unknown = (hub.as_(name, "wrong").ask("GET", "/token") for name in (ADMIN, "nobody"))
    assert (known.status, known.body) == (unknown.status, unknown.body)
    for secret in (hub.password, PASSWORD, basic(ADMIN, hub.password)):
        assert secret not in hub.log
        for file in hub.data.rglob("hub.db*"):
            assert secret.encode() not in file.read_bytes()


@known_as("CVE-2026-20896", "CVE-2025-25205")
def headers_that_only_proxies_may_send(people: People) -> None:
    for name in ("X-Forwarded-For", "X-Real-IP", "X-Remote-User", "X-Forwarded-User", "Forwarded"):
        answer = people.hub.ask("GET", LATEST, headers={name: ADMIN})
        assert answer.status == 401
    forwarded = {"X-Forwarded-Host": "evil.example.com", "X-Forwarded-Proto": "https"}
    answer = people.hub.ask("GET", "/v2/", headers=forwarded)
    assert "evil" not in answer.headers["www-authenticate"]


@known_as("CVE-2026-33540", "CVE-2020-15157")
def challenges_that_lead_elsewhere(people: People) -> None:
    for host in ('evil",x="', "evil.example.com/path", "a b", "x\u00e9"):
        answer = people.hub.ask("GET", "/v2/", headers={"Host": host})
        challenge = answer.headers.get("www-authenticate", "")
        assert answer.status == 400 or "evil" not in challenge, challenge


@known_as("CVE-2023-33957", "CVE-2023-33958", "CVE-2023-46737")
def referrers_without_end(people: People) -> None:
    admin = people[ADMIN]
    about = {"mediaType": mediatypes.OCI_MANIFEST, "digest": str(BLOB), "size": 1}
    for number in range(6):
        note = {"n": f"{number}" + "x" * 900_000}
        assert (
            admin.push_manifest(
                "alpha/app", f"r{number}", index(subject=about, annotations=note)
            ).status
            == 201
        )
    target, seen = f"/v2/alpha/app/referrers/{BLOB}", 0
    while target:
        answer = admin.ask("GET", target)
        assert len(answer.body) <= 4 << 20
        seen += len(answer.json["manifests"])
        link = answer.headers.get("link", "")
        target = link.partition("<")[2].partition(">")[0]
    assert seen == 6


@pytest.mark.parametrize("number", ATTACKS)
def test_it_does_not_work_here(people: People, number: str) -> None:
    ATTACKS[number](people)
    assert "Traceback" not in people.hub.log
    assert people["reader"].ask("GET", LATEST).body == image()
    assert people["reader"].ask("GET", f"/v2/alpha/app/blobs/{Digest.of(CONFIG)}").body == CONFIG


def test_rights_that_were_taken_away_are_gone_at_the_next_request(people: People) -> None:
    """zot CVE-2025-23208; Gitea CVE-2026-27775."""
    token = people.token("reader", "repository:alpha/app:pull")
    assert token.ask("GET", LATEST).status == 200

    async def grant(role: Role | None) -> None:
        async with open_records(people.hub.data / "hub.db") as records:
            await records.repositories.grant("alpha/app", "reader", role)

    asyncio.run(grant(None))
    try:
        for seen in (token, people["reader"]):
            assert seen.ask("GET", LATEST).status == 404
            assert seen.ask("HEAD", f"/v2/alpha/app/blobs/{BLOB}").status == 404
    finally:
        asyncio.run(grant(Role.READER))
