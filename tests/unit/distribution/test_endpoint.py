"""Where a registry is served, and how it is tried."""

from __future__ import annotations

import pytest

from nacre.distribution.endpoint import Endpoint, InvalidPort, is_address, is_loopback


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:5000"]
)
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["reg.example", "localhost.example:5000", "10.0.0.1", "[fd00::1]:5000", "128.0.0.1"]
)
def test_other_machines_are_not(host: str) -> None:
    assert not is_loopback(host)


def schemes(location: str, *, insecure: bool = False, has_authority: bool = False) -> str:
    endpoint = Endpoint.of("x.example", location, insecure=insecure)
    return " ".join(endpoint.schemes(has_authority=has_authority))


def test_other_hosts_are_asked_over_https_only() -> None:
    assert schemes("reg.example:5000") == "https"
    assert schemes("reg.example:5000", has_authority=True) == "https"


def test_insecure_hosts_are_asked_over_https_first() -> None:
    assert schemes("reg.example:5000", insecure=True) == "https http"


def test_loopback_is_asked_plainly_first() -> None:
    assert schemes("127.0.0.1:5000") == "http https"
    assert schemes("localhost") == "http https"


def test_loopback_with_an_authority_or_the_tls_port_is_asked_over_https_first() -> None:
    assert schemes("127.0.0.1:5000", has_authority=True) == "https http"
    assert schemes("127.0.0.1:443") == "https http"


def test_an_address_may_state_its_scheme() -> None:
    assert schemes("http://reg.example") == "http"
    assert schemes("https://127.0.0.1:5000") == "https"


def test_a_prefix_goes_before_each_path() -> None:
    endpoint = Endpoint.of("docker.io", "hub.example/proxy/hub")
    assert endpoint.path("library/nginx") == "proxy/hub/library/nginx"
    assert Endpoint.of("docker.io", "hub.example").path("library/nginx") == "library/nginx"


def test_credentials_are_kept_by_the_host_that_gets_them() -> None:
    assert Endpoint.of("docker.io", "registry-1.docker.io").credential_host == "docker.io"
    assert Endpoint.of("docker.io", "hub.example:5000/x").credential_host == "hub.example:5000"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("hub.example", True),
        ("hub.example:5000/a/b/", True),
        ("http://hub.example", True),
        ("ftp://hub.example", False),
        ("hub.example/A", False),
        ("user@hub.example", False),
        ("hub example", False),
        ("", False),
    ],
)
def test_addresses_are_checked(text: str, good: bool) -> None:
    assert is_address(text) is good


@pytest.mark.parametrize("host", ["localhost:65536", "reg.example:99999", "[::1]:0"])
def test_a_port_that_is_none_is_named(host: str) -> None:
    with pytest.raises(InvalidPort, match="has a port that is none"):
        Endpoint.of("x.example", host)
