"""Authentication: each way in, few round trips, and no secret to strangers."""

from __future__ import annotations

import base64
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from nacre.distribution.credential import Credential
from nacre.distribution.errors import AccessDenied, InvalidReply, UnsafeAddress
from nacre.distribution.repository import Repository
from nacre.distribution.tokens import CredentialsRefused
from nacre.errors import Denied
from nacre.oci.descriptor import Descriptor
from nacre.oci.reference import parse
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, Options, Patch
from tests.unit.distribution.conftest import Kit, content_of, read_all

DATA = b"some bytes"
BLOB = Descriptor.of("a/b", DATA)
ANN = Credential("ann", "secret")


def token_server(kit: Kit, **more: object) -> RegistryServer:
    options = Options(auth="token", users={"ann": "secret"}, **more)  # type: ignore[arg-type]
    server = kit.server(options)
    server.add_blob("team/app", DATA)
    return server


def push(repository: Repository, data: bytes = b"pushed") -> None:
    repository.upload(Descriptor.of("a/b", data), content_of(data), lambda _: None)


def test_an_open_registry_is_sent_nothing(kit: Kit) -> None:
    server = kit.server()
    kit.repository(server, credential=ANN).has_blob(BLOB.digest)
    assert "authorization" not in server.requests[0].headers


def test_basic_authentication_is_sent_once_asked_for(kit: Kit) -> None:
    server = kit.server(Options(auth="basic", users={"ann": "secret"}))
    server.add_blob("team/app", DATA)
    repository = kit.repository(server, credential=ANN)
    assert repository.has_blob(BLOB.digest)
    assert repository.has_blob(BLOB.digest)
    sent = [seen.headers.get("authorization") for seen in server.requests]
    expected = "Basic " + base64.b64encode(b"ann:secret").decode()
    assert sent == [None, expected, expected]


def test_a_wrong_basic_password_is_denied_without_a_third_try(kit: Kit) -> None:
    server = kit.server(Options(auth="basic", users={"ann": "secret"}))
    repository = kit.repository(server, credential=Credential("ann", "wrong"))
    with pytest.raises(Denied) as caught:
        repository.open_blob(BLOB)
    assert caught.value.remedy == f"run 'nacre login {server.host}'"
    assert len(server.requests) == 2


def test_no_credential_for_basic_is_denied(kit: Kit) -> None:
    server = kit.server(Options(auth="basic", users={"ann": "secret"}))
    with pytest.raises(AccessDenied, match="may require 'nacre login'"):
        kit.repository(server).resolve("v1")
    assert {seen.method for seen in server.requests} == {"HEAD"}


def test_an_anonymous_token_opens_public_repositories(kit: Kit) -> None:
    server = token_server(kit)
    assert read_all(kit.repository(server).open_blob(BLOB)) == DATA
    (asked,) = server.seen("GET", "/token")
    assert "authorization" not in asked.headers
    query = parse_qs(urlsplit(asked.path).query)
    assert query == {"service": ["test"], "scope": ["repository:team/app:pull"]}


def test_a_password_gets_a_token(kit: Kit) -> None:
    server = token_server(kit, anonymous_pull=False)
    assert kit.repository(server, credential=ANN).has_blob(BLOB.digest)
    (asked,) = server.seen("GET", "/token")
    assert asked.headers["authorization"].startswith("Basic ")
    assert parse_qs(urlsplit(asked.path).query)["account"] == ["ann"]


def test_a_service_without_get_is_asked_by_post(kit: Kit) -> None:
    server = token_server(kit, anonymous_pull=False, token_methods=("POST",))
    assert kit.repository(server, credential=ANN).has_blob(BLOB.digest)
    assert [seen.method for seen in server.seen("", "/token")] == ["GET", "POST"]


def test_an_identity_token_gets_a_token_by_post(kit: Kit) -> None:
    server = token_server(kit, anonymous_pull=False, identity_tokens={"idt": "ann"})
    credential = Credential("", identity_token="idt")
    assert kit.repository(server, credential=credential).has_blob(BLOB.digest)
    assert [seen.method for seen in server.seen("", "/token")] == ["POST"]


