"""Files from any web server: what an import reads, and from where it never will."""

from __future__ import annotations

import pytest

from nacre.distribution.errors import ConnectionDropped, InvalidReply, UnsafeAddress
from nacre.errors import Denied, NotFound, Unavailable
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer
from tests.unit.distribution.conftest import Kit, read_all

DATA = b"tar" * 100_000
ROUTE = "/rootfs.tar"


@pytest.fixture
def server(kit: Kit) -> RegistryServer:
    """A server that has a file, though it is a registry."""
    server = kit.server()
    server.fail("GET", ROUTE, Answer(200, body=DATA), times=99)
    return server


def test_a_file_is_read(kit: Kit, server: RegistryServer) -> None:
    with kit.client().download(f"{server.url}{ROUTE}") as stream:
        assert read_all(stream) == DATA
        assert stream.name == f"{server.url}{ROUTE}"


def test_a_redirect_is_followed(kit: Kit, server: RegistryServer) -> None:
    server.fail("GET", "/here", Answer(302, {"Location": f"../..{ROUTE}"}))
    assert read_all(kit.client().download(f"{server.url}/a/here")) == DATA


@pytest.mark.parametrize(
    "location", ["ftp://files.test/x", "file:///etc/passwd", "gopher://x.test/", "http://a@b/"]
)
def test_a_redirect_to_what_is_not_http_is_refused(
    kit: Kit, server: RegistryServer, location: str
) -> None:
    server.fail("GET", "/here", Answer(302, {"Location": location}))
    with pytest.raises(UnsafeAddress):
        kit.client().download(f"{server.url}/here")


def test_redirects_without_end_are_refused(kit: Kit, server: RegistryServer) -> None:
    server.fail("GET", "/round", Answer(302, {"Location": "/round"}), times=99)
    with pytest.raises(InvalidReply, match="redirects more than 10 times"):
        kit.client().download(f"{server.url}/round")


@pytest.mark.parametrize("url", ["ftp://files.test/x", "file:///etc/passwd", "x.tar", "http://"])
def test_what_is_no_http_address_is_refused(kit: Kit, url: str) -> None:
    with pytest.raises(UnsafeAddress, match="is no http or https address"):
        kit.client().download(url)


def test_a_password_in_an_address_is_not_sent_and_not_shown(
    kit: Kit, server: RegistryServer
) -> None:
    with pytest.raises(UnsafeAddress, match="carries a user name") as caught:
        kit.client().download(f"http://ann:pearl@{server.host}{ROUTE}")
    assert "pearl" not in str(caught.value)
    assert "nacre import -" in caught.value.remedy
    assert not server.requests


@pytest.mark.parametrize(
    ("status", "kind", "why"),
    [
        (401, Denied, "refuses access"),
        (403, Denied, "refuses access"),
        (404, NotFound, "not found at"),
        (418, InvalidReply, "answered with status 418"),
        (204, InvalidReply, "answered with status 204"),
        (503, Unavailable, "failed with status 503"),
    ],
)
def test_a_refusal_names_the_file_but_not_its_query(
    kit: Kit, server: RegistryServer, status: int, kind: type[Exception], why: str
) -> None:
    server.fail("GET", "/other", Answer(status), times=9)
    with pytest.raises(kind) as caught:
        kit.client().download(f"{server.url}/other?key=pearl")
    assert f"cannot download {server.url}/other: " in str(caught.value)
    assert why in str(caught.value)
    assert "pearl" not in str(caught.value)


def test_a_failure_that_passes_is_tried_again(kit: Kit, server: RegistryServer) -> None:
    server.fail("GET", "/other", Answer(503), times=1)
    server.fail("GET", "/other", Answer(200, body=b"x"), times=1)
    assert read_all(kit.client().download(f"{server.url}/other")) == b"x"
    assert kit.retries


def test_an_end_before_the_promised_length_is_noticed(kit: Kit, server: RegistryServer) -> None:
    cut = Answer(200, {"Content-Length": "9", "Connection": "close"}, body=b"short")
    server.fail("GET", "/other", cut)
    with pytest.raises(ConnectionDropped, match="/other ended after 5 of 9 bytes"):
        read_all(kit.client().download(f"{server.url}/other"))
