"""Fixtures for images."""

from __future__ import annotations

import pytest

from tests.unit.images.building import Builder


@pytest.fixture
def built() -> Builder:
    """A store in memory and how to fill it."""
    return Builder()