@pytest.mark.parametrize("username", ["", "<token>"])
def test_an_identity_token_goes_by_get_where_post_is_missing(kit: Kit, username: str) -> None:
    server = token_server(
        kit, anonymous_pull=False, identity_tokens={"idt": "ann"}, token_methods=("GET",)
    )
    credential = Credential(username, identity_token="idt")
    assert kit.repository(server, credential=credential).has_blob(BLOB.digest)
    assert [seen.method for seen in server.seen("", "/token")] == ["POST", "GET"]


def test_a_registry_token_is_sent_as_it_is(kit: Kit) -> None:
    server = token_server(kit)
    server.tokens["ready-made"] = ("repository:team/app:pull",)
    credential = Credential(registry_token="ready-made")
    assert kit.repository(server, credential=credential).has_blob(BLOB.digest)
    assert not server.seen("", "/token")


def test_a_wrong_password_is_told_as_such(kit: Kit) -> None:
    server = token_server(kit)
    repository = kit.repository(server, credential=Credential("ann", "wrong"))
    with pytest.raises(CredentialsRefused, match="incorrect username or password") as caught:
        repository.open_blob(BLOB)
    assert caught.value.remedy == f"run 'nacre login {server.host}'"


def test_a_private_repository_denies_strangers(kit: Kit) -> None:
    server = token_server(kit, anonymous_pull=False)
    with pytest.raises(AccessDenied, match="may require 'nacre login'"):
        kit.repository(server).resolve("v1")


def test_a_token_is_used_again(kit: Kit) -> None:
    server = token_server(kit)
    repository = kit.repository(server)
    for _ in range(3):
        repository.has_blob(BLOB.digest)
    assert len(server.seen("GET", "/token")) == 1
    assert len(server.seen("HEAD")) == 4, "only the first request was challenged"


def test_a_token_for_pushing_also_pulls(kit: Kit) -> None:
    server = token_server(kit)
    repository = kit.repository(server, credential=ANN)
    push(repository)
    repository.has_blob(BLOB.digest)
    assert len(server.seen("GET", "/token")) == 1


def test_the_next_scope_is_asked_for_ahead(kit: Kit) -> None:
    server = token_server(kit)
    repository = kit.repository(server, credential=ANN)
    repository.has_blob(BLOB.digest)
    push(repository)
    assert [seen.status for seen in server.seen("POST")] == [202], "no second challenge"


def test_a_token_is_renewed_before_it_expires(kit: Kit) -> None:
    server = token_server(kit, token_life=100)
    repository = kit.repository(server)
    repository.has_blob(BLOB.digest)
    kit.time.seconds += 94
    repository.has_blob(BLOB.digest)
    assert len(server.seen("GET", "/token")) == 1
    kit.time.seconds += 2
    repository.has_blob(BLOB.digest)
    assert len(server.seen("GET", "/token")) == 2


def test_a_token_of_less_than_a_minute_lives_a_minute(kit: Kit) -> None:
    server = token_server(kit, token_life=1)
    repository = kit.repository(server)
    repository.has_blob(BLOB.digest)
    kit.time.seconds += 50
    repository.has_blob(BLOB.digest)
    assert len(server.seen("GET", "/token")) == 1


def test_a_token_that_the_registry_forgot_is_renewed_once(kit: Kit) -> None:
    server = token_server(kit)
    repository = kit.repository(server)
    repository.has_blob(BLOB.digest)
    server.tokens.clear()
    assert repository.has_blob(BLOB.digest)
    assert len(server.seen("GET", "/token")) == 2


def test_a_fresh_token_that_is_refused_is_the_end(kit: Kit) -> None:
    server = token_server(kit)
    challenge = f'Bearer realm="{server.url}/token",service="test"'
    server.fail("HEAD", "/blobs/", Answer(401, {"WWW-Authenticate": challenge}), times=100)
    with pytest.raises(Denied):
        kit.repository(server).has_blob(BLOB.digest)
    assert len(server.seen("HEAD")) == 2


def test_an_expired_token_in_the_middle_of_a_push_is_renewed(kit: Kit) -> None:
    server = token_server(kit)
    repository = kit.repository(server, credential=ANN)
    data = b"x" * 3_000_000

    def forget(offset: int) -> None:
        if offset == len(data):
            server.tokens.clear()

    repository.upload(Descriptor.of("a/b", data), content_of(data), forget)
    push(repository)
    assert server.blobs[Descriptor.of("a/b", data).digest] == data


