"""Which names users may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.errors import Invalid
from nacre.hub.accounts.first import FIRST
from nacre.hub.accounts.names import RESERVED, checked_user_name, is_user_name
from nacre.oci.reference import is_repository_path


@pytest.mark.parametrize("name", ["al", "alice", "alice-2", "jane.doe", "a_b", "x" * 30, FIRST])
def test_names_that_people_may_have(name: str) -> None:
    assert checked_user_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a", "x" * 31, "Alice", "alice-", "-alice", "a--b", "a__b", "a..b", "a/b", "a b", "älice",
     "_catalog", "_oci", "alice\n", "a:b", "..", "a\0b"],
)  # fmt: skip
def test_names_that_break_the_grammar(name: str) -> None:
    with pytest.raises(Invalid):
        checked_user_name(name)


@pytest.mark.parametrize("name", ["library", "v2", "token", "metrics"])
def test_names_that_the_hub_needs_itself(name: str) -> None:
    with pytest.raises(Invalid, match="reserved"):
        checked_user_name(name)


def test_every_reserved_name_would_otherwise_be_one() -> None:
    assert all(is_user_name(name) for name in RESERVED)


@given(st.from_regex(r"[a-z0-9._-]{1,32}", fullmatch=True))
def test_every_name_is_the_first_part_of_repositories(name: str) -> None:
    if is_user_name(name):
        assert is_repository_path(f"{name}/app")
