"""A hub that is killed: nothing acknowledged is lost, and nothing is left over for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def killed(*words: str) -> int:
    """Run ``hub_child`` and return how often it killed; it must have found nothing wrong."""
    command = [sys.executable, "-m", "tests.integration.hub_child", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    *wrong, done = map(json.loads, ended.stdout.splitlines())
    assert wrong == []
    return int(done["done"])


def test_a_push_can_be_killed_at_each_of_its_awaits(tmp_path: Path) -> None:
    assert killed("awaits", str(tmp_path)) > 40


@pytest.mark.parametrize(
    "times", [20, pytest.param(100, marks=pytest.mark.soak)], ids=["20 times", "100 times"]
)
def test_a_hub_under_load_can_be_killed_at_any_time(tmp_path: Path, times: int) -> None:
    assert killed("random", str(tmp_path), str(times), str(times)) == times