def test_threads_share_one_token(kit: Kit) -> None:
    server = token_server(kit)
    repository = kit.repository(server)
    repository.has_blob(BLOB.digest)
    server.tokens.clear()
    threads = [threading.Thread(target=repository.has_blob, args=[BLOB.digest]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.seen("GET", "/token")) == 2


def test_a_wider_scope_is_asked_for_when_the_registry_wants_it(kit: Kit) -> None:
    server = token_server(kit)
    challenge = (
        f'Bearer realm="{server.url}/token",service="test",'
        'scope="repository:team/app:pull repository:team/base:pull",error="insufficient_scope"'
    )
    repository = kit.repository(server)
    repository.has_blob(BLOB.digest)
    server.fail("HEAD", "/blobs/", Answer(401, {"WWW-Authenticate": challenge}))
    assert repository.has_blob(BLOB.digest)
    asked = parse_qs(urlsplit(server.seen("GET", "/token")[-1].path).query)["scope"]
    assert asked == ["repository:team/app:pull", "repository:team/base:pull"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"token": 5}',
        b'{"token": ""}',
        b'{"token": "", "access_token": ""}',
        b'{"token": "a\\r\\nEvil: 1"}',
        b'{"token": "\xc3\xa9"}',
        b'{"token": "\\ud800"}',
    ],
)
def test_a_reply_without_a_token_is_refused(kit: Kit, body: bytes) -> None:
    server = token_server(kit)
    server.fail("GET", "/token", Answer(200, {}, body))
    with pytest.raises(InvalidReply, match="sent no token"):
        kit.repository(server).has_blob(BLOB.digest)


def test_access_token_is_another_name_for_token(kit: Kit) -> None:
    server = token_server(kit)
    server.tokens["abc"] = ("repository:team/app:pull",)
    server.fail("GET", "/token", Answer(200, {}, b'{"access_token": "abc", "expires_in": 300}'))
    assert kit.repository(server).has_blob(BLOB.digest)


def test_an_overloaded_service_is_asked_again(kit: Kit) -> None:
    server = token_server(kit)
    server.fail("GET", "/token", Answer(503))
    assert kit.repository(server).has_blob(BLOB.digest)
    assert len(kit.time.slept) == 1


def test_a_service_that_redirects_gets_no_further(kit: Kit) -> None:
    server, thief = token_server(kit), kit.server()
    server.fail("GET", "/token", Answer(307, {"Location": f"{thief.url}/token"}), times=10)
    with pytest.raises(Exception, match="307"):
        kit.repository(server, credential=ANN).has_blob(BLOB.digest)
    assert not thief.requests


@pytest.mark.parametrize(
    "challenge", ["", "Negotiate", 'Digest realm="x"', 'Bearer service="x"', 'Bearer realm="open']
)
def test_a_challenge_that_cannot_be_met_is_an_error(kit: Kit, challenge: str) -> None:
    server = kit.server()
    server.fail("HEAD", "/blobs/", Answer(401, {"WWW-Authenticate": challenge}), times=9)
    with pytest.raises((Denied, InvalidReply)):
        kit.repository(server, credential=ANN).has_blob(BLOB.digest)
    assert len(server.requests) == 1


def test_a_realm_that_is_no_address_is_refused(kit: Kit) -> None:
    server = kit.server()
    server.fail("HEAD", "/blobs/", Answer(401, {"WWW-Authenticate": 'Bearer realm="ftp://x"'}))
    with pytest.raises(UnsafeAddress):
        kit.repository(server, credential=ANN).has_blob(BLOB.digest)


def test_bearer_is_preferred_to_basic(kit: Kit) -> None:
    server = token_server(kit)
    both = f'Basic realm="x", Bearer realm="{server.url}/token",service="test"'
    server.fail("HEAD", "/blobs/", Patch({"WWW-Authenticate": both}))
    assert kit.repository(server, credential=ANN).has_blob(BLOB.digest)
    assert server.requests[-1].headers["authorization"].startswith("Bearer ")


def test_credentials_of_one_registry_are_not_shown_to_another(kit: Kit) -> None:
    server = kit.server(Options(auth="basic", users={"ann": "secret"}))
    client = kit.client(credentials={"other.example": ANN, "docker.io": ANN})
    with pytest.raises(Denied):
        client.repository(parse(f"{server.host}/a/b")).has_blob(BLOB.digest)
    assert all("authorization" not in seen.headers for seen in server.requests)


