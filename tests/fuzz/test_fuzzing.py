"""A minute of fuzzing for each target, with atheris."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS
from tests.peers.tools import run, succeed

FUZZ = Path(__file__).parents[2] / "scripts" / "fuzz"


@pytest.mark.soak
@pytest.mark.peers
@pytest.mark.parametrize("target", TARGETS)
def test_a_minute_of_fuzzing_finds_nothing(target: str) -> None:
    done = succeed(run(FUZZ, target, "--seconds", "60"))
    assert "DONE" in done.stdout
