from __future__ import annotations

import pytest

from nacre.engine import filtering
from nacre.errors import Invalid
from nacre.oci.timestamp import SECOND
from tests.unit.engine.stock import Stock, image_of


@pytest.fixture
def listed(stock: Stock) -> Stock:
    """Three images of consecutive days, one labelled, one without a name."""
    labels = {"Labels": {"stage": "test", "empty": ""}}
    first = {"created": "2024-01-01T00:00:00Z", "config": labels}
    stock.keep(image_of("1", config=first), "debian:12", "team/app:1")
    stock.keep(image_of("2", config={"created": "2024-01-02T00:00:00Z"}), "debian:13")
    stock.keep(image_of("3", config={"created": "2024-01-03T00:00:00Z"}))
    return stock


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], ["-", "debian:13", "debian:12"]),
        (["dangling=true"], ["-"]),
        (["dangling=0"], ["debian:13", "debian:12"]),
        (["dangling=0", "dangling=false"], ["debian:13", "debian:12"]),
        ([""], ["-", "debian:13", "debian:12"]),
        (["", "reference=team/*", ""], ["team/app:1"]),
        (["label=stage"], ["debian:12"]),
        (["label=stage=test"], ["debian:12"]),
        (["label=stage=other"], []),
        (["label!=stage"], ["-", "debian:13"]),
        (["label!=stage=other"], ["-", "debian:13", "debian:12"]),
        (["label=stage", "label=empty="], ["debian:12"]),
        (["label=stage", "label=none"], []),
        (["reference=debian"], ["debian:13", "debian:12"]),
        (["reference=debian:1*"], ["debian:13", "debian:12"]),
        (["reference=*:12"], ["debian:12"]),
        (["reference=team/*"], ["team/app:1"]),
        (["reference=team/app:1", "reference=debian:13"], ["debian:13", "team/app:1"]),
        (["reference=*"], ["debian:13", "debian:12"]),
        (["reference=[^d]*/*"], ["team/app:1"]),
        (["reference=[!d]*"], ["debian:13", "debian:12"]),
        (["reference=*/*/*"], []),
        (["reference=docker.io/library/*"], []),
        (["reference=docker.io/library/debian:13"], []),
        (["reference=debian:12", "reference=debian:13"], ["debian:13", "debian:12"]),
        (["reference=debian", "dangling=true"], []),
        (["before=debian:13"], ["debian:12"]),
        (["since=debian:12"], ["-", "debian:13"]),
        (["until=2024-01-02T12:00:00Z"], ["debian:13", "debian:12"]),
        (["until=1704153600"], ["debian:12"]),
        (["until=1h"], ["-", "debian:13", "debian:12"]),
    ],
    ids=str,
)
def test_filters_choose(filters: list[str], expected: list[str], listed: Stock) -> None:
    found = listed.images.list(filters=filters)
    assert [image.tags[0] if image.tags else "-" for image in found] == expected


def test_with_a_reference_an_image_comes_with_the_names_that_suit(listed: Stock) -> None:
    def tags(*filters: str) -> list[tuple[str, ...]]:
        return [image.tags for image in listed.images.list(filters=filters)]

    assert tags("label=stage") == [("debian:12", "team/app:1")]
    assert tags("reference=debian:12") == [("debian:12",)]
    assert tags("reference=*/*", "label=stage") == [("team/app:1",)]
    assert tags("reference=*/*", "reference=debian:12") == [("debian:12", "team/app:1")]
    # The image itself is as it was.
    assert listed.images.get("debian:12").tags == ("debian:12", "team/app:1")


def test_digests_stay_with_the_names_of_their_repository(stock: Stock) -> None:
    digest = stock.keep(image_of("1"), "debian:12", "team/app:1")
    for repository in ("docker.io/library/debian", "docker.io/team/app", "docker.io/team/other"):
        stock.store.state.add_repo_digest(repository, digest, image=digest.digest)

    def shown(pattern: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        found = stock.images.list(filters=[f"reference={pattern}"])
        return [(image.tags, image.repo_digests) for image in found]

    assert shown("debian:12") == [(("debian:12",), (f"debian@{digest.digest}",))]
    assert shown("team/other") == [((), (f"team/other@{digest.digest}",))]
    assert shown("*/app@sha256:*") == [((), (f"team/app@{digest.digest}",))]
    assert shown("debian:13") == []


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("dangling", "bad format"),
        ("colour=red", "invalid filter 'colour'"),
        ("dangling=maybe", r"invalid filter 'dangling=\[maybe\]'"),
        ("dangling=TRUE", r"invalid filter 'dangling=\[TRUE\]'"),
        ("dangling=", r"invalid filter 'dangling=\[\]'"),
        ("reference=[", "syntax error in pattern"),
        ("until=soon", "failed to parse value as time or duration: 'soon'"),
        ("until=2d", "time or duration: '2d'"),
        ("until=1h30", "time or duration"),
        ("until=99999-01-01", "time or duration"),
        ("until=", "time or duration"),
        ("before=nobody", "No such image"),
    ],
)
def test_senseless_filters_are_named(text: str, match: str, listed: Stock) -> None:
    with pytest.raises(Exception, match=match) as raised:
        listed.images.list(filters=[text])
    assert raised.value.remedy  # type: ignore[attr-defined]


def test_dangling_cannot_be_wanted_both_ways(listed: Stock) -> None:
    with pytest.raises(Invalid, match=r"invalid filter 'dangling=\[false true\]'"):
        listed.images.list(filters=["dangling=true", "dangling=false"])


@pytest.mark.parametrize("text", ["dangling=true", "reference=x", "before=x"])
def test_pruning_knows_other_filters_than_listing(text: str, listed: Stock) -> None:
    with pytest.raises(Invalid, match="invalid filter"):
        listed.images.prune(filters=[text])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("500ms", 0.5), ("10s", 10)],
)
def test_durations_as_go_writes_them(text: str, seconds: float) -> None:
    assert filtering.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "10", "1h 30m", "-1h", "2d", "1y", "1hm"])
def test_what_is_no_duration(text: str) -> None:
    assert filtering.duration(text) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1704067200", 1_704_067_200),
        ("1704067200.5", 1_704_067_200.5),
        ("2024-01-01T00:00:00Z", 1_704_067_200),
        ("2024-01-01T01:00:00+01:00", 1_704_067_200),
    ],
)
def test_moments_as_docker_takes_them(text: str, moment: float) -> None:
    assert filtering.timestamp(text) == int(moment * SECOND)
