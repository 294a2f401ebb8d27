"""Which tags a repository keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nacre.hub.jobs.retention import not_kept
from nacre.hub.registry.manifests import Tag
from nacre.hub.repositories.policy import Policy, Retention
from nacre.oci.digest import Digest

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DIGEST = Digest.of(b"")


def tag(name: str, pushed: int, pulled: int | None = None) -> Tag:
    """A tag pushed and pulled so many days ago."""
    pulled_at = None if pulled is None else NOW - timedelta(days=pulled)
    return Tag(name, DIGEST, NOW - timedelta(days=pushed), pulled_at, "")


def gone(tags: list[Tag], *, immutable: str = "", **rules: object) -> list[str]:
    policy = Policy(immutable=immutable, retention=Retention(**rules))  # type: ignore[arg-type]
    return [each.name for each in not_kept(tags, policy, NOW)]


TAGS = [tag("new", 1), tag("mid", 10), tag("old", 100, pulled=3), tag("v1", 200)]


def test_without_rules_everything_is_kept() -> None:
    assert gone(TAGS) == []


def test_the_last_are_kept_by_when_they_were_pushed() -> None:
    assert gone(TAGS, last=2) == ["old", "v1"]
    assert gone(list(reversed(TAGS)), last=2) == ["v1", "old"]
    assert gone(TAGS, last=0) == ["new", "mid", "old", "v1"]


def test_what_was_pushed_lately_is_kept() -> None:
    assert gone(TAGS, pushed_within=timedelta(days=10)) == ["old", "v1"]


def test_what_was_pulled_lately_is_kept_and_a_push_counts_as_a_pull() -> None:
    assert gone(TAGS, pulled_within=timedelta(days=5)) == ["mid", "v1"]


def test_a_pattern_must_match_the_whole_tag() -> None:
    assert gone(TAGS, matching="v[0-9]") == ["new", "mid", "old"]
    assert gone([tag("v10", 1)], matching="v[0-9]") == ["v10"]


def test_one_rule_is_enough_to_stay() -> None:
    assert gone(TAGS, last=1, matching="v1") == ["mid", "old"]


def test_tags_that_may_not_change_are_kept_in_any_case() -> None:
    assert gone(TAGS, last=0, immutable="v.*") == ["new", "mid", "old"]


days = st.integers(0, 400)


@given(
    st.lists(st.builds(tag, st.text("abc", min_size=1, max_size=3), days, st.none() | days)),
    st.none() | st.integers(0, 5),
    st.none() | days.map(lambda number: timedelta(days=number)),
)
def test_more_rules_never_delete_more(
    tags: list[Tag], last: int | None, within: timedelta | None
) -> None:
    unique = list({each.name: each for each in tags}.values())
    for fewer in ({"last": last}, {"pushed_within": within}):
        if next(iter(fewer.values())) is not None:
            assert set(gone(unique, last=last, pushed_within=within)) <= set(gone(unique, **fewer))
