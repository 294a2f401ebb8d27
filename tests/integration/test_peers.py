"""The servers and proxies that other tests rely on do what those tests believe they do."""

from __future__ import annotations

import base64
import http.client
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ProxyStarter, RegistryStarter
from tests.peers.certificates import Authority
from tests.peers.tools import REMEDY, require_tool

pytestmark = pytest.mark.peers


def get(url: str, *, tls: ssl.SSLContext | None = None, user: str = "") -> bytes:
    """Return the body of an answer."""
    request = urllib.request.Request(url)
    if user:
        request.add_header("Authorization", f"Basic {base64.b64encode(user.encode()).decode()}")
    with urllib.request.urlopen(request, timeout=30, context=tls) as answer:
        body = answer.read()
        assert isinstance(body, bytes)
        return body


def test_a_missing_tool_fails_and_says_what_to_run() -> None:
    with pytest.raises(pytest.fail.Exception, match=REMEDY):
        require_tool("no-such-program")


def test_registry_answers_and_keeps_a_log_of_requests(docker_registry: RegistryStarter) -> None:
    registry = docker_registry()
    get(f"{registry.url}/v2/")
    with pytest.raises(urllib.error.HTTPError) as raised:
        get(f"{registry.url}/v2/team/app/manifests/latest")
    raised.value.close()
    assert [(r.method, r.path, r.status) for r in registry.requests()] == [
        ("GET", "/v2/", 200),
        ("GET", "/v2/team/app/manifests/latest", 404),
    ]
    assert registry.count("GET", "/manifests/") == 1
    assert registry.count("PUT") == 0


def test_registry_with_a_password_refuses_others(docker_registry: RegistryStarter) -> None:
    registry = docker_registry(user="ana", password="secret")
    with pytest.raises(urllib.error.HTTPError) as raised:
        get(f"{registry.url}/v2/", user="ana:wrong")
    raised.value.close()
    assert raised.value.code == 401
    assert get(f"{registry.url}/v2/", user="ana:secret") == b"{}"


def test_registry_over_tls_is_trusted_through_its_authority(
    docker_registry: RegistryStarter, authority: Authority
) -> None:
    registry = docker_registry(authority=authority)
    trusting = ssl.create_default_context(cafile=authority.certificate)
    assert get(f"{registry.url}/v2/", tls=trusting) == b"{}"
    with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
        get(f"{registry.url}/v2/", tls=ssl.create_default_context())
    assert registry.count("GET", "^/v2/$") == 1


def test_registry_can_demand_a_client_certificate(
    docker_registry: RegistryStarter, authority: Authority
) -> None:
    registry = docker_registry(authority=authority, client_authority=authority)
    tls = ssl.create_default_context(cafile=authority.certificate)
    with pytest.raises(OSError, match=r"certificate|EOF|reset"):
        get(f"{registry.url}/v2/", tls=tls)
    client = authority.issue("client")
    tls.load_cert_chain(client.certificate, client.key)
    assert get(f"{registry.url}/v2/", tls=tls) == b"{}"
    assert registry.count() == 1


def test_proxy_counts_both_directions(
    docker_registry: RegistryStarter, proxy_before: ProxyStarter
) -> None:
    proxy = proxy_before(docker_registry().port)
    assert get(f"http://{proxy.host}/v2/") == b"{}"
    assert proxy.connections == 1
    assert proxy.sent > len("GET /v2/ HTTP/1.1\r\n\r\n")
    assert proxy.received > len("HTTP/1.1 200 OK\r\n\r\n{}")


def test_proxy_cuts_once_after_exactly_so_many_bytes(
    docker_registry: RegistryStarter, proxy_before: ProxyStarter
) -> None:
    proxy = proxy_before(docker_registry().port)
    proxy.cut_after(10)
    with pytest.raises(http.client.BadStatusLine, match=r"^HTTP/1\.1 2$"):
        get(f"http://{proxy.host}/v2/")
    assert proxy.received == 10
    assert get(f"http://{proxy.host}/v2/") == b"{}"


def test_debian_rootfs_is_a_real_root_tree(debian_rootfs_tar: Path) -> None:
    # 257 bytes into a header stands the magic of a POSIX tar.
    with debian_rootfs_tar.open("rb") as tar:
        assert tar.read(512)[257:262] == b"ustar"
    assert debian_rootfs_tar.stat().st_size > 50_000_000
