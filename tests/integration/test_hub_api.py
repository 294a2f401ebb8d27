"""The hub's API against anything that could be sent to it: only what is described comes back."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nacre.hub.api import routes
from nacre.oci import mediatypes, wire
from nacre.oci.digest import Digest
from tests.integration.hub_api import ALWAYS, FILE, OPERATIONS, Operation, text
from tests.integration.hub_people import LAYER, People, image, index, settled
from tests.servers.hub import ADMIN, Answer, Hub, started_hub

CODES = {*wire.ERROR_CODES, "PAGINATION_NUMBER_INVALID", "RANGE_INVALID"}
BLOB, MANIFEST = Digest.of(LAYER), Digest.of(image())


def test_the_description_is_of_the_table() -> None:
    assert FILE.read_text() == text(), "run python -m tests.integration.hub_api"


def test_the_table_has_every_route() -> None:
    described = {(each.method, each.path) for each in OPERATIONS}
    paths = {
        "manifest": "/v2/{name}/manifests/{reference}",
        "uploads": "/v2/{name}/blobs/uploads/",
        "upload": "/v2/{name}/blobs/uploads/{id}",
        "blob": "/v2/{name}/blobs/{digest}",
        "tags": "/v2/{name}/tags/list",
        "referrers": "/v2/{name}/referrers/{digest}",
    }
    # Only the methods are looked at: nothing is called.
    of_repositories = routes._on_repository(*[_Anything()] * 4)  # type: ignore[arg-type]
    for kind, methods in of_repositories.items():
        mine = {method for method, path in described if path == paths[kind]}
        assert mine == set(methods), kind
    for path in routes._on_hub(_Anything(), _Anything()):  # type: ignore[arg-type]
        assert ("GET", path) in described or path == "/v2"


class _Anything:
    def __getattr__(self, name: str) -> object:
        return name


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    env = {"NACRE_HUB_LIMITS_LOGINS": "100000/s", "NACRE_HUB_LOG_ACCESS": "false"}
    with started_hub(tmp_path_factory.mktemp("hub"), env=env) as hub:
        yield settled(hub)


ODD = st.text(max_size=40) | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1"))
KNOWN: Mapping[str, list[str]] = {
    "name": ["alpha/app", "beta/app", "new", "a/b/c/d", "A", "alpha", "a" * 300],
    "reference": ["latest", str(MANIFEST), "absent", "sha256:x", "." + "x" * 127, "t" * 129],
    "digest": [str(BLOB), str(MANIFEST), str(Digest.of(b"")), "sha256:zz", "md5:00", "latest"],
    "id": ["x", "0" * 64, "0" * 65, "UPLOAD"],
}
SCOPES = ["registry:catalog:*", "repository:alpha/app:pull,push"]
PLAIN = ["", "0", "1", "-1", "99999999999999999999", "latest", "alpha/app", "sha512", "md5", "true"]
VALUES = ODD | st.sampled_from([*PLAIN, *SCOPES, str(BLOB), str(Digest.of(LAYER, "sha512"))])
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Range", "Content-Range", "Content-Type", "Accept", "If-None-Match", "If-Range", "Expect",
         "Host", "Origin", "X-Forwarded-For", "Accept-Encoding", "Content-Encoding"]
    ),
    st.sampled_from(
        ["bytes=0-1", "bytes=-0", "bytes=9-1", "bytes=0-0,2-3", "0-4", "bytes 0-4/9", "5-1", "*",
         "*/*", mediatypes.OCI_INDEX, mediatypes.OCI_MANIFEST, "text/html; charset=\xe9", "gzip",
         f'"{BLOB}"', "x" * 3000, "100-continue", "9" * 400]
    )
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    max_size=4,
)  # fmt: skip
BODIES = (
    st.none()
    | st.binary(max_size=300)
    | st.sampled_from([index(), image(), LAYER, b"{}", b"[]", b'{"schemaVersion":2', b"\xff\xfe"])
    | st.lists(st.binary(max_size=50), max_size=4)
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Operation, str, dict[str, str], object]:
    """Make a request of an operation, well or badly filled in."""
    operation = draw(st.sampled_from(OPERATIONS))
    path = operation.path
    for name, known in KNOWN.items():
        if f"{{{name}}}" in path:
            value = draw(st.sampled_from(known) | ODD.filter(lambda text: text.strip("./") != ""))
            path = path.replace(f"{{{name}}}", quote(value, safe="/:" if name == "name" else ":"))
    fields = draw(
        st.lists(st.tuples(st.sampled_from([*operation.query, "ns", "x"]), VALUES), max_size=4)
    )
    query = "&".join(f"{key}={quote(value, safe=':')}" for key, value in fields)
    raw = draw(st.booleans()) and draw(
        st.sampled_from(["%", "%zz", "&&&=", ";", "%ff=%fe", "=" * 50])
    )
    target = path + ("?" + query + (raw or "") if query or raw else "")
    return operation, target, draw(HEADERS), draw(BODIES)


def is_well_answered(operation: Operation, answer: Answer) -> bool:
    """Return whether an answer is one that is described, as it is described."""
    if answer.status not in {*operation.answers, *ALWAYS, 400, 404, 405, 414, 431}:
        return False
    if answer.status < 400 or operation.method == "HEAD":
        return True
    if not operation.path.startswith(("/v2", "/v1", "/token")):
        return answer.status in {400, 503}
    if "content-type" not in answer.headers:  # refused by the server, before it came to us
        return answer.status in {400, 414, 431}
    errors = answer.json["errors"]
    return bool(errors) and all(
        each["code"] in CODES and isinstance(each["message"], str) for each in errors
    )


def tried(hub: Hub, request: tuple[Operation, str, dict[str, str], object]) -> None:
    operation, target, headers, body = request
    try:
        answer = hub.ask(operation.method, target, body, headers)  # type: ignore[arg-type]
    except (http.client.InvalidURL, UnicodeEncodeError):
        return  # the client refuses to send it
    except (ConnectionError, http.client.BadStatusLine):
        answer = Answer(400, {}, b"")  # the server refuses to read it
    assert is_well_answered(operation, answer), (request, answer)


def fuzzed(people: People, examples: int) -> None:
    admin = people[ADMIN]
    upload = admin.start_upload("alpha/app").rpartition("/")[2]

    @settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(requests(), st.sampled_from([admin, people["reader"], people["anonymous"]]))
    def run(request: tuple[Operation, str, dict[str, str], object], who: Hub) -> None:
        operation, target, headers, body = request
        tried(who, (operation, target.replace("UPLOAD", upload), headers, body))

    run()
    assert "Traceback" not in people.hub.log
    assert admin.ask("GET", "/readyz").status == 200


def test_whatever_is_sent_is_answered_as_described(people: People) -> None:
    fuzzed(people, 1500)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_whatever_is_sent_for_long_is_answered_as_described(people: People) -> None:
    fuzzed(people, 40_000)
