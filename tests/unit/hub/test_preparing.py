"""What a hub looks at before it serves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nacre.errors import Conflict, Unavailable
from nacre.hub.configuration.options import Options
from nacre.hub.configuration.settings import Settings
from nacre.hub.preparing import prepare


def prepared(data: Path) -> str | None:
    return asyncio.run(prepare(Settings(Options(), data)))


def test_a_new_folder_gets_an_admin_once(tmp_path: Path) -> None:
    assert prepared(tmp_path / "data")
    assert prepared(tmp_path / "data") is None


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_journal_whose_records_are_gone_is_not_taken_for_a_new_hub(
    tmp_path: Path, left: str
) -> None:
    data = tmp_path / "data"
    prepared(data)
    (data / "hub.db").unlink()
    if left == "an empty file":
        (data / "hub.db").touch()
    (data / "journal").mkdir(exist_ok=True)
    (data / "journal" / "00000001.0.jsonl").write_text("")
    with pytest.raises(Conflict, match="is missing or empty") as caught:
        prepared(data)
    assert "nacre hub rebuild" in caught.value.remedy
    assert not (data / "hub.db").exists() or not (data / "hub.db").stat().st_size


@pytest.mark.parametrize("folder", ["blobs/b", "journal"])
def test_a_folder_that_cannot_be_used_is_refused_before_a_push_needs_it(
    tmp_path: Path, folder: str
) -> None:
    data = tmp_path / "data"
    (data / folder).parent.mkdir(parents=True, exist_ok=True)
    (data / folder).write_text("")  # which not even root may search
    with pytest.raises(Unavailable, match=f"cannot read and write the folder {data / folder}"):
        prepared(data)
    assert not (data / "hub.db").exists()