def test_a_relocated_domain_gets_the_credentials_of_its_location(kit: Kit) -> None:
    server = kit.server(Options(auth="basic", users={"ann": "secret"}))
    server.add_blob("hub/library/nginx", DATA)
    client = kit.client(
        {"docker.io": {"location": f"{server.host}/hub"}},
        {server.host: ANN, "docker.io": Credential("ann", "of the real hub")},
    )
    assert client.repository(parse("nginx")).has_blob(BLOB.digest)


def test_secrets_stay_out_of_representations() -> None:
    credential = Credential("ann", "secret", "idt", "regt")
    assert "secret" not in repr(credential)
    assert "idt" not in repr(credential)
    assert "regt" not in repr(credential)


@pytest.mark.parametrize("life", ["NaN", "1" + "0" * 400, "1e999", "-1e999"])
def test_an_absurd_life_of_a_token_is_no_crash(kit: Kit, life: str) -> None:
    server = token_server(kit)
    server.tokens["abc"] = ("repository:team/app:pull",)
    body = b'{"token": "abc", "expires_in": %b}' % life.encode()
    server.fail("GET", "/token", Answer(200, {}, body))
    try:
        assert kit.repository(server).has_blob(BLOB.digest)
    except InvalidReply as error:
        said = str(error)
    else:
        said = "sent no token"
    assert "sent no token" in said


def test_a_push_that_looks_first_takes_one_token_for_both(kit: Kit) -> None:
    server = token_server(kit)
    repository = kit.repository(server, credential=ANN).for_push()
    assert repository.has_blob(BLOB.digest)
    push(repository)
    assert len(server.seen("GET", "/token")) == 1


def test_who_may_only_pull_is_told_that_pushing_is_denied(kit: Kit) -> None:
    server = token_server(kit, strict_scopes=True)
    assert kit.repository(server).has_blob(BLOB.digest)
    with pytest.raises(Denied, match=r"^push access denied for .*/team/app"):
        kit.repository(server).for_push().has_blob(BLOB.digest)


@pytest.mark.parametrize(
    ("stated", "life"),
    [
        (b"300", 300.0),
        (b'"300"', 300.0),
        (b"1", 60.0),
        (b"-1", 60.0),
        (b"0", 60.0),
        (b"null", 60.0),
        (b"true", 60.0),
        (b"[]", 60.0),
        (b"NaN", 60.0),
        (b"-1e999", 60.0),
        (b"1e999", 86_400.0),
        (b"1" + b"0" * 400, 86_400.0),
        ('"\u0669\u0669\u0669"'.encode(), 60.0),
        (b'"soon"', 60.0),
    ],
)
def test_a_token_lives_from_a_minute_to_a_day(kit: Kit, stated: bytes, life: float) -> None:
    server = token_server(kit)
    server.tokens["abc"] = ("repository:team/app:pull",)
    body = b'{"token": "abc", "expires_in": %b}' % stated
    server.fail("GET", "/token", Answer(200, {}, body), times=2)
    repository = kit.repository(server)
    for pause, tokens in ((0.0, 1), (life - 6, 1), (2.0, 2)):
        kit.time.seconds += pause
        assert repository.has_blob(BLOB.digest)
        assert len(server.seen("GET", "/token")) == tokens


@pytest.mark.parametrize(
    "realm",
    [
        "file:///etc/passwd",
        "gopher://x/",
        "//x/token",
        "/token",
        "http://ann:secret@x/",
        "http://x y/",
        "http://x%00y/",
        "http://[fe80::1%25eth0]/",
        "http://x\u009b2J/",
        "http://x:0/",
        "http://x\\\\y/",
    ],
)
def test_a_realm_that_must_not_be_asked_gets_nothing(kit: Kit, realm: str) -> None:
    server = kit.server()
    challenge = f'Bearer realm="{realm}"'
    server.fail("HEAD", "/blobs/", Answer(401, {"WWW-Authenticate": challenge}))
    with pytest.raises(UnsafeAddress) as caught:
        kit.repository(server, credential=ANN).has_blob(BLOB.digest)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)
    assert len(server.requests) == 1
