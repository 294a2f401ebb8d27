"""Connections: TLS as each host wants it, proxies, time limits."""

from __future__ import annotations

import shutil
import socket
import ssl
from pathlib import Path

import pytest

from nacre.distribution.errors import ProxyFailed, TimedOut, TlsFailed
from nacre.distribution.proxies import Proxies
from nacre.distribution.settings import InvalidSettings, RegistrySettings, Timeouts
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.reference import parse
from nacre.value import replace
from tests.peers.certificates import Authority, Certificate
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, Options
from tests.unit.distribution.conftest import Kit, content_of, read_all

DATA = b"some bytes" * 100_000
BLOB = Descriptor.of("a/b", DATA)


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("registry")


def tls_context(certificate: Certificate, clients: Authority | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients.certificate)
    return context


@pytest.fixture
def secure(kit: Kit, certificate: Certificate) -> RegistryServer:
    server = kit.server(tls=tls_context(certificate))
    server.add_blob("team/app", DATA)
    return server


def read(kit: Kit, server: RegistryServer, settings: object = None) -> bytes:
    client = kit.client(settings)  # type: ignore[arg-type]
    return read_all(client.repository(parse(f"{server.host}/team/app")).open_blob(BLOB))


def certs_d(folder: Path, host: str, *files: tuple[Path, str]) -> RegistrySettings:
    (folder / host).mkdir(parents=True)
    for source, name in files:
        shutil.copy(source, folder / host / name)
    return replace(RegistrySettings(), certificate_directories=(folder,))


def test_a_configured_authority_is_trusted(
    kit: Kit, secure: RegistryServer, authority: Authority
) -> None:
    assert read(kit, secure, {secure.host: {"ca": str(authority.certificate)}}) == DATA
    assert secure.connections == 1, "https was tried first"


def test_an_authority_in_certs_d_is_trusted(
    kit: Kit, secure: RegistryServer, authority: Authority, tmp_path: Path
) -> None:
    settings = certs_d(tmp_path, secure.host, (authority.certificate, "ca.crt"))
    assert read(kit, secure, settings) == DATA


def test_an_unknown_authority_is_not(kit: Kit, secure: RegistryServer) -> None:
    with pytest.raises(TlsFailed, match=f"the certificate of {secure.host} is not trusted") as got:
        read(kit, secure)
    assert f"/etc/docker/certs.d/{secure.host}/ca.crt" in got.value.remedy
    assert not kit.time.slept, "trying again would change nothing"


def test_a_certificate_for_another_host_is_not_trusted(kit: Kit, authority: Authority) -> None:
    server = kit.server(tls=tls_context(authority.issue("other", "DNS:other.example")))
    with pytest.raises(TlsFailed, match="is not trusted"):
        read(kit, server, {server.host: {"ca": str(authority.certificate)}})


def test_an_insecure_host_may_have_any_certificate(kit: Kit, secure: RegistryServer) -> None:
    assert read(kit, secure, {secure.host: {"insecure": True}}) == DATA


def test_loopback_speaks_plain_http_without_configuration(kit: Kit) -> None:
    server = kit.server()
    server.add_blob("team/app", DATA)
    assert read(kit, server) == DATA
    assert (server.connections, len(server.requests)) == (1, 1)


def test_the_scheme_is_remembered(kit: Kit, secure: RegistryServer, authority: Authority) -> None:
    client = kit.client({secure.host: {"ca": str(authority.certificate)}})
    for _ in range(3):
        client.repository(parse(f"{secure.host}/team/app")).has_blob(BLOB.digest)
    assert secure.connections == 1


def test_an_authority_for_a_plain_registry_on_loopback_does_no_harm(
    kit: Kit, authority: Authority
) -> None:
    server = kit.server()
    server.add_blob("team/app", DATA)
    assert read(kit, server, {server.host: {"ca": str(authority.certificate)}}) == DATA


def test_https_that_is_asked_for_is_not_given_up(kit: Kit, authority: Authority) -> None:
    server = kit.server()
    client = kit.client(
        {"reg.example": {"location": f"https://{server.host}", "ca": str(authority.certificate)}}
    )
    with pytest.raises(TlsFailed, match="does not speak TLS"):
        client.repository(parse("reg.example/a/b")).has_blob(BLOB.digest)
    assert not server.requests


def test_a_client_certificate_is_shown(
    kit: Kit, certificate: Certificate, authority: Authority, tmp_path: Path
) -> None:
    server = kit.server(tls=tls_context(certificate, clients=authority))
    server.add_blob("team/app", DATA)
    own = authority.issue("ann")
    settings = certs_d(
        tmp_path,
        server.host,
        (authority.certificate, "ca.crt"),
        (own.certificate, "client.cert"),
        (own.key, "client.key"),
    )
    assert read(kit, server, settings) == DATA


def test_a_configured_client_certificate_is_shown(
    kit: Kit, certificate: Certificate, authority: Authority
) -> None:
    server = kit.server(tls=tls_context(certificate, clients=authority))
    server.add_blob("team/app", DATA)
    own = authority.issue("bob")
    table = {
        "ca": str(authority.certificate),
        "certificate": str(own.certificate),
        "key": str(own.key),
    }
    assert read(kit, server, {server.host: table}) == DATA


