"""The fuzz targets without a fuzzer: seeds, what was found before, and changes to the seeds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.mutators import MUTATORS
from tests.fuzz.seeds import FINDINGS, SEEDS, findings, write_seeds
from tests.fuzz.targets import TARGETS

CHANGES = 150
"""How many changed inputs each target is given here."""


def changed(data: bytes, limit: int) -> bytes:
    """Change a few bytes, as a fuzzer might that knows nothing; the same ones for the same data."""
    chance = random.Random(data)
    copy = bytearray(data[:limit] or b"\0")
    for _ in range(chance.randrange(1, 4)):
        copy[chance.randrange(len(copy))] = chance.choice((0, 1, 0x30, 0x7F, 0x80, 0xFF))
    return bytes(copy)


def test_every_target_has_seeds_and_a_mutator() -> None:
    assert TARGETS.keys() == SEEDS.keys()
    assert TARGETS.keys() == MUTATORS.keys()
    assert {path.name for path in FINDINGS.glob("*")} <= TARGETS.keys()


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_keep_the_rules(target: str) -> None:
    for seed in SEEDS[target]():
        TARGETS[target](seed)


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_found_is_mended(target: str) -> None:
    for path in findings(target):
        TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_changed_seeds_keep_the_rules(target: str) -> None:
    seeds = list(SEEDS[target]())
    for number in range(CHANGES):
        data = seeds[number % len(seeds)]
        for step in range(3):
            data = MUTATORS[target](data, 16384, number + step, changed)
        TARGETS[target](data)


def test_seeds_are_written_for_the_fuzzer(tmp_path: Path) -> None:
    write_seeds("erofs", tmp_path)
    written = [path.read_bytes() for path in sorted(tmp_path.glob("seed-*"))]
    assert written == list(SEEDS["erofs"]())
