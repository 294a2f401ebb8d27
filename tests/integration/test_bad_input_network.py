"""Networks that fail, peers that cannot be trusted, and redirects that fish for credentials."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nacre.distribution.client import Client
from nacre.distribution.credentials import CredentialStore
from nacre.distribution.errors import TimedOut
from nacre.distribution.retry import RetryPolicy
from nacre.distribution.settings import CredentialLocations, RegistrySettings, Timeouts
from nacre.oci import reference as references
from nacre.oci.digest import Digest
from nacre.testing.builders import an_image
from tests.integration.unharmed import SOUND, Unharmed
from tests.peers.certificates import Authority, make_authority
from tests.peers.tools import require_tool, run, succeed
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer, registry_server
from tests.servers.registry_values import Answer, DropAfter, Options


def closed_port() -> int:
    """Return a port of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


# No network.


def test_nobody_listens(unharmed: Unharmed) -> None:
    host = f"127.0.0.1:{closed_port()}"
    unharmed.refuses("pull", f"{host}/app:1", saying=f"cannot connect to {host}")


def test_push_to_nobody(unharmed: Unharmed) -> None:
    host = f"127.0.0.1:{closed_port()}"
    unharmed.cli("tag", SOUND, f"{host}/app:1")
    said = unharmed.cli.refused("push", f"{host}/app:1")
    assert f"cannot connect to {host}" in said
    assert len(said.splitlines()) == 1


def test_login_to_nobody(unharmed: Unharmed) -> None:
    host = f"127.0.0.1:{closed_port()}"
    arguments = ("login", "-u", "ana", "--password-stdin", host)
    unharmed.refuses(*arguments, stdin="secret", saying=f"cannot connect to {host}")


def test_host_without_an_address(unharmed: Unharmed) -> None:
    saying = "cannot find the host registry.invalid"
    unharmed.refuses("pull", "registry.invalid/app:1", saying=saying)


def test_proxy_that_is_not_there(unharmed: Unharmed) -> None:
    unharmed.cli.env["HTTPS_PROXY"] = f"http://127.0.0.1:{closed_port()}"
    saying = "the proxy for registry.invalid"
    unharmed.refuses("pull", "registry.invalid/app:1", saying=saying)


def test_connection_that_breaks_in_the_middle_of_the_manifest(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "1", an_image())
    server.fail("GET", "/manifests/", DropAfter(10), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="ended after 10 of")


def test_registry_that_is_broken(unharmed: Unharmed, server: RegistryServer) -> None:
    server.fail("GET", "/manifests/", Answer(500), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="failed with status 500")


