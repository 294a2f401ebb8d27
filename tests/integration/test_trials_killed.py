"""Processes are killed while they try storage drivers: the next one finds all in order."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.content.locking import locked_file
from nacre.engine.storage import PROBES
from nacre.storage.detect import survey
from nacre.storage.mounting import mount_overlay
from nacre.storage.trials import clear_trials, trial_folder
from tests.peers.mounting import (
    mounted_below,
    nothing_stays_mounted,
    running_with,
    serving_below,
)
from tests.peers.nacre import NacreCli
from tests.peers.user import User, do_as, everyone_may_use_fuse, folder_for, ordinary_user

pytestmark = pytest.mark.root

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    with nothing_stays_mounted(tmp_path):
        yield tmp_path


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with ordinary_user() as one:
        yield one


def try_and_kill(base: Path, number: int) -> None:
    """Let a process try drivers for a moment, and kill it."""
    words = [sys.executable, "-m", "tests.integration.trials_child", str(base)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
            time.sleep(random.Random(number).random() / 3)
            assert child.poll() is None, "it was not killed: it failed"
        finally:
            child.kill()
    # What it was about to start, or has in a namespace, is still at it for a moment.
    while running_with(base) or not set(map(Path, serving_below(base))) <= {*mounted_below(base)}:
        time.sleep(0.001)


def kills(base: Path, rounds: int) -> int:
    """Kill some; return how many left something."""
    interrupted = 0
    for number in range(rounds):
        try_and_kill(base, number)
        interrupted += any(base.iterdir())
        clear_trials(base)
        assert mounted_below(base) == []
        assert serving_below(base) == []
        assert list(base.iterdir()) == []
    assert survey(base, PROBES).problems["copying"] == ""
    return interrupted


def test_killed_at_any_moment(base: Path) -> None:
    assert kills(base, 8), "nobody was killed in the middle of anything"


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_killed_at_a_hundred_moments(base: Path) -> None:
    assert kills(base, 100) > 10


def test_a_users_process_killed_at_any_moment(user: User) -> None:
    with folder_for(user) as place, everyone_may_use_fuse():
        # Where it tries in a namespace, a child goes on, and tidies up, without it.
        do_as(user, lambda: kill_some(place), exposed=True)


def kill_some(base: Path) -> None:
    kills(base, 6)


def mount_two(trial: Path) -> None:
    for name in ("tree", "lower", "other"):
        (trial / name).mkdir()
    mount_overlay([trial / "lower", trial / "other"], trial / "tree")


def leave_a_trial(folder: Path) -> Path:
    """Leave what a killed process leaves: a folder with a mount in it, and a lock of nobody."""
    trial = folder / "trial-0123456789abcdef"
    trial.mkdir()
    mount_two(trial)
    (folder / f"{trial.name}.lock").touch()
    return trial


@pytest.mark.parametrize("words", [["info"], ["system", "prune", "--force"]])
def test_any_command_that_uses_drivers_clears_trials_away(
    nacre_cli: NacreCli, base: Path, words: list[str]
) -> None:
    nacre_cli("info")
    (store,) = base.rglob("storage")
    leave_a_trial(store)
    nacre_cli(*words)
    assert mounted_below(base) == []
    assert [path.name for path in store.iterdir() if path.name.startswith("trial")] == []


def test_a_trial_that_goes_on_is_left_alone(base: Path) -> None:
    trial = leave_a_trial(base)
    with locked_file(base / f"{trial.name}.lock"):
        clear_trials(base)
        assert mounted_below(base) == [trial / "tree"]
    clear_trials(base)
    assert list(base.iterdir()) == []


def test_what_a_trial_left_mounted_goes_with_it(base: Path) -> None:
    with trial_folder(base) as trial:
        mount_two(trial)
    assert mounted_below(base) == []
    assert list(base.iterdir()) == []
