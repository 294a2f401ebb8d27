"""What surrounds every request: schemes, redirects, retries, warnings."""

from __future__ import annotations

import random
import socket

import pytest

from nacre.distribution.credential import Credential
from nacre.distribution.errors import (
    ConnectionDropped,
    ConnectionRefused,
    InvalidReply,
    NameUnresolved,
    RateLimited,
    UnsafeAddress,
)
from nacre.distribution.repository import Repository
from nacre.errors import Denied
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.reference import parse
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, DropAfter, Options, Patch
from tests.unit.distribution.conftest import Kit, read_all

DATA = random.Random(5).randbytes(500_000)
BLOB = Descriptor.of("a/b", DATA)
ANN = Credential("ann", "secret")


def test_a_redirect_is_followed(kit: Kit) -> None:
    server, storage = kit.server(), kit.server()
    storage.add_blob("stored", DATA)
    target = f"{storage.url}/v2/stored/blobs/{BLOB.digest}"
    server.fail("GET", "/blobs/", Answer(307, {"Location": target}))
    assert read_all(kit.repository(server).open_blob(BLOB)) == DATA


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_a_redirect_never_carries_credentials_to_another_host(kit: Kit, auth: str) -> None:
    server = kit.server(Options(auth=auth, users={"ann": "secret"}))  # type: ignore[arg-type]
    storage = kit.server()
    storage.add_blob("stored", DATA)
    server.add_blob("team/app", DATA)
    repository = kit.repository(server, credential=ANN)
    assert repository.has_blob(BLOB.digest)
    target = f"{storage.url}/v2/stored/blobs/{BLOB.digest}"
    server.fail("GET", "/blobs/", Answer(307, {"Location": target}))
    assert read_all(repository.open_blob(BLOB, 1000)) == DATA[1000:]
    assert server.requests[-1].headers["authorization"]
    (there,) = storage.requests
    assert "authorization" not in there.headers
    assert "cookie" not in there.headers
    assert there.headers["range"] == "bytes=1000-"


def test_another_hosts_challenge_is_not_answered(kit: Kit) -> None:
    server = kit.server(Options(auth="basic", users={"ann": "secret"}))
    greedy = kit.server(Options(auth="basic", users={"ann": "secret"}))
    server.add_blob("team/app", DATA)
    repository = kit.repository(server, credential=ANN)
    assert repository.has_blob(BLOB.digest)
    target = f"{greedy.url}/v2/team/app/blobs/{BLOB.digest}"
    server.fail("GET", "/blobs/", Answer(307, {"Location": target}))
    with pytest.raises(Denied, match="refused access"):
        repository.open_blob(BLOB)
    assert all("authorization" not in seen.headers for seen in greedy.requests)


def test_a_reconnect_asks_the_registry_for_a_fresh_redirect(kit: Kit) -> None:
    server, storage = kit.server(), kit.server()
    storage.add_blob("stored", DATA)
    target = f"{storage.url}/v2/stored/blobs/{BLOB.digest}"
    server.fail("GET", "/blobs/", Answer(307, {"Location": target}), times=2)
    storage.fail("GET", "/blobs/", DropAfter(100_000))
    assert read_all(kit.repository(server).open_blob(BLOB)) == DATA
    assert len(server.requests) == len(storage.requests) == 2


def test_redirects_are_bounded(repository: Repository, server: RegistryServer) -> None:
    here = {"Location": f"/v2/team/app/blobs/{BLOB.digest}"}
    server.fail("GET", "/blobs/", Answer(307, here), times=1000)
    with pytest.raises(InvalidReply, match="redirects more than 10 times"):
        repository.open_blob(BLOB)
    assert len(server.requests) == 11


