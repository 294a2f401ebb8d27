"""What a client takes by its ``Accept``."""

from __future__ import annotations

import pytest

from nacre.hub.api.accepting import accepts, knows_no_indexes
from nacre.oci import mediatypes

IMAGE, INDEX = mediatypes.OCI_MANIFEST, mediatypes.OCI_INDEX


@pytest.mark.parametrize(
    "accept",
    ["", IMAGE, f"{INDEX}, {IMAGE}", IMAGE.upper(), f"{INDEX.upper()},{IMAGE.title()};q=0.5",
     "*/*", "application/*", "Application/JSON", f"{IMAGE};q=0.001", f"*/*;q=0, {IMAGE}",
     f"{IMAGE};charset=utf-8", f"{INDEX};q=0, */*"],
)  # fmt: skip
def test_what_is_taken(accept: str) -> None:
    assert accepts(accept, IMAGE)


@pytest.mark.parametrize(
    "accept",
    [INDEX, "text/html", f"{IMAGE};q=0", f"{IMAGE}; Q = 0.000", f"*/*, {IMAGE};q=0", "*/*;q=0",
     f"application/*;q=0.0, {INDEX}", ",", ";"],
)  # fmt: skip
def test_what_is_not_taken(accept: str) -> None:
    assert not accepts(accept, IMAGE)


@pytest.mark.parametrize(
    ("accept", "is_old"),
    [(IMAGE, True), (f"{IMAGE}, {INDEX}", False), (f"{IMAGE}, {INDEX};q=0", True), ("", False),
     (INDEX, False), ("text/html", False)],
)  # fmt: skip
def test_old_clients_know_images_and_no_index(accept: str, is_old: bool) -> None:
    assert knows_no_indexes(accept) is is_old
