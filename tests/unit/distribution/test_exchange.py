"""Addresses that servers send are followed only where that is safe."""

from __future__ import annotations

import pytest

from nacre.distribution.errors import UnsafeAddress
from nacre.distribution.exchange import Origin, origin, redirect, resolved, with_query

BASE = "https://reg.example/v2/a/blobs/uploads/"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://reg.example/v2/", Origin("https", "reg.example", 443)),
        ("http://REG.example:5000/x", Origin("http", "reg.example", 5000)),
        ("https://[::1]:5000/", Origin("https", "::1", 5000)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: Origin) -> None:
    assert origin(url) == expected


def test_an_ipv6_address_is_bracketed() -> None:
    assert origin("http://[::1]:5000/").address == "[::1]:5000"


@pytest.mark.parametrize("url", ["ftp://a/", "/v2/", "https://", "https://a:b/", "file:///etc"])
def test_other_addresses_have_no_origin(url: str) -> None:
    with pytest.raises(UnsafeAddress):
        origin(url)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/v2/x", "https://reg.example/v2/x"),
        ("1?state=2", BASE + "1?state=2"),
        ("https://other.example/x?y=z#part", "https://other.example/x?y=z"),
        ("//other.example/x", "https://other.example/x"),
    ],
)
def test_locations_are_relative_or_absolute(location: str, expected: str) -> None:
    assert resolved(BASE, location) == expected


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://reg.example/x", "from https to http"),
        ("http://other.example/x", "from https to http"),
        ("file:///etc/passwd", "no http or https"),
        ("https://user:pass@reg.example/", "carries a user name"),
        ("/x\r\nEvil: 1", "control characters"),
        ("/x y", "control characters"),
        ("/x\x00", "control characters"),
        ("/x\x9b2J", "control characters"),
        ("/" + "x" * 100_000, "100001 characters"),
        ("https://" + "a" * 64 + ".example/", "a host that is none"),
        ("https://" + "a." * 200 + "example/", "a host that is none"),
        ("https://a..example/", "a host that is none"),
        ("https://reg.example:/", "a host that is none"),
        ("https://reg.example:0/", "a host that is none"),
        ("https://reg.example:99999/", "no address"),
        ("https://reg.example:\u0665/", "(no address|a host that is none)"),
        ("https://reg%2eexample/", "a host that is none"),
        ("https://r\u00e9g.example/", "a host that is none"),
        ("https://reg.example;x/", "a host that is none"),
        ("https://reg.example\\\\@evil.example/", "carries a user name"),
        ("https://reg.example\\\\evil.example/", "a host that is none"),
        ("https://[fe80::1%25eth0]/", "(no address|a host that is none)"),
        ("https://[::1/", "no address"),
        ("https://@reg.example/", "carries a user name"),
        ("javascript:alert(1)", "no http or https"),
    ],
)
def test_unsafe_locations_are_refused(location: str, why: str) -> None:
    with pytest.raises(UnsafeAddress, match=why):
        resolved(BASE, location)


def test_only_some_statuses_redirect() -> None:
    assert redirect(200, "/x", BASE, "GET") is None
    assert redirect(202, "/x", BASE, "POST") is None
    assert redirect(307, None, BASE, "GET") is None
    assert redirect(302, "/x", BASE, "GET") == "https://reg.example/x"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_is_not_turned_into_a_read(status: int) -> None:
    with pytest.raises(UnsafeAddress, match="redirected a PUT"):
        redirect(status, "/x", BASE, "PUT")


@pytest.mark.parametrize("status", [307, 308])
def test_a_write_may_be_sent_elsewhere_whole(status: int) -> None:
    assert redirect(status, "/x", BASE, "PUT") == "https://reg.example/x"


def test_a_query_is_added_to_what_is_there() -> None:
    assert with_query("https://a/x", "b=c") == "https://a/x?b=c"
    assert with_query("https://a/x?y", "b=c") == "https://a/x?y&b=c"
