"""What a client says that it has already."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.hub.api.conditional import has_already

TAG = '"sha256:1234"'


@pytest.mark.parametrize(
    "stated",
    [TAG, f"W/{TAG}", f'"other", {TAG}', f'W/"a",W/{TAG} , "b"', f'"a, b", {TAG}', "*", " * "],
)
def test_what_names_the_tag(stated: str) -> None:
    assert has_already(stated, TAG)


@pytest.mark.parametrize(
    "stated",
    ["", '"other"', 'W/"other"', "sha256:1234", '"sha256:123"', '"sha256:12345"', '"*"', "*, *"],
)
def test_what_does_not(stated: str) -> None:
    assert not has_already(stated, TAG)


@given(st.text(max_size=50))
def test_no_header_breaks_anything(stated: str) -> None:
    assert has_already(f'{TAG}, "{stated}', TAG)
