"""Locations: where an image is, as people write it."""

import pytest

from nacre.errors import Unsupported
from nacre.oci.reference import InvalidReference
from nacre.transports.locate import InvalidLocation, Kind, Location, parse


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("docker://nginx", Location(Kind.REGISTRY, "", "nginx")),
        ("docker://h:5000/a/b:1", Location(Kind.REGISTRY, "", "h:5000/a/b:1")),
        ("oci:some/dir", Location(Kind.LAYOUT, "some/dir", "")),
        ("oci:dir:tag", Location(Kind.LAYOUT, "dir", "tag")),
        ("oci:dir:h:5000/a:tag", Location(Kind.LAYOUT, "dir", "h:5000/a:tag")),
        ("oci-archive:f.tar", Location(Kind.OCI_ARCHIVE, "f.tar", "")),
        ("oci-archive:/a/f.tar:v1", Location(Kind.OCI_ARCHIVE, "/a/f.tar", "v1")),
        ("docker-archive:-", Location(Kind.DOCKER_ARCHIVE, "-", "")),
        ("docker-archive:f.tar:nginx:1", Location(Kind.DOCKER_ARCHIVE, "f.tar", "nginx:1")),
        ("store:nginx:1", Location(Kind.STORE, "", "nginx:1")),
        ("nginx", Location(Kind.STORE, "", "nginx")),
        ("oci/thing:1", Location(Kind.STORE, "", "oci/thing:1")),
        ("0123456789ab", Location(Kind.STORE, "", "0123456789ab")),
        ("sha256:0123", Location(Kind.STORE, "", "sha256:0123")),
        (f"store:{'a' * 64}", Location(Kind.STORE, "", "a" * 64)),
    ],
)
def test_each_form_is_read_and_written_back(text: str, location: Location) -> None:
    assert parse(text) == location
    assert str(location) in (text, f"store:{text}")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("docker://", "docker://NAME"),
        ("store:", "store:NAME"),
        ("oci:", "oci:FOLDER[:REF]"),
        ("oci::tag", "oci:FOLDER[:REF]"),
        ("oci-archive:", "oci-archive:FILE[:REF]"),
        ("docker-archive::x", "docker-archive:FILE[:REF]"),
        ("oci:\x1b[2J", "oci:DIR"),
    ],
)
def test_a_missing_part_is_named_with_its_remedy(text: str, remedy: str) -> None:
    with pytest.raises(InvalidLocation) as caught:
        parse(text)
    assert remedy in caught.value.remedy
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("text", ["dir:/tmp/x", "docker-daemon:a/b:c", "containers-storage:[x]y"])
def test_other_tools_transports_are_refused_by_name(text: str) -> None:
    with pytest.raises(Unsupported) as caught:
        parse(text)
    assert "docker://NAME" in caught.value.remedy


@pytest.mark.parametrize("text", ["Nginx", "docker://Nginx", "https://x/y", "", "store:a b"])
def test_a_name_follows_dockers_grammar(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse(text)
    assert caught.value.remedy or "lowercase" in str(caught.value)
