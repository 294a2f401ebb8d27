"""What the examples in these documents may use."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _workplace(
    doctest_namespace: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run each document in an empty folder, with a store and settings of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NACRE_ROOT", str(tmp_path / "store"))
    monkeypatch.setenv("HOME", str(tmp_path))
    doctest_namespace["tmp_path"] = tmp_path
