"""A tree that layers are applied to."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return an empty folder."""
    tree = tmp_path / "tree"
    tree.mkdir()
    return tree