def test_registry_that_wants_to_be_left_alone_for_too_long(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    server.fail("GET", "/manifests/", Answer(429, {"Retry-After": "86400"}), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="limits how often")


@contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and never answer; gives ``host:port``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_waiting_for_an_answer_is_bounded_by_settings() -> None:
    with (
        silent_server() as host,
        Client(
            RegistrySettings(timeouts=Timeouts(0.2, 0.2)),
            CredentialStore(CredentialLocations()),
            on_warning=lambda _text: None,
            on_retry=lambda _what, _why, _delay: None,
            user_agent="test",
            policy=RetryPolicy(tries=2, base=0.01),
        ) as client,
        pytest.raises(TimedOut, match="did not answer in time") as raised,
    ):
        client.repository(references.parse(f"{host}/app:1")).manifest("1")
    assert raised.value.remedy


# TLS.


def serving(authority: Authority, names: str = "DNS:localhost,IP:127.0.0.1") -> ssl.SSLContext:
    """Return a server's context with a certificate for these names."""
    issued = authority.issue(f"server-{Digest.of(names.encode()).short}", names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    return context


def trust(unharmed: Unharmed, host: str, authority: Authority) -> None:
    """Let nacre trust an authority for a host, as its settings file says."""
    unharmed.cli.config.write_text(f'[registry."{host}"]\nca = "{authority.certificate}"\n')


def test_unknown_authority_is_not_trusted(unharmed: Unharmed, authority: Authority) -> None:
    with registry_server(tls=serving(authority)) as server:
        publish(server, "app", "1", an_image())
        saying = f"certificate of {server.host} is not trusted: .*(certs.d|ca =)"
        unharmed.refuses("pull", f"{server.host}/app:1", saying=saying)
        assert not server.seen()


def test_another_authority_is_not_trusted(
    unharmed: Unharmed, authority: Authority, tmp_path: Path
) -> None:
    with registry_server(tls=serving(authority)) as server:
        trust(unharmed, server.host, make_authority(tmp_path / "other"))
        unharmed.refuses("pull", f"{server.host}/app:1", saying="is not trusted")


def test_certificate_for_another_host_is_refused(unharmed: Unharmed, authority: Authority) -> None:
    with registry_server(tls=serving(authority, "DNS:elsewhere.example")) as server:
        trust(unharmed, server.host, authority)
        unharmed.refuses("pull", f"{server.host}/app:1", saying="not trusted: .*(mismatch|match)")


def expired_certificate(authority: Authority) -> ssl.SSLContext:
    """Return a server's context with a certificate that was valid on one day of 2020."""
    folder = authority.folder / "expired"
    folder.mkdir(exist_ok=True)
    key, request, certificate = (folder / f"x.{end}" for end in ("key", "csr", "crt"))
    openssl = require_tool("openssl")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    succeed(
        run(openssl, "req", "-new", *new_key, "-subj", "/CN=x", "-keyout", key, "-out", request)
    )
    (folder / "x.cnf").write_text(
        "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\nserial = serial\n"
        "new_certs_dir = .\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n"
        "[leaf]\nsubjectAltName = DNS:localhost,IP:127.0.0.1\nbasicConstraints = CA:FALSE\n"
        "extendedKeyUsage = serverAuth\nauthorityKeyIdentifier = keyid\n"
    )
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01")
    text = (folder / "x.cnf").read_text()
    for relative in ("index.txt", "serial"):
        text = text.replace(f"= {relative}", f"= {folder / relative}")
    (folder / "x.cnf").write_text(text.replace("new_certs_dir = .", f"new_certs_dir = {folder}"))
    days = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
    own = ("-cert", authority.own.certificate, "-keyfile", authority.own.key)
    succeed(
        run(
            *(openssl, "ca", "-batch", "-notext", "-config", folder / "x.cnf", *own, *days),
            *("-extensions", "leaf", "-in", request, "-out", certificate),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_expired_certificate_is_refused(unharmed: Unharmed, authority: Authority) -> None:
    with registry_server(tls=expired_certificate(authority)) as server:
        trust(unharmed, server.host, authority)
        unharmed.refuses("pull", f"{server.host}/app:1", saying="not trusted: .*expired")


def test_plain_http_where_tls_is_demanded(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", an_image())
    settings = f'[registry."hub.example"]\nlocation = "https://{server.host}"\n'
    unharmed.cli.config.write_text(settings)
    unharmed.refuses("pull", "hub.example/app:1", saying=f"{server.host} does not speak TLS")
    assert not server.seen()


def test_tls_where_plain_http_is_demanded(unharmed: Unharmed, authority: Authority) -> None:
    with registry_server(tls=serving(authority)) as server:
        settings = f'[registry."hub.example"]\nlocation = "http://{server.host}"\n'
        unharmed.cli.config.write_text(settings)
        unharmed.refuses("pull", "hub.example/app:1", saying=server.host)
        assert not server.seen()


def test_missing_file_of_an_authority_is_named(unharmed: Unharmed, server: RegistryServer) -> None:
    unharmed.cli.config.write_text(f'[registry."{server.host}"]\nca = "/no/such.crt"\n')
    unharmed.refuses("pull", f"{server.host}/app:1", saying="/no/such.crt")


def test_file_of_an_authority_that_is_none(
    unharmed: Unharmed, server: RegistryServer, tmp_path: Path
) -> None:
    rubbish = tmp_path / "ca.crt"
    rubbish.write_text("rubbish")
    unharmed.cli.config.write_text(f'[registry."{server.host}"]\nca = "{rubbish}"\n')
    unharmed.refuses("pull", f"{server.host}/app:1", saying=str(rubbish))


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        ("[registry", "not valid TOML"),
        ("colour = 1", "unknown setting 'colour'"),
        ("jobs = 0", "jobs"),
        ('[registry."host:5000"]\nunsafe = true', "unsafe"),
        ('[registry."host:5000"]\ninsecure = "yes"', "insecure"),
        ('[registry."http://host"]', "not named after a registry"),
        ("registry = 7", "registry"),
    ],
)
def test_broken_settings_are_named(text: str, saying: str, unharmed: Unharmed) -> None:
    unharmed.cli.config.write_text(text)
    # Named at once, also by a command that asks no registry.
    said = unharmed.cli.refused("images")
    assert saying in said
    assert str(unharmed.cli.config) in said
    assert len(said.splitlines()) == 1


# Credentials stay at home.


def log_in(unharmed: Unharmed, host: str) -> None:
    """Keep a password for a host."""
    unharmed.cli.docker_config.mkdir(parents=True)
    auth = base64.b64encode(b"ana:secret").decode()
    text = json.dumps({"auths": {host: {"auth": auth}}})
    (unharmed.cli.docker_config / "config.json").write_text(text)


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_redirect_to_another_host_takes_no_credentials_along(
    auth: str, unharmed: Unharmed, server: RegistryServer
) -> None:
    image = an_image()
    options = Options(users={"ana": "secret"}, anonymous_pull=False)
    options.auth = "basic" if auth == "basic" else "token"
    with registry_server(options) as registry:
        publish(registry, "app", "1", image)
        publish(server, "app", "1", image)
        log_in(unharmed, registry.host)
        for digest in image.blobs:
            to = f"{server.url}/v2/app/blobs/{digest}"
            registry.fail("GET", f"/blobs/{digest}", Answer(307, {"Location": to}))
        unharmed.cli("pull", f"{registry.host}/app:1")
    assert server.seen("GET", "/blobs/")
    for request in server.seen():
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers


def test_redirect_to_a_host_that_asks_for_a_password_is_not_answered(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    """The other host's challenge, a fishing one, gets nothing."""
    image = an_image()
    server.options = Options(auth="basic", users={"ana": "secret"})
    with registry_server() as registry:
        publish(registry, "app", "1", image)
        log_in(unharmed, registry.host)
        to = f"{server.url}/v2/app/blobs/x"
        registry.fail("GET", "/blobs/", Answer(307, {"Location": to}), times=100)
        unharmed.refuses("pull", f"{registry.host}/app:1", saying="app")
    assert server.seen("GET", "/blobs/")
    assert all("authorization" not in request.headers for request in server.seen())


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://host.example/x",
        "http://ana:pw@127.0.0.1:1/x",
        "http://[",
        "\x01",
    ],
)
def test_redirect_to_what_is_no_web_address(
    location: str, unharmed: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "1", an_image())
    server.fail("GET", "/blobs/", Answer(307, {"Location": location}), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="address")


def test_redirect_in_a_circle(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", an_image())
    to = f"{server.url}/v2/app/blobs/x"
    server.fail("GET", "/blobs/", Answer(307, {"Location": to}), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="redirect")


def test_redirect_from_tls_to_plain_http(unharmed: Unharmed, authority: Authority) -> None:
    with registry_server(tls=serving(authority)) as server, registry_server() as plain:
        publish(server, "app", "1", an_image())
        trust(unharmed, server.host, authority)
        to = f"{plain.url}/v2/app/blobs/x"
        server.fail("GET", "/blobs/", Answer(307, {"Location": to}), times=100)
        unharmed.refuses("pull", f"{server.host}/app:1", saying="from https to http")
        assert not plain.seen()


def test_stolen_words_of_a_registry_cannot_steer_a_terminal(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    body = json.dumps({"errors": [{"code": "X\x1b[2J", "message": "\x1b]0;owned\x07\nOK"}]})
    server.fail("GET", "/manifests/", Answer(418, {}, body.encode()), times=100)
    line = unharmed.refuses("pull", f"{server.host}/app:1", saying="418")
    assert line.isprintable()


def test_answer_that_is_not_http(unharmed: Unharmed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        listener.settimeout(0.1)
        done = threading.Event()

        def rubbish() -> None:
            while not done.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = threading.Thread(target=rubbish)
        thread.start()
        try:
            unharmed.refuses("pull", f"{host}/app:1", saying=host)
        finally:
            done.set()
            thread.join()
