"""Platforms: normal form, and which offer suits a machine best."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.oci.platform import (
    InvalidPlatform,
    Platform,
    best,
    from_json,
    normal,
    parse,
    runnable_on,
)

AMD64 = Platform("linux", "amd64")
ARM_8 = "arm64/v8.4 arm64/v8.3 arm64/v8.2 arm64/v8.1 arm64 arm/v8 arm/v7 arm/v6 arm/v5"


def at(text: str) -> Platform:
    """Return a platform as a full specifier gives it."""
    return parse(text, host=AMD64)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("linux", "x86_64", ""), "linux/amd64"),
        (("linux", "x86-64", ""), "linux/amd64"),
        (("Linux", "X86_64", ""), "linux/amd64"),
        (("linux", "amd64", "v1"), "linux/amd64"),
        (("linux", "amd64", "v2"), "linux/amd64/v2"),
        (("linux", "i386", ""), "linux/386"),
        (("linux", "i686", ""), "linux/386"),
        (("linux", "aarch64", ""), "linux/arm64"),
        (("linux", "Aarch64", "v8"), "linux/arm64"),
        (("linux", "arm64", "8"), "linux/arm64"),
        (("linux", "arm64", "v9"), "linux/arm64/v9"),
        (("linux", "arm", ""), "linux/arm/v7"),
        (("linux", "arm", "7"), "linux/arm/v7"),
        (("linux", "arm", "5"), "linux/arm/v5"),
        (("linux", "armhf", ""), "linux/arm/v7"),
        (("linux", "armel", ""), "linux/arm/v6"),
        (("linux", "armv7l", ""), "linux/arm/v7"),
        (("linux", "ppc64el", ""), "linux/ppc64le"),
        (("linux", "loongarch64", ""), "linux/loong64"),
        (("linux", "s390x", ""), "linux/s390x"),
        (("macOS", "arm64", ""), "darwin/arm64"),
        (("", "", ""), ""),
    ],
)
def test_normal_form(given: tuple[str, str, str], expected: str) -> None:
    assert str(normal(*given)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", Platform("linux", "amd64")),
        ("linux/arm64/v8", Platform("linux", "arm64")),
        ("linux/arm/v6", Platform("linux", "arm", "v6")),
        ("Linux/x86_64", Platform("linux", "amd64")),
        ("plan9/odd", Platform("plan9", "odd")),
        ("arm64", Platform("linux", "arm64")),
        ("armel", Platform("linux", "arm", "v6")),
        ("s390x", Platform("linux", "s390x")),
        ("i386", Platform("linux", "386")),
        ("linux", Platform("linux", "arm", "v6")),
        ("windows", Platform("windows", "arm")),
        ("macOS", Platform("darwin", "arm")),
    ],
)
def test_what_is_left_out_is_the_hosts(text: str, expected: Platform) -> None:
    assert parse(text, host=Platform("linux", "arm", "v6")) == expected


@pytest.mark.parametrize(
    "text",
    ["", "/linux/arm", "linux/arm/", "linux /arm", "linux/&arm", "linux/arm/foo/bar", "*", "a\nb"],
)
def test_malformed(text: str) -> None:
    with pytest.raises(InvalidPlatform, match="invalid platform"):
        parse(text, host=AMD64)


@pytest.mark.parametrize("text", ["foo", "beos", "68000", "v7"])
def test_a_lone_word_must_be_known(text: str) -> None:
    with pytest.raises(InvalidPlatform, match="unknown operating system or architecture"):
        parse(text, host=AMD64)


@given(st.text() | st.text("linuxarm64/v8.-"))
def test_arbitrary_text_is_a_platform_or_refused(text: str) -> None:
    try:
        platform = parse(text, host=AMD64)
    except InvalidPlatform:
        return
    assert parse(str(platform), host=AMD64) == platform


def test_from_json_reads_texts_and_ignores_the_rest() -> None:
    stated = {"os": "windows", "architecture": "x86_64", "os.version": "10.0", "os.features": ["a"]}
    assert from_json(stated) == Platform("windows", "amd64", "", "10.0")
    assert from_json({"os": 1, "architecture": None}) == Platform("", "")


@pytest.mark.parametrize("text", ["unknown/unknown", "linux/unknown", "unknown/amd64"])
def test_unknown(text: str) -> None:
    assert at(text).is_unknown
    assert not AMD64.is_unknown


@pytest.mark.parametrize(
    ("host", "runs"),
    [
        ("linux/amd64", "amd64 386"),
        ("linux/amd64/v3", "amd64/v3 amd64/v2 amd64 386"),
        ("linux/386", "386"),
        ("linux/arm64", "arm64 arm/v8 arm/v7 arm/v6 arm/v5"),
        ("linux/arm64/v8.2", "arm64/v8.2 arm64/v8.1 arm64 arm/v8 arm/v7 arm/v6 arm/v5"),
        (
            "linux/arm64/v9",
            f"arm64/v9 arm64/v8.5 {ARM_8}",
        ),
        (
            "linux/arm64/v9.1",
            f"arm64/v9.1 arm64/v9 arm64/v8.6 arm64/v8.5 {ARM_8}",
        ),
        ("linux/arm64/odd", "arm64/odd arm64 arm/v8 arm/v7 arm/v6 arm/v5"),
        ("linux/arm/v7", "arm/v7 arm/v6 arm/v5"),
        ("linux/arm/v5", "arm/v5"),
        ("linux/s390x", "s390x"),
    ],
)
def test_runnable_on(host: str, runs: str) -> None:
    found = [str(each).removeprefix("linux/") for each in runnable_on(at(host))]
    assert found == runs.split()


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        pytest.param("linux/amd64", ["linux/386", "linux/amd64"], 1, id="own first"),
        pytest.param("linux/amd64", ["linux/386"], 0, id="386 runs on amd64"),
        pytest.param("linux/386", ["linux/amd64"], None, id="amd64 does not run on 386"),
        pytest.param("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], 1, id="nearest variant"),
        pytest.param("linux/arm/v6", ["linux/arm/v7"], None, id="no greater variant"),
        pytest.param("linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], 1, id="v8 is arm64"),
        pytest.param("linux/arm64", ["linux/arm/v7"], 0, id="arm runs on arm64"),
        pytest.param("linux/amd64", ["windows/amd64"], None, id="another system"),
        pytest.param("linux/amd64", ["unknown/unknown"], None, id="attestation"),
        pytest.param("linux/amd64", ["linux/amd64/v3"], None, id="needs more than is known"),
        pytest.param("linux/amd64/v3", ["linux/amd64"], 0, id="needs less"),
        pytest.param("linux/amd64", ["linux/amd64", "linux/amd64"], 0, id="first of equals"),
        pytest.param("linux/amd64", [], None, id="nothing offered"),
    ],
)
def test_best(wanted: str, offered: list[str], chosen: int | None) -> None:
    assert best(at(wanted), [at(each) for each in offered]) == chosen


def test_windows_prefers_its_own_build() -> None:
    host = Platform("windows", "amd64", "", "10.0.20348")
    old = Platform("windows", "amd64", "", "10.0.17763")
    assert best(host, [old, host]) == 1
    assert best(host, [old]) == 0


def test_what_a_terminal_would_obey_is_shown_escaped() -> None:
    assert str(Platform("linux", "\x1b[31mred")) == r"'linux/\x1b[31mred'"
