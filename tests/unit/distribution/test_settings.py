"""Settings are read from values, and mistakes are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nacre.distribution.endpoint import Endpoint
from nacre.distribution.settings import (
    CredentialLocations,
    HostSettings,
    InvalidSettings,
    RegistrySettings,
    Timeouts,
)


def test_a_table_is_read() -> None:
    table = {
        "docker.io": {"location": "127.0.0.1:5000/hub", "mirrors": ["mirror.example:5000"]},
        "reg.example:5000": {
            "insecure": True,
            "ca": "/pki/ca.crt",
            "certificate": "/pki/me.cert",
            "key": "/pki/me.key",
        },
    }
    settings = RegistrySettings.from_toml(table)
    assert settings.hosts["docker.io"] == HostSettings(
        "127.0.0.1:5000/hub", ("mirror.example:5000",)
    )
    assert settings.hosts["reg.example:5000"] == HostSettings(
        insecure=True, ca=Path("/pki/ca.crt"), certificate=Path("/pki/me.cert"),
        key=Path("/pki/me.key"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"docker.io": {"locaton": "x"}}, "has an unknown key 'locaton'"),
        ({"docker.io": {"location": 5}}, "location that is no registry address: 5"),
        ({"docker.io": {"location": "ftp://x"}}, "no registry address: 'ftp://x'"),
        ({"docker.io": {"mirrors": "x"}}, "mirrors that are not a list"),
        ({"docker.io": {"mirrors": ["a b"]}}, "mirror that is no registry address"),
        ({"docker.io": {"insecure": "yes"}}, "insecure that is neither true nor false"),
        ({"docker.io": {"ca": 1}}, "ca that is not a path"),
        ({"docker.io": {"key": "/k"}}, "key without its certificate"),
        ({"docker.io": "x"}, "is not a table"),
        ({"a/b": {}}, "is not named after a registry"),
    ],
)
def test_mistakes_are_named(table: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSettings, match=why):
        RegistrySettings.from_toml(table)


def test_how_long_to_wait_is_read() -> None:
    network = {"connect-timeout": 5, "read-timeout": 0.5}
    assert RegistrySettings.from_toml({}, network).timeouts == Timeouts(5.0, 0.5)
    assert RegistrySettings.from_toml({}, {"read-timeout": 1}).timeouts == Timeouts(20.0, 1.0)


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ({"timeout": 5}, r"\[network\] has an unknown key 'timeout'"),
        ({"read-timeout": "60s"}, "read-timeout that is no number of seconds: '60s'"),
        ({"read-timeout": True}, "no number of seconds: True"),
        ({"read-timeout": 0}, "no number of seconds: 0"),
        ({"connect-timeout": -1}, "connect-timeout that is no number of seconds: -1"),
        ({"connect-timeout": float("inf")}, "no number of seconds: inf"),
        ({"connect-timeout": float("nan")}, "no number of seconds: nan"),
        (60, r"\[network\] is not a table"),
    ],
)
def test_how_long_to_wait_must_be_a_time(network: object, why: str) -> None:
    with pytest.raises(InvalidSettings, match=why):
        RegistrySettings.from_toml({}, network)


def test_docker_hub_is_served_elsewhere_by_itself() -> None:
    endpoint = RegistrySettings().endpoint("docker.io")
    assert endpoint == Endpoint("docker.io", "registry-1.docker.io")


def test_other_domains_are_served_where_they_say() -> None:
    assert RegistrySettings().endpoint("reg.example:5000").host == "reg.example:5000"


def test_a_domain_is_relocated() -> None:
    settings = RegistrySettings.from_toml({"docker.io": {"location": "127.0.0.1:5000/hub"}})
    endpoint = settings.endpoint("docker.io")
    assert (endpoint.host, endpoint.prefix) == ("127.0.0.1:5000", "hub")
    assert endpoint.domain == "docker.io"


def test_mirrors_are_in_order() -> None:
    settings = RegistrySettings.from_toml(
        {"docker.io": {"mirrors": ["a.example", "http://b.example/hub"]}}
    )
    hosts = [
        (mirror.scheme, mirror.host, mirror.prefix) for mirror in settings.mirrors("docker.io")
    ]
    assert hosts == [("", "a.example", ""), ("http", "b.example", "hub")]


def test_what_holds_for_a_domain_holds_for_its_location() -> None:
    settings = RegistrySettings.from_toml(
        {"docker.io": {"location": "hub.example:5000", "insecure": True, "ca": "/ca"}}
    )
    assert settings.at("hub.example:5000").ca == Path("/ca")
    assert not settings.endpoint("docker.io").verify


def test_a_locations_own_table_counts_first() -> None:
    settings = RegistrySettings.from_toml(
        {"docker.io": {"location": "hub.example", "insecure": True}, "hub.example": {}}
    )
    assert settings.endpoint("docker.io").verify


def test_docker_hubs_table_holds_for_its_host() -> None:
    settings = RegistrySettings.from_toml({"docker.io": {"ca": "/ca"}})
    assert settings.at("registry-1.docker.io").ca == Path("/ca")


def test_certificates_lie_where_docker_and_podman_keep_them() -> None:
    settings = RegistrySettings.from_toml({}, environment={"HOME": "/home/ann"})
    assert settings.certificate_directories == (
        Path("/etc/docker/certs.d"),
        Path("/etc/containers/certs.d"),
        Path("/home/ann/.config/containers/certs.d"),
        Path("/home/ann/.config/nacre/certs.d"),
    )


def test_proxies_come_from_the_environment() -> None:
    proxy = {"HTTP_PROXY": "http://p:1"}
    assert RegistrySettings.from_toml({}, environment=proxy).proxies.http


def locations(**environment: str) -> CredentialLocations:
    return CredentialLocations.from_environment(environment)


def test_credentials_lie_in_the_home_folder() -> None:
    found = locations(HOME="/home/ann")
    assert found.files == (
        Path("/home/ann/.docker/config.json"),
        Path("/home/ann/.config/containers/auth.json"),
    )
    assert found.writable == Path("/home/ann/.docker/config.json")


def test_docker_config_names_another_folder() -> None:
    found = locations(HOME="/home/ann", DOCKER_CONFIG="/etc/d")
    assert found.files[0] == found.writable == Path("/etc/d/config.json")


def test_registry_auth_file_comes_first() -> None:
    found = locations(HOME="/home/ann", REGISTRY_AUTH_FILE="/run/auth.json")
    assert found.files[:2] == (Path("/run/auth.json"), Path("/home/ann/.docker/config.json"))
    assert found.writable == Path("/run/auth.json")


def test_podmans_places_come_after_dockers() -> None:
    found = locations(HOME="/home/ann", XDG_RUNTIME_DIR="/run/user/1", XDG_CONFIG_HOME="/c")
    assert found.files == (
        Path("/home/ann/.docker/config.json"),
        Path("/run/user/1/containers/auth.json"),
        Path("/c/containers/auth.json"),
    )


def test_docker_auth_config_is_json_in_a_variable() -> None:
    assert locations(DOCKER_AUTH_CONFIG='{"auths": {}}').inline == '{"auths": {}}'


def test_an_empty_environment_has_no_places() -> None:
    assert locations() == CredentialLocations()
