"""Processes that use a driver that unpacks are killed at any moment: nothing leaks or breaks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from nacre.layers.union import union
from nacre.storage.driver import StorageDriver
from nacre.storage.fuse_processes import servers
from nacre.storage.mount_namespaces import own, residents
from nacre.storage.mounts import SharedMounts
from nacre.storage.namespace import usual_ownership
from nacre.testing.hard_stacks import BASE
from nacre.testing.memory_layers import MemoryLayers
from nacre.testing.seen import expected, found
from tests.integration.driver_makers import DRIVERS
from tests.integration.drivers_child import KEPT, PLACES
from tests.peers.mounting import (
    mounted_below,
    nothing_stays_mounted,
    running_with,
    serving_below,
)
from tests.peers.user import User, do_as, everyone_may_use_fuse, folder_for, ordinary_user

pytestmark = pytest.mark.root

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "at").mkdir()
    with nothing_stays_mounted(tmp_path):
        yield tmp_path


def run_and_kill(name: str, base: Path, number: int, place: str) -> None:
    """Let two processes work on one store for a moment and kill both; they may not complain."""
    program = [sys.executable, "-m", "tests.integration.drivers_child", name, str(base)]
    with ExitStack() as running:
        children = []
        for seed in (2 * number, 2 * number + 1):
            words = [*program, str(seed), place]
            child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
            running.enter_context(child)
            running.callback(child.kill)
            children.append(child)
        for child in children:
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
        time.sleep(random.Random(number).random() / 2)
        for child in children:
            assert child.poll() is None, "it was not killed: it failed"
            child.kill()
            assert child.communicate()[0] == ""
    # What they were about to start is still they for a moment.
    while running_with(base):
        time.sleep(0.001)


def assert_sound(name: str, base: Path) -> None:
    """Clear away what is left; see that all works and nothing is there that should not."""
    layers = MemoryLayers(base / "tars")
    driver = DRIVERS[name](base, layers)
    driver.recover()
    for at, _ in list(driver.attached()):
        driver.detach(at)
    for top, chain in list(driver.scratches()):
        assert chain == layers.chain(*KEPT)
        with driver.writable(top) as tree:
            assert (tree / "tmp" / "f").read_bytes() == b"irregular"
        driver.remove(top)
    check_trees(driver, layers)
    driver.prune([])
    assert mounted_below(base) == []
    assert remains(base / "store") == remains(base / "run") == []


def check_trees(driver: StorageDriver, layers: MemoryLayers) -> None:
    """See that trees made of whatever folders are there by now are right."""
    ownership = usual_ownership()
    for chain in (layers.chain(BASE), layers.chain(*KEPT)):
        with driver.mounted(chain) as tree:
            whole = union(map(layers.toc, chain.layers))
            assert found(tree, ownership) == expected(whole, layers, ownership)


def remains(folder: Path) -> list[Path]:
    """Return the files in a folder, but for what locks are held on."""
    return [
        path
        for path in folder.rglob("*")
        if not path.is_dir() and path.name not in ("users", "gate")
    ]


def kills(name: str, base: Path, rounds: int) -> None:
    for number in range(rounds):
        run_and_kill(name, base, number, "outside")
        assert_sound(name, base)


@pytest.mark.parametrize("name", DRIVERS)
def test_killed_at_any_moment(name: str, base: Path) -> None:
    kills(name, base, 4)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", DRIVERS)
def test_killed_at_a_hundred_moments(name: str, base: Path) -> None:
    kills(name, base, 100)


# The same of an ordinary user's


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with ordinary_user() as one:
        yield one


def kills_of_a_user(name: str, place: str, base: Path, rounds: int) -> None:
    """Kill, clear away what is left of the namespaces, and look at the rest from a new one."""
    (base / "at").mkdir(parents=True)
    for number in range(rounds):
        run_and_kill(name, base, number, place)
        clear_outside(name, base)
        if place != "outside":
            assert serving_below(base) == []
        in_child(partial(check_inside, name, place, base))
    assert serving_below(base) == []


def check_inside(name: str, place: str, base: Path) -> None:
    """See that all is in order from where the processes were that were killed."""
    PLACES[place]()
    assert_sound(name, base)


def clear_outside(name: str, base: Path) -> None:
    """Do what the next command does before it goes inside."""
    if name == "overlay":
        SharedMounts(base / "run").recover()
    else:
        DRIVERS[name](base, MemoryLayers(base / "tars")).recover()


def in_child(action: Callable[[], object]) -> None:
    """Do an action in a process of its own: there is no way back from a namespace."""
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - told, and seen by the parent
            traceback.print_exc()
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


OF_USERS = [
    ("overlay", "inside"),
    ("overlay", "inside with one number"),
    ("fuse", "outside"),
    ("fuse", "inside"),
    ("copying", "outside"),
]


@pytest.mark.parametrize(("name", "place"), OF_USERS)
def test_a_users_processes_killed_at_any_moment(user: User, name: str, place: str) -> None:
    with folder_for(user) as base, everyone_may_use_fuse():
        do_as(user, lambda: kills_of_a_user(name, place, base, 3), exposed=True)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("name", "place"), OF_USERS)
def test_a_users_processes_killed_at_a_hundred_moments(user: User, name: str, place: str) -> None:
    with folder_for(user) as base, everyone_may_use_fuse():
        for start in range(5):
            folder = base / str(start)
            do_as(user, partial(kills_of_a_user, name, place, folder, 20), exposed=True)


def see_past_a_zombie() -> None:
    """See who is in which namespace while a set-user-ID program has ended unnoticed."""
    with subprocess.Popen(["fusermount3", "--version"], stdout=subprocess.DEVNULL) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(PermissionError):
            Path(f"/proc/{ended.pid}/ns/mnt").stat()
        assert os.getpid() in (residents() or {})[own()]


def test_what_has_ended_hides_no_namespace(user: User) -> None:
    do_as(user, see_past_a_zombie)


# The processes behind mounts may die too


@pytest.fixture
def layers(tmp_path: Path) -> MemoryLayers:
    return MemoryLayers(tmp_path / "tars")


def kill_servers(at: Path) -> None:
    found = servers(at)
    assert len(found) == 1
    os.kill(found[0], signal.SIGKILL)
    while servers(at):
        time.sleep(0.001)


def test_a_dead_shared_mount_is_made_again(base: Path, layers: MemoryLayers) -> None:
    driver, chain = DRIVERS["fuse"](base, layers), layers.chain(BASE)
    with driver.mounted(chain) as tree:
        kill_servers(tree)
        with driver.mounted(chain) as again:
            assert (again / "etc" / "motd").read_bytes() == b"hello\n"


def test_dead_mounts_are_cleared_away(base: Path, layers: MemoryLayers) -> None:
    driver, chain = DRIVERS["fuse"](base, layers), layers.chain(BASE)
    driver.prepare("top", chain)
    with ExitStack() as stack:
        kill_servers(stack.enter_context(driver.mounted(chain)))
        driver.recover()
        assert mounted_below(base) == []


def test_a_dead_writable_top_can_be_used_again(base: Path, layers: MemoryLayers) -> None:
    driver = DRIVERS["fuse"](base, layers)
    driver.prepare("top", layers.chain(BASE))
    with driver.writable("top") as tree:
        (tree / "new").write_bytes(b"n")
        kill_servers(tree)
    with driver.writable("top") as tree:
        assert (tree / "etc" / "motd").exists()
    driver.remove("top")


def test_a_server_ends_with_its_mount(base: Path, layers: MemoryLayers) -> None:
    driver = DRIVERS["fuse"](base, layers)
    driver.prepare("top", layers.chain(BASE))
    with driver.mounted(layers.chain(BASE)) as tree, driver.writable("top") as top:
        assert len(servers(tree)) == len(servers(top)) == 1
    assert servers(tree) == servers(top) == []
