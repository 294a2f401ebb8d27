"""Processes that use the storage driver are killed at any moment: nothing leaks, nothing breaks."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nacre.layers.union import union
from nacre.testing.members import file, folder
from tests.integration.storage_trees import Stock, names
from tests.peers.mounting import mounted_below, nothing_stays_mounted

pytestmark = pytest.mark.root

PROJECT = Path(__file__).parents[2]
CHILD = "tests.integration.storage_child"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "at").mkdir()
    with nothing_stays_mounted(tmp_path):
        yield tmp_path


def run_and_kill(home: Path, number: int) -> str:
    """Let two processes work on one store for a moment and kill both; return what they told."""
    told = ""
    with ExitStack() as running:
        children = []
        for seed in (2 * number, 2 * number + 1):
            words = [sys.executable, "-m", CHILD, str(home / "store"), str(home / "at"), str(seed)]
            child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
            running.enter_context(child)
            running.callback(child.kill)
            children.append(child)
        time.sleep(0.5 + random.Random(number).random() / 4)
        for child in children:
            assert child.poll() is None, "it was not killed: it failed"
            child.kill()
            told += child.communicate()[0]
    return told


def assert_sound(stock: Stock) -> None:
    """Clear away what is left; see that all works and nothing is there that should not."""
    driver = stock.driver
    driver.recover()
    for at, _ in list(driver.attached()):
        driver.detach(at)
    for name, chain in list(driver.scratches()):
        with driver.writable(name) as root, driver.mounted(chain) as lower:
            assert names(root)[0] == names(lower)[0] == "d"
        driver.remove(name)
    chain = stock.chain([folder("d"), file("d/f", b"kept")])
    with driver.mounted(chain) as root:
        assert (root / "d/f").read_bytes() == b"kept"
    union(stock.layers.toc(layer) for layer in chain.layers)
    driver.prune([])
    assert mounted_below(stock.root.parent) == []
    left = {path for path in stock.files() if not path.startswith("run/") or path.count("/") > 1}
    assert left <= {"storage/erofs", "storage/scratch"}


def kills(home: Path, rounds: int) -> None:
    stock, interrupted = Stock(home / "store"), 0
    for number in range(rounds):
        assert run_and_kill(home, number) == ""
        interrupted += len(mounted_below(home)) > 0
        assert_sound(stock)
    assert interrupted, "nobody was killed in the middle of anything"


def test_killed_at_any_moment(home: Path) -> None:
    kills(home, 8)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_killed_at_a_hundred_moments(home: Path) -> None:
    kills(home, 100)
