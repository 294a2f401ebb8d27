"""Quoting: what others wrote, made harmless."""

from __future__ import annotations

from nacre.oci.quoting import quoted


def test_quoted() -> None:
    assert quoted("a") == "'a'"
    assert quoted("\x1b[31m\n") == r"'\x1b[31m\n'"
    assert quoted(7) == "'7'"
    assert quoted("x" * 10, 5) == "'xxxxx…'"
    assert quoted("xxxxx", 5) == "'xxxxx'"
