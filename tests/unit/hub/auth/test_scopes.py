"""Scopes as clients write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.hub.auth.scopes import MOST, Access, parse, repository_scope
from tests.unit.hub.doors import access


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ([], []),
        ([""], []),
        (["repository:team/app:pull"], [access("team/app", "pull")]),
        (["repository:app:pull,push"], [access("app", "pull", "push")]),
        (["repository:app:*"], [access("app", "pull", "push", "delete")]),
        (["repository(plugin):app:pull"], [access("app", "pull")]),
        (["repository:a:pull repository:b:push"], [access("a", "pull"), access("b", "push")]),
        (["repository:a:pull", "repository:b:push"], [access("a", "pull"), access("b", "push")]),
        (["repository:a:pull", "repository:a:push"], [access("a", "pull", "push")]),
        (["registry:catalog:*"], [Access("registry", "catalog", frozenset("*"))]),
        (["repository:app:pull,admin,x"], [access("app", "pull")]),
        (["repository:app:"], [access("app")]),
    ],
)
def test_scopes_are_read(parameters: list[str], found: list[Access]) -> None:
    assert list(parse(parameters)) == found


@pytest.mark.parametrize(
    "text",
    ["repository", "repository:", "repository:app", "repository::pull", "repository:../etc:pull",
     "repository:App:pull", "repository:a:b:pull", "repository:registry:catalog:*",
     "registry:other:*", "registry:catalog:pull", "user:alice:*", ":::", "repository:app\x00:pull",
     "repository:" + "a" * 5000 + ":pull"],
)  # fmt: skip
def test_what_is_not_known_gives_nothing(text: str) -> None:
    assert list(parse([text])) == []


def test_only_so_many_things_in_one_token() -> None:
    asked = [f"repository:app{number}:pull" for number in range(MOST + 50)]
    assert len(parse(asked)) == MOST
    # Another action on what is in already still counts.
    assert parse([*asked, "repository:app0:push"])[0].actions == {"pull", "push"}


@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_text_is_no_error(parameters: list[str]) -> None:
    for found in parse(parameters):
        assert found.kind in {"repository", "registry"}


def test_a_challenge_names_all_that_the_operation_needs() -> None:
    # containerd#1318: what a push is challenged with must also let it look.
    assert repository_scope("app", frozenset({"pull"})) == "repository:app:pull"
    assert repository_scope("app", frozenset({"push"})) == "repository:app:pull,push"
    assert repository_scope("app", frozenset({"delete"})) == "repository:app:delete"
