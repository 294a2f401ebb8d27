"""Warnings of registries are passed on once."""

from __future__ import annotations

from nacre.distribution.notices import Warnings


def told(*values: str) -> list[str]:
    heard: list[str] = []
    warnings = Warnings(heard.append)
    for value in values:
        warnings.note("reg.example", [value])
    return heard


def test_a_warning_names_its_registry() -> None:
    assert told('299 - "old tag"') == ["reg.example: old tag"]


def test_a_warning_is_told_once() -> None:
    assert told('299 - "a"', '299 - "a"', '299 - "b"') == ["reg.example: a", "reg.example: b"]


def test_several_in_one_field_are_told() -> None:
    assert told('299 - "a, b", 299 - "c \\"d\\""') == ["reg.example: a, b", 'reg.example: c "d"']


def test_other_warnings_are_not_for_people() -> None:
    assert told('110 cache "stale"', '299 agent "x"', "299 - x", "") == []


def test_control_characters_are_taken_out() -> None:
    assert told('299 - "a\x1b[31m"') == ["reg.example: a [31m"]


def test_no_more_than_a_hundred_are_told() -> None:
    told: list[str] = []
    warnings = Warnings(told.append)
    for number in range(200):
        warnings.note("reg.example", [f'299 - "{number}"'])
    assert len(told) == 100
