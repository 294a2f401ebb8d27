"""A registry as a whole: login, catalog, search."""

from __future__ import annotations

import pytest

from nacre.distribution.credential import Credential
from nacre.distribution.errors import AccessDenied, InvalidReply
from nacre.distribution.registry import SearchResult
from nacre.distribution.tokens import CredentialsRefused
from nacre.errors import Denied, NotFound
from nacre.oci.digest import Digest
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, Options
from tests.unit.distribution.conftest import Kit

ANN = Credential("ann", "secret")


def test_an_open_registry_lets_everybody_in(kit: Kit, server: RegistryServer) -> None:
    registry = kit.client().registry(server.host)
    registry.ping()
    assert registry.login(ANN) == ANN


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_a_login_is_checked_with_the_server(kit: Kit, auth: str) -> None:
    options = Options(auth=auth, users={"ann": "secret"}, anonymous_pull=False)  # type: ignore[arg-type]
    registry = kit.client().registry(kit.server(options).host)
    assert registry.login(ANN) == ANN
    with pytest.raises(Denied) as caught:
        registry.login(Credential("ann", "wrong"))
    assert isinstance(caught.value, AccessDenied | CredentialsRefused)
    with pytest.raises(Denied):
        registry.ping()


def test_an_identity_token_takes_the_passwords_place(kit: Kit) -> None:
    server = kit.server(
        Options(auth="token", users={"ann": "secret"}, identity_tokens={"idt": "ann"})
    )
    kept = kit.client().registry(server.host).login(ANN)
    assert kept == Credential("ann", identity_token="idt")


def test_a_login_does_not_use_kept_credentials(kit: Kit) -> None:
    server = kit.server(Options(auth="basic", users={"ann": "secret"}))
    registry = kit.client(credentials={server.host: ANN}).registry(server.host)
    registry.ping()
    with pytest.raises(Denied):
        registry.login(Credential("ann", "wrong"))


def test_repositories_are_listed(kit: Kit, server: RegistryServer) -> None:
    server.add_blob("team/app", b"x")
    server.add_blob("base", b"x")
    assert list(kit.client().registry(server.host).catalog()) == ["base", "team/app"]


def test_repositories_are_opened_by_path(kit: Kit, server: RegistryServer) -> None:
    server.add_blob("team/app", b"x")
    assert kit.client().registry(server.host).repository("team/app").has_blob(Digest.of(b"x"))


def test_a_search_finds_repositories(kit: Kit, server: RegistryServer) -> None:
    for name in ("team/app", "team/base", "other"):
        server.add_blob(name, b"x")
    registry = kit.client().registry(server.host)
    assert registry.search("team", 1) == [SearchResult("team/app", "about team/app", 3, True)]
    assert len(registry.search("team")) == 2
    assert server.requests[-1].path == "/v1/search?q=team&n=25"


def test_a_relocated_hub_searches_at_its_location(kit: Kit, server: RegistryServer) -> None:
    registry = kit.client({"docker.io": {"location": server.host}}).registry("docker.io")
    assert registry.search("x") == []
    assert registry.credential_host == server.host


def test_a_registry_without_search_says_so(kit: Kit, server: RegistryServer) -> None:
    server.fail("GET", "/v1/search", Answer(404))
    with pytest.raises(NotFound, match="cannot search"):
        kit.client().registry(server.host).search("x")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"results": [5]}', b'{"results": [{}]}'])
def test_results_that_cannot_be_read_are_an_error(
    kit: Kit, server: RegistryServer, body: bytes
) -> None:
    server.fail("GET", "/v1/search", Answer(200, {}, body))
    with pytest.raises(InvalidReply, match="search results"):
        kit.client().registry(server.host).search("x")


def test_docker_hub_keeps_its_own_credentials(kit: Kit) -> None:
    assert kit.client().registry("docker.io").credential_host == "docker.io"
