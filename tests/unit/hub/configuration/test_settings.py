"""The settings of a hub: file, environment and command line."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.errors import Invalid
from nacre.hub.configuration import units
from nacre.hub.configuration.check import InvalidSettings
from nacre.hub.configuration.options import Options, Size, keys, sections
from nacre.hub.configuration.settings import Settings, load, split_address
from nacre.hub.configuration.text import printed

NOWHERE = {"HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent"}


def loaded(tmp_path: Path, text: str, **environment: str) -> Settings:
    file = tmp_path / "hub.toml"
    file.write_text(text)
    return load(file=file, environment=NOWHERE | environment)


def test_the_printed_default_reads_back_as_the_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, printed(Options())).options == Options()


def test_what_was_changed_is_printed_as_changed(tmp_path: Path) -> None:
    text = '[server]\nlisten = "[::1]:80"\n[registry]\nsparse = ["a", "b"]\nquota = "10GB"\n'
    options = loaded(tmp_path, text).options
    assert options.registry.sparse == ("a", "b")
    assert options.registry.quota == 10_000_000_000
    assert loaded(tmp_path, printed(options)).options == options


def test_every_key_is_documented() -> None:
    for section in sections():
        for key in keys(section.default):
            assert key.metadata["doc"].endswith((".", "]")), key.name


def test_every_key_can_be_set_by_the_environment() -> None:
    values = {bool: "true", tuple: "one,two", timedelta: "3h", Size: "9KiB", int: "9", str: "word"}
    for section in sections():
        for key in keys(section.default):
            if (section.name, key.name) in {
                ("server", "listen"), ("server", "url"), ("server", "tls_certificate"),
                ("server", "tls_key"), ("server", "trusted_proxies"), ("registry", "visibility"),
                ("log", "format"), ("limits", "pulls"), ("limits", "pulls_anonymous"),
                ("limits", "requests"), ("limits", "logins"),
            }:  # fmt: skip
                continue
            variable = f"NACRE_HUB_{section.name}_{key.name}".upper()
            settings = load(environment=NOWHERE | {variable: values[type(key.default)]})
            found = getattr(getattr(settings.options, section.name), key.name)
            assert type(found) is type(key.default), variable
            assert found != key.default or key.default is True, variable


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(
    tmp_path: Path,
) -> None:
    text = '[server]\nlisten = "127.0.0.1:1"\ndata = "/from/file"\n'
    assert loaded(tmp_path, text).address == ("127.0.0.1", 1)
    variables = {"NACRE_HUB_SERVER_LISTEN": "127.0.0.1:2"}
    assert loaded(tmp_path, text, **variables).address == ("127.0.0.1", 2)
    file = tmp_path / "hub.toml"
    both = load(file=file, listen="127.0.0.1:3", data="/x", environment=NOWHERE | variables)
    assert both.address == ("127.0.0.1", 3)
    assert both.data == Path("/x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[servers]\n", "unknown setting 'servers'"),
        ("[server]\nport = 1\n", "unknown setting 'port'"),
        ("server = 1\n", "server must be a table"),
        ("[server]\nworkers = true\n", "server.workers: True is not a whole number"),
        ("[server]\nworkers = 0\n", "server.workers must be from 1 to 64"),
        ("[server]\ntls-key = 'k'\n", "go together"),
        ("[server]\nurl = 'ftp://x'\n", "not an http or https address"),
        ("[server]\nlisten = '5000'\n", "not an address to listen on"),
        ("[server]\ntrusted-proxies = ['x']\n", "'x' is no address"),
        ("[server]\nstop-within = '0s'\n", "server.stop-within must be from 1 to 86400 seconds"),
        ("[auth]\ntoken-life = '0s'\n", "auth.token-life must be from 60"),
        ("[auth]\nservice = 'a\"b'\n", "is no name of a service"),
        ("[registry]\npage = 0\n", "registry.page must be from 1 to 100000"),
        ("[registry]\nmanifest-limit = '0'\n", "registry.manifest-limit must be from 1024"),
        ("[registry]\nsparse = ['a', 'UPPER']\n", "'UPPER' cannot be the name of a namespace"),
        ("[registry]\nclient-patience = '0s'\n", "registry.client-patience must be from 1"),
        ("[collection]\ngrace = '0s'\n", "collection.grace must be from 1"),
        ("[collection]\ntrash = '0s'\n", "collection.trash must be from 1"),
        ("[collection]\njournal = '0s'\n", "collection.journal must be from 0.1"),
        ("[limits]\nheader = 100\n", "limits.header must be from 8192"),
        ("[limits]\nuploads = 0\n", "limits.uploads must be from 1"),
        ("[limits]\npulls = 'many'\n", "limits.pulls: 'many' is not a rate"),
        ("[limits]\npulls-anonymous = '1'\n", "limits.pulls-anonymous: '1' is not a rate"),
        ("[limits]\nrequests = '0/s'\n", "limits.requests: '0/s' is not a rate"),
        ("[limits]\nlogins = '1/x'\n", "limits.logins: '1x' is not a time"),
        ("[registry]\nvisibility = 'secret'\n", "not one of public, private"),
        ("[registry]\nimmutable = '('\n", "registry.immutable"),
        ("[registry]\nquota = 'much'\n", "'much' is not a size"),
        ("[collection]\ngrace = 24\n", "24 is not a text like"),
        ("[auth]\nanonymous-push = 1\n", "1 is not true or false"),
        ("[server\n", "not valid TOML"),
    ],
)
def test_what_means_nothing_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidSettings, match=said.replace("(", r"\(")):
        loaded(tmp_path, text)


@pytest.mark.parametrize(
    "url",
    [
        "https://x/y\nz", "https://", "https:///v2", "x.org", "https://x?y", "https://x#y",
        "https://x y", 'https://x/"', "https://a:b@x", "https://x/\u00e9",
    ],
)  # fmt: skip
def test_what_clients_cannot_be_sent_to_is_no_url(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"server.url: .* is not an http or https address"):
        load(environment=NOWHERE | {"NACRE_HUB_SERVER_URL": url})


@pytest.mark.parametrize(
    "url", ["http://x", "https://hub.example.com:444/some/path", "http://[::1]:5000/"]
)
def test_what_clients_can_be_sent_to(url: str) -> None:
    made = load(environment=NOWHERE | {"NACRE_HUB_SERVER_URL": url})
    assert made.options.server.url == url


def test_what_is_refused_is_found(tmp_path: Path) -> None:
    text, file = "[server]\nlisten = ':1'\n[limits]\nuploads = 0\n", tmp_path / "hub.toml"
    with pytest.raises(InvalidSettings, match=rf"^{re.escape(str(file))}: limits.uploads must"):
        loaded(tmp_path, text)
    with pytest.raises(InvalidSettings, match=r"^NACRE_HUB_LIMITS_UPLOADS: limits.uploads must"):
        loaded(tmp_path, text, NACRE_HUB_LIMITS_UPLOADS="0")
    with pytest.raises(InvalidSettings, match=r"^'x' is not an address to listen on"):
        load(listen="x", file=file, environment=NOWHERE | {"NACRE_HUB_LIMITS_UPLOADS": "1"})


def test_an_unknown_variable_is_refused_for_it_is_a_mistyped_one() -> None:
    with pytest.raises(InvalidSettings, match="NACRE_HUB_SERVER_PORT"):
        load(environment=NOWHERE | {"NACRE_HUB_SERVER_PORT": "1"})


def test_a_named_file_must_exist() -> None:
    with pytest.raises(InvalidSettings, match="does not exist"):
        load(file="/nonexistent/hub.toml", environment=NOWHERE)


@pytest.mark.parametrize("text", ["", "x", "1:2:3", "127.0.0.1:70000", "[::1:5000", "h:1 "])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(InvalidSettings):
        split_address(text)


@given(st.integers(0, 10**15 - 1))
def test_sizes_survive_writing(number: int) -> None:
    assert units.size(units.written_size(number)) == number


@given(st.integers(0, 10**10).map(lambda ms: timedelta(milliseconds=ms)))
def test_times_survive_writing(time: timedelta) -> None:
    assert units.duration(units.written_duration(time)) == time


@pytest.mark.parametrize("text", ["", "-1", "1 2", "10XB", "1e5", "9" * 30, "\u0661"])
def test_sizes_and_times_that_are_none(text: str) -> None:
    with pytest.raises(Invalid):
        units.size(text)
    with pytest.raises(Invalid):
        units.duration(text)
