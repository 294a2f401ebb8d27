"""Which connections go through a proxy."""

from __future__ import annotations

import pytest

from nacre.distribution.exchange import origin
from nacre.distribution.proxies import Proxies

BOTH = {"HTTP_PROXY": "http://plain:1", "HTTPS_PROXY": "http://secure:2"}


def test_the_scheme_decides() -> None:
    proxies = Proxies.from_environment(BOTH)
    assert proxies.choose(origin("http://reg.example/")) == "http://plain:1"
    assert proxies.choose(origin("https://reg.example/")) == "http://secure:2"


def test_lower_case_names_count_first() -> None:
    proxies = Proxies.from_environment({**BOTH, "https_proxy": "http://lower:3"})
    assert proxies.https == "http://lower:3"


def test_a_bare_host_is_an_http_proxy() -> None:
    assert Proxies.from_environment({"HTTP_PROXY": "plain:1"}).http == "http://plain:1"


def test_without_variables_there_is_none() -> None:
    assert Proxies.from_environment({}).choose(origin("https://reg.example/")) == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"])
def test_loopback_is_never_proxied(host: str) -> None:
    assert Proxies.from_environment(BOTH).choose(origin(f"http://{host}/")) == ""


@pytest.mark.parametrize(
    ("entry", "host", "excepted"),
    [
        ("*", "any.example", True),
        ("reg.example", "reg.example", True),
        ("reg.example", "a.reg.example", True),
        ("reg.example", "notreg.example", False),
        (".reg.example", "a.reg.example", True),
        (".reg.example", "reg.example", False),
        ("*.reg.example", "a.reg.example", True),
        ("REG.example", "reg.EXAMPLE", True),
        ("reg.example:5000", "reg.example:5000", True),
        ("reg.example:5000", "reg.example:5001", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3:5000", True),
        ("fd00::/8", "[fd00::1]:5000", True),
        ("[fd00::1]:5000", "[fd00::1]:5000", True),
        ("[fd00::1]:5000", "[fd00::1]:5001", False),
        ("reg.example", "10.1.2.3", False),
    ],
)
def test_exceptions(entry: str, host: str, excepted: bool) -> None:
    proxies = Proxies.from_environment({**BOTH, "NO_PROXY": f"other.example, {entry}"})
    assert (proxies.choose(origin(f"http://{host}/")) == "") is excepted