def test_a_redirect_to_something_else_than_http_is_refused(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("GET", "/blobs/", Answer(307, {"Location": "file:///etc/passwd"}))
    with pytest.raises(UnsafeAddress):
        repository.open_blob(BLOB)


def test_an_overloaded_registry_is_asked_five_times(
    repository: Repository, server: RegistryServer, kit: Kit
) -> None:
    server.fail("HEAD", "/blobs/", Answer(429), times=100)
    with pytest.raises(RateLimited, match="limits how often") as caught:
        repository.has_blob(BLOB.digest)
    assert caught.value.remedy
    assert len(server.requests) == 5
    assert kit.time.slept == sorted(kit.time.slept)
    assert len(kit.retries) == 4


def test_a_connection_dropped_before_the_reply_is_made_anew(
    repository: Repository, server: RegistryServer, kit: Kit
) -> None:
    server.add_blob("team/app", DATA)
    assert repository.has_blob(BLOB.digest)
    server.fail("HEAD", "/blobs/", Answer(408))
    assert repository.has_blob(BLOB.digest)
    assert len(kit.retries) == 1


def test_warnings_are_passed_on_once(
    repository: Repository, server: RegistryServer, kit: Kit
) -> None:
    server.fail("HEAD", "/blobs/", Patch({"Warning": '299 - "moving soon"'}), times=2)
    for _ in range(2):
        repository.has_blob(BLOB.digest)
    assert kit.warnings == [f"{server.host}: moving soon"]


def test_requests_say_who_asks(repository: Repository, server: RegistryServer) -> None:
    repository.has_blob(BLOB.digest)
    headers = server.requests[0].headers
    assert headers["user-agent"] == "nacre/test"
    assert headers["accept-encoding"] == "identity"


def test_nothing_listens_is_one_sentence(kit: Kit) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        repository = kit.client().repository(parse(f"{host}/a/b"))
        with pytest.raises(
            ConnectionRefused, match=f"cannot connect to {host}: connection refused"
        ):
            repository.resolve("latest")
    assert len(kit.time.slept) == 2


def test_an_unknown_host_is_one_sentence(kit: Kit) -> None:
    repository = kit.client().repository(parse("registry.invalid/a/b"))
    with pytest.raises(NameUnresolved, match=r"cannot find the host registry\.invalid: "):
        repository.resolve("latest")


def test_a_server_that_does_not_speak_http_is_one_sentence(kit: Kit) -> None:
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"SSH-2.0-hello\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(
            ConnectionDropped, match=f"the connection to {host} broke: the answer is not HTTP"
        ):
            kit.client().repository(parse(f"{host}/a/b")).resolve("latest")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_plain_400_of_a_plain_registry_is_its_own(
    repository: Repository, server: RegistryServer
) -> None:
    server.fail("HEAD", "/blobs/", Answer(400))
    with pytest.raises(InvalidReply, match="status 400"):
        repository.has_blob(BLOB.digest)
    assert not repository.has_blob(Digest.of(b"then it goes on"))


REFUSED = Answer(403, body=b'{"errors": [{"code": "DENIED", "message": "tag v1 is immutable"}]}')


def test_who_is_logged_in_is_not_told_to_log_in(kit: Kit) -> None:
    server = kit.server(Options(auth="basic", users={"ann": "secret"}))
    server.fail("PUT", "/manifests/", REFUSED)
    repository = kit.repository(server, credential=ANN)
    repository.has_blob(BLOB.digest)
    with pytest.raises(Denied, match="tag v1 is immutable") as caught:
        repository.put_manifest("v1", b"{}", "a/b")
    assert caught.value.remedy == f"ask whoever runs {server.host}, or log in as somebody who may"


def test_who_is_not_logged_in_is_told_to(kit: Kit) -> None:
    server = kit.server()
    server.fail("PUT", "/manifests/", REFUSED)
    with pytest.raises(Denied, match="tag v1 is immutable") as caught:
        kit.repository(server).put_manifest("v1", b"{}", "a/b")
    assert caught.value.remedy == f"run 'nacre login {server.host}'"
