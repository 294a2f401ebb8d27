"""References: Docker's grammar and defaults, rule by rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.oci.digest import Digest
from nacre.oci.reference import (
    InvalidReference,
    Reference,
    checked_tag,
    is_domain,
    is_repository_path,
    parse,
    parse_repository,
    parse_tagged,
)

SHA256 = "sha256:" + "f" * 64
SHA512 = "sha512:" + "f" * 128
HEX64 = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"


@pytest.mark.parametrize(
    ("text", "domain", "path"),
    [
        pytest.param("nginx", "docker.io", "library/nginx", id="one part: official on the Hub"),
        pytest.param("team/nginx", "docker.io", "team/nginx", id="two parts: the Hub"),
        pytest.param("a/b/c/d", "docker.io", "a/b/c/d", id="many parts: the Hub"),
        pytest.param("docker.io/nginx", "docker.io", "library/nginx", id="Hub, one part"),
        pytest.param("docker.io/library/nginx", "docker.io", "library/nginx", id="Hub, in full"),
        pytest.param("docker.io/library/a/b", "docker.io", "library/a/b", id="nested library"),
        pytest.param("index.docker.io/nginx", "docker.io", "library/nginx", id="old Hub name"),
        pytest.param("index.docker.io/team/a", "docker.io", "team/a", id="old Hub name, team"),
        pytest.param("test.com/foo", "test.com", "foo", id="a dot makes a domain"),
        pytest.param("test:5000/foo", "test:5000", "foo", id="a colon makes a domain"),
        pytest.param("localhost/foo", "localhost", "foo", id="localhost is a domain"),
        pytest.param("localhost:5000/a/b", "localhost:5000", "a/b", id="localhost with port"),
        pytest.param("localhost", "docker.io", "library/localhost", id="localhost alone is a name"),
        pytest.param("Foo/bar", "Foo", "bar", id="an upper-case letter makes a domain"),
        pytest.param("FOO/bar", "FOO", "bar", id="all upper case is a domain"),
        pytest.param("test_com/foo", "docker.io", "test_com/foo", id="underscore: no domain"),
        pytest.param("docker/migrator", "docker.io", "docker/migrator", id="plain word: no domain"),
        pytest.param("192.168.0.1", "docker.io", "library/192.168.0.1", id="address alone: a name"),
        pytest.param("192.168.0.1:8/debian", "192.168.0.1:8", "debian", id="IPv4 and port"),
        pytest.param("192.168.1.1/repo", "192.168.1.1", "repo", id="IPv4"),
        pytest.param("[::1]:5000/repo", "[::1]:5000", "repo", id="IPv6 and port"),
        pytest.param("[2001:db8::1]/repo", "[2001:db8::1]", "repo", id="IPv6"),
        pytest.param(
            "[fc00:1:2:3:4:5:6:7]:5000/library/debian",
            "[fc00:1:2:3:4:5:6:7]:5000",
            "library/debian",
            id="IPv6 in full",
        ),
        pytest.param("xn--n3h.com:18080/foo", "xn--n3h.com:18080", "foo", id="punycode"),
        pytest.param("test-com:8080/foo", "test-com:8080", "foo", id="hyphen in a domain"),
        pytest.param("0101.com/x", "0101.com", "x", id="digits in a domain"),
        pytest.param("b.gcr.io/test.example.com/app", "b.gcr.io", "test.example.com/app", id="dot"),
        pytest.param("docker---rules/a", "docker.io", "docker---rules/a", id="many hyphens"),
        pytest.param("dock__er/docker", "docker.io", "dock__er/docker", id="two underscores"),
        pytest.param("d/t", "docker.io", "d/t", id="single letters"),
        pytest.param(f"docker.io/{HEX64}", "docker.io", f"library/{HEX64}", id="hex with domain"),
        pytest.param(HEX64[:-1], "docker.io", f"library/{HEX64[:-1]}", id="63 hex digits"),
        pytest.param("host:65536000/a", "host:65536000", "a", id="port of any length"),
    ],
)
def test_domain_and_path(text: str, domain: str, path: str) -> None:
    assert parse(text) == Reference(domain, path)


@pytest.mark.parametrize(
    ("text", "tag", "digest"),
    [
        pytest.param("nginx", "", None, id="neither"),
        pytest.param("nginx:1.27", "1.27", None, id="tag"),
        pytest.param("test.com:5000", "5000", None, id="one part: what follows is a tag"),
        pytest.param("test.com/repo:5050", "5050", None, id="tag of digits"),
        pytest.param("lowercase:Uppercase", "Uppercase", None, id="tags keep their case"),
        pytest.param("a/b:_x.Y-z", "_x.Y-z", None, id="all that a tag may hold"),
        pytest.param("a:" + "t" * 128, "t" * 128, None, id="longest tag"),
        pytest.param(f"nginx@{SHA256}", "", SHA256, id="sha256"),
        pytest.param(f"nginx@{SHA512}", "", SHA512, id="sha512"),
        pytest.param(f"busybox:latest@{SHA256}", "latest", SHA256, id="both are kept"),
        pytest.param(f"localhost:8080@{SHA256}", "8080", SHA256, id="no slash: port is a tag"),
        pytest.param(f"[::1]:5000/repo:tag@{SHA256}", "tag", SHA256, id="IPv6, tag and digest"),
    ],
)
def test_tag_and_digest(text: str, tag: str, digest: str | None) -> None:
    reference = parse(text)
    assert (reference.tag, reference.digest) == (tag, digest)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param(" nginx", id="space in front"),
        pytest.param("nginx\n", id="line feed"),
        pytest.param(":justtag", id="only a tag"),
        pytest.param(f"@{SHA256}", id="only a digest"),
        pytest.param("nginx:", id="empty tag"),
        pytest.param("nginx@", id="empty digest"),
        pytest.param("nginx:-a", id="tag starts with a hyphen"),
        pytest.param("nginx:.a", id="tag starts with a dot"),
        pytest.param("nginx:a~b", id="odd character in a tag"),
        pytest.param("nginx:é", id="letter beyond ASCII in a tag"),
        pytest.param("nginx:" + "t" * 129, id="tag of 129"),
        pytest.param("nginx:a:b", id="two tags"),
        pytest.param("repo@sha256:" + "f" * 34, id="digest too short for its algorithm"),
        pytest.param("repo@sha256:badbadbadbad", id="digest under 32 digits"),
        pytest.param("repo@sha256:" + "F" * 64, id="digest in upper case"),
        pytest.param("repo@invaliddigest:" + "f" * 64, id="unknown algorithm"),
        pytest.param("repo@2bad", id="digest without algorithm"),
        pytest.param(f"repo@{SHA256}@{SHA256}", id="two digests"),
        pytest.param(f"repo@{SHA256}:tag", id="tag after digest"),
        pytest.param("https://github.com/docker/docker", id="scheme"),
        pytest.param("docker/Docker", id="upper case in a path"),
        pytest.param("Uppercase:tag", id="upper case in a name of one part"),
        pytest.param("test:5000/Uppercase/lowercase:tag", id="upper case after a domain"),
        pytest.param("-docker", id="hyphen first"),
        pytest.param("docker-/docker", id="hyphen last in a part"),
        pytest.param("foo/bar-", id="hyphen last"),
        pytest.param("_docker/_docker", id="underscore first"),
        pytest.param("____/____", id="underscores only"),
        pytest.param("dock___er/docker", id="three underscores"),
        pytest.param("dock..er/docker", id="two dots"),
        pytest.param("dock_.er/docker", id="underscore and dot"),
        pytest.param("dock-.er/docker", id="hyphen and dot"),
        pytest.param("example.com/..dots/a", id="path starts with dots"),
        pytest.param("../a", id="parent folder"),
        pytest.param("a/../b", id="parent folder inside"),
        pytest.param("docker///docker", id="empty parts"),
        pytest.param("docker/", id="no repository"),
        pytest.param("/docker", id="no domain"),
        pytest.param("foo.com/", id="domain only"),
        pytest.param("aa/asdf$$^/aa", id="odd characters"),
        pytest.param("-docker.io/docker/docker", id="domain starts with a hyphen"),
        pytest.param("docker-.com/a", id="domain part ends with a hyphen"),
        pytest.param("do..cker/docker", id="domain with an empty part"),
        pytest.param("foo_bar.com/a", id="domain with an underscore"),
        pytest.param("foo_bar.com:8080/app", id="domain with underscore and port"),
        pytest.param("foo.com:http/bar", id="port of letters"),
        pytest.param("foo.com:/bar", id="empty port"),
        pytest.param("[fc00::1]", id="IPv6 alone"),
        pytest.param("[fc00::1]:5000", id="IPv6 and port alone"),
        pytest.param("fc00::1:5000/debian", id="IPv6 without brackets"),
        pytest.param("[fe80::1%eth0]:5000/debian", id="IPv6 with a zone"),
        pytest.param("[2001:db8:3:4::192.0.2.33]:5000/debian", id="IPv4 in IPv6"),
        pytest.param("[]/a", id="empty brackets"),
        pytest.param(HEX64, id="64 hex digits are an ID"),
        pytest.param("a/" * 128 + "a:tag", id="longer than 255"),
        pytest.param("nginx\x00", id="NUL"),
        pytest.param("ngin\N{FULLWIDTH LATIN SMALL LETTER X}", id="wide letter"),
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_path_of_255_is_allowed_and_the_tag_does_not_count() -> None:
    path = "a/" * 127 + "a"
    assert len(path) == 255
    assert parse(f"host:1/{path}:tag-that-goes-over").path == path
    with pytest.raises(InvalidReference, match="more than 255"):
        parse(f"host:1/{path}/a")


def test_upper_case_is_named_as_the_reason() -> None:
    with pytest.raises(InvalidReference, match=r"\(library/Nginx\) must be lowercase"):
        parse("Nginx:1")


def test_a_scheme_is_named_as_the_reason() -> None:
    with pytest.raises(InvalidReference) as caught:
        parse("https://host/a")
    assert caught.value.remedy == "leave out the scheme"


def test_an_id_is_named_as_the_reason() -> None:
    with pytest.raises(InvalidReference, match="64-byte hexadecimal") as caught:
        parse(HEX64)
    assert "sha256:" in caught.value.remedy


def test_errors_do_not_repeat_megabytes_or_control_characters() -> None:
    for text in ("\x1b[31m" + "x" * 1_000_000, "a@sha256:" + "f" * 1_000_000, "A" * 1_000_000):
        with pytest.raises(InvalidReference) as caught:
            parse(text)
        assert len(str(caught.value)) < 1000
        assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("full", "familiar"),
    [
        ("docker.io/library/ubuntu", "ubuntu"),
        ("docker.io/library/ubuntu-12.04-base:x", "ubuntu-12.04-base:x"),
        ("docker.io/team/ubuntu", "team/ubuntu"),
        ("docker.io/other/library", "other/library"),
        ("docker.io/library/foo/bar", "library/foo/bar"),
        ("docker.io/store/foo/bar", "store/foo/bar"),
        ("127.0.0.1:8000/privatebase", "127.0.0.1:8000/privatebase"),
        ("example.com/library/a", "example.com/library/a"),
        ("Foo/bar", "Foo/bar"),
        (f"docker.io/library/busybox:latest@{SHA256}", f"busybox:latest@{SHA256}"),
        # Shortened, these would be read as something else.
        ("docker.io/localhost/a", "docker.io/localhost/a"),
        ("docker.io/a.b/c", "docker.io/a.b/c"),
        (f"docker.io/library/{HEX64}", f"docker.io/library/{HEX64}"),
    ],
)
def test_familiar(full: str, familiar: str) -> None:
    assert parse(full).familiar == familiar
    assert parse(familiar) == parse(full)
    assert str(parse(familiar)) == full


def test_default_tag_only_where_there_is_neither() -> None:
    assert str(parse_tagged("nginx")) == "docker.io/library/nginx:latest"
    assert str(parse_tagged("nginx:1")) == "docker.io/library/nginx:1"
    assert str(parse_tagged(f"nginx@{SHA256}")) == f"docker.io/library/nginx@{SHA256}"


def test_digest_decides_over_the_tag() -> None:
    both = parse(f"nginx:1@{SHA256}")
    assert str(both.pinned()) == f"docker.io/library/nginx@{SHA256}"
    assert both.version == SHA256
    assert parse("nginx:1").pinned() == parse("nginx:1")


def test_version_is_what_a_registry_is_asked_for() -> None:
    assert parse("nginx:1").version == "1"
    assert parse("nginx").version == "latest"


def test_changes_return_new_values() -> None:
    reference = parse(f"host:1/a:x@{SHA256}")
    assert reference.with_tag("y") == Reference("host:1", "a", "y")
    assert reference.repository() == Reference("host:1", "a")
    assert str(reference) == f"host:1/a:x@{SHA256}"


def test_with_tag_checks() -> None:
    with pytest.raises(InvalidReference):
        parse("a").with_tag("-foo")


@pytest.mark.parametrize("tag", ["", ".a", "-a", "a b", "a/b", "a:b", "a\n", "t" * 129])
def test_checked_tag_refuses(tag: str) -> None:
    with pytest.raises(InvalidReference, match="invalid tag"):
        checked_tag(tag)


def test_repository_only() -> None:
    assert str(parse_repository("nginx")) == "docker.io/library/nginx"
    for text in ("nginx:1", f"nginx@{SHA256}"):
        with pytest.raises(InvalidReference, match="without tag or digest"):
            parse_repository(text)


def test_is_repository_path() -> None:
    assert is_repository_path("team/a--b_c/d.e")
    assert not any(map(is_repository_path, ["", "/a", "a/", "A", "a//b", "..", "a" * 256, "a\n"]))


def test_is_domain() -> None:
    assert all(map(is_domain, ["localhost", "a.b:1", "[::1]:5000", "Host", "10.0.0.1"]))
    assert not any(map(is_domain, ["", "a_b", "a/b", "-a", "a:", "a:x", "[::1", "a..b", "a\n"]))


_label = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,5}[a-zA-Z0-9])?", fullmatch=True)
_ports = st.one_of(st.just(""), st.integers(0, 99999).map(lambda port: f":{port}"))
_hosts = st.one_of(
    st.builds(".".join, st.lists(_label, min_size=2, max_size=3)),
    st.just("localhost"),
    st.just("[2001:db8::1]"),
)
_domains = st.builds("{}{}".format, _hosts, _ports)
_component = st.from_regex(r"[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}", fullmatch=True)
_paths = st.lists(_component, min_size=1, max_size=4).map("/".join)
_tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
_digests = st.one_of(
    st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format),
    st.text("0123456789abcdef", min_size=128, max_size=128).map("sha512:{}".format),
)
_names = st.builds(
    lambda domain, path, tag, digest: (
        (f"{domain}/" if domain else "")
        + path
        + (f":{tag}" if tag else "")
        + (f"@{digest}" if digest else "")
    ),
    st.one_of(st.just(""), st.just("docker.io"), st.just("index.docker.io"), _domains),
    _paths,
    st.one_of(st.just(""), _tags),
    st.one_of(st.just(""), _digests),
)


@given(_names)
def test_round_trips(text: str) -> None:
    try:
        reference = parse(text)
    except InvalidReference:
        return  # a path of 64 hexadecimal digits, or one whose first part looks like a domain
    assert parse(str(reference)) == reference
    assert parse(reference.familiar) == reference
    assert parse(reference.name) == reference.repository()
    assert is_domain(reference.domain)
    assert is_repository_path(reference.path)


@given(_domains, _paths, _tags, _digests)
def test_well_formed_names_are_read(domain: str, path: str, tag: str, digest: str) -> None:
    assert parse(f"{domain}/{path}:{tag}@{digest}") == Reference(domain, path, tag, Digest(digest))


@given(st.one_of(st.text(), st.text("aA0.:/@-_[]#%\n\x00", max_size=30)))
def test_arbitrary_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse(text)
    except InvalidReference:
        return
    assert parse(str(reference)) == reference
    assert parse(reference.familiar) == reference