def test_without_a_client_certificate_there_is_no_way_in(
    kit: Kit, certificate: Certificate, authority: Authority
) -> None:
    server = kit.server(tls=tls_context(certificate, clients=authority))
    with pytest.raises(Exception, match=f"(secure connection to|connection to) {server.host}"):
        read(kit, server, {server.host: {"ca": str(authority.certificate)}})


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_file_that_is_none_is_named(
    kit: Kit, secure: RegistryServer, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.crt"
    if content:
        path.write_text(content)
    with pytest.raises(TlsFailed, match=f"cannot use the certificate {path}"):
        read(kit, secure, {secure.host: {"ca": str(path)}})


def test_a_key_with_a_passphrase_is_not_asked_for(
    kit: Kit, secure: RegistryServer, authority: Authority, tmp_path: Path
) -> None:
    from tests.peers.tools import require_tool, run, succeed

    own = authority.issue("locked")
    key = tmp_path / "locked.key"
    succeed(
        run(require_tool("openssl"), "ec", "-in", own.key, "-aes256", "-passout", "pass:x",
            "-out", key)
    )  # fmt: skip
    table = {"certificate": str(own.certificate), "key": str(key)}
    with pytest.raises(TlsFailed, match="cannot use the certificate"):
        read(kit, secure, {secure.host: {**table, "ca": str(authority.certificate)}})


def test_a_push_goes_over_tls(kit: Kit, secure: RegistryServer, authority: Authority) -> None:
    client = kit.client({secure.host: {"ca": str(authority.certificate)}})
    data = b"pushed" * 500_000
    repository = client.repository(parse(f"{secure.host}/team/app"))
    repository.upload(Descriptor.of("a/b", data), content_of(data), lambda _: None)
    assert secure.blobs[Descriptor.of("a/b", data).digest] == data


def test_a_secure_registry_cannot_send_us_to_a_plain_service(
    kit: Kit, secure: RegistryServer, authority: Authority
) -> None:
    plain = kit.server(Options(auth="token"))
    challenge = f'Bearer realm="{plain.url}/token"'
    secure.fail("GET", "/blobs/", Answer(401, {"WWW-Authenticate": challenge}))
    with pytest.raises(Exception, match="is not asked over https"):
        read(kit, secure, {secure.host: {"ca": str(authority.certificate)}})
    assert not plain.requests


def test_a_secure_registry_cannot_redirect_to_a_plain_host(
    kit: Kit, secure: RegistryServer, authority: Authority
) -> None:
    plain = kit.server()
    secure.fail("GET", "/blobs/", Answer(307, {"Location": f"{plain.url}/x"}))
    with pytest.raises(Exception, match="led from https to http"):
        read(kit, secure, {secure.host: {"ca": str(authority.certificate)}})
    assert not plain.requests


def test_a_plain_request_goes_through_the_proxy_whole(kit: Kit) -> None:
    proxy = kit.server()
    settings = RegistrySettings.from_toml({"reg.example": {"location": "http://reg.example"}})
    settings = replace(settings, proxies=Proxies(http=f"http://ann:se%3Acret@{proxy.host}"))
    proxy.fail("HEAD", "/blobs/", Answer(200))
    assert kit.client(settings).repository(parse("reg.example/a/b")).has_blob(BLOB.digest)
    (seen,) = proxy.requests
    assert seen.path == f"http://reg.example/v2/a/b/blobs/{BLOB.digest}"
    assert seen.headers["host"] == "reg.example"
    assert seen.headers["proxy-authorization"] == "Basic YW5uOnNlOmNyZXQ="


def test_a_secure_request_asks_the_proxy_for_a_tunnel(kit: Kit) -> None:
    proxy = kit.server()
    settings = replace(RegistrySettings(), proxies=Proxies(https=f"http://{proxy.host}"))
    proxy.fail("CONNECT", "reg.example:443", Answer(403), times=9)
    with pytest.raises(ProxyFailed, match=r"the proxy for reg\.example failed: .*403"):
        kit.client(settings).repository(parse("reg.example/a/b")).has_blob(BLOB.digest)
    assert all("authorization" not in seen.headers for seen in proxy.requests)


def test_loopback_goes_through_no_proxy(kit: Kit) -> None:
    server, proxy = kit.server(), kit.server()
    settings = replace(RegistrySettings(), proxies=Proxies(http=f"http://{proxy.host}"))
    kit.client(settings).repository(parse(f"{server.host}/a/b")).has_blob(BLOB.digest)
    assert not proxy.requests


def test_a_server_that_says_nothing_is_left(kit: Kit) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = RegistrySettings.from_toml({"reg.example": {"location": f"http://{host}"}})
        settings = replace(settings, timeouts=Timeouts(read=0.05))
        with pytest.raises(TimedOut, match=f"{host} did not answer in time"):
            kit.client(settings).repository(parse("reg.example/a/b")).has_blob(BLOB.digest)
    assert len(kit.retries) == 4


@pytest.mark.parametrize("proxy", ["socks5://ann:secret@127.0.0.1:1", "http://[bad", "x:999999"])
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(kit: Kit, proxy: str) -> None:
    proxies = Proxies.from_environment({"HTTPS_PROXY": proxy})
    client = kit.client(RegistrySettings(proxies=proxies))
    with pytest.raises(InvalidSettings, match="the proxy for reg.example:443") as caught:
        client.repository(parse("reg.example/app")).has_blob(Digest.of(b""))
    assert "secret" not in str(caught.value)
    assert not kit.retries
