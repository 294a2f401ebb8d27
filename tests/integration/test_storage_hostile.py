"""Layers that try to break out, through every driver, as root and as an ordinary user.

The attempts are those of ``tests/unit/layers/union/test_breakouts.py``, by containerd's names. The
tree that a driver shows is the union's, and nothing around it is made, changed or read.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from nacre.errors import NacreError, Unsupported
from nacre.layers.ownership import KEEP
from nacre.layers.paths import clean
from nacre.storage.chain import Chain
from nacre.storage.erofs.driver import ErofsDriver
from nacre.storage.overlay import overlay_driver
from nacre.testing.contracts import raises
from nacre.testing.driver_contract import Stage
from nacre.testing.memory_tars import MemoryTars
from tests.contract.test_storage_drivers import STAGES, copying_stage, fuse_stage, stage_of
from tests.integration.test_layers_hostile import REFUSED, refused_tar
from tests.peers.mounting import nothing_stays_mounted
from tests.peers.user import (
    User,
    do_as,
    do_confined,
    everyone_may_use_fuse,
    folder_for,
    ordinary_user,
)
from tests.unit.layers.trees import snapshot
from tests.unit.layers.union.test_breakouts import ATTEMPTS

pytestmark = [pytest.mark.root, pytest.mark.peers]

Signature = tuple[int, bytes] | None


def erofs_stage(base: Path) -> Stage:
    tars = MemoryTars()
    return stage_of(
        base,
        lambda store, layers, shared: ErofsDriver(store, layers, tars, shared),
        ownership=KEEP,
    )


AS_ROOT: dict[str, Callable[[Path], Stage]] = {
    "erofs": erofs_stage,
    "overlay": lambda base: stage_of(base, overlay_driver, ownership=KEEP),
    "fuse": partial(fuse_stage, ownership=KEEP),
    "copying": copying_stage,
}


def names_used() -> set[str]:
    """Return every path that an attempt names, as it would be on the host."""
    entries = [
        member.entry
        for attempt in ATTEMPTS.values()
        for layer in attempt.layers
        for member in layer
    ]
    named = {clean(name) for entry in entries for name in (entry.name, entry.linkname) if name}
    return {f"/{name.decode()}" for name in named if name}


class Host:
    """The machine's own root, and files around the trees, which may not change."""

    def __init__(self, top: Path) -> None:
        self.host = top / "host"
        self.base = self.host / "var" / "base"
        self.base.mkdir(parents=True)
        for name in ("etc/passwd", "etc/shadow", "tmp/perm400", "var/beside", "x", "dne/etc"):
            path = self.host / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("host")
            path.chmod(0o400)
        self._before = self._seen()

    def check(self) -> None:
        """Make sure that nothing changed."""
        assert self._seen() == self._before

    def _seen(self) -> tuple[object, dict[str, Signature]]:
        named = {name: signature(Path(name)) for name in names_used()}
        return snapshot(self.host, without=self.base), named


def signature(path: Path) -> Signature:
    """Return what an attempt would change; not what others do meanwhile, who add users, say."""
    try:
        mode = path.lstat().st_mode
        return mode, path.read_bytes()[:8] if stat.S_ISREG(mode) else b""
    except OSError:
        return None


def show(stage: Stage, name: str) -> None:
    """Let a driver show the tree of an attempt, whose layers came in through sinks."""
    driver = stage.new()
    chain = stage.layers.chain(*ATTEMPTS[name].layers)
    for layer in chain.layers:
        stage.take_in(driver, layer)
    if (driver.name, name) == ("fuse", "WhiteoutDirectoryName"):
        # fuse-overlayfs would take the name for a whiteout.
        with pytest.raises(Unsupported, match=r"cannot show '\.wh\.etc"):
            stage.shown(driver, chain)
    else:
        assert stage.shown(driver, chain) == stage.expected(chain)


def refuse(stage: Stage, name: str) -> None:
    """Let a driver be given a layer that can only be meant badly; it is not shown."""
    driver = stage.new()
    with raises(NacreError):
        layer = stage.layers.add_tar(refused_tar(name))
        stage.take_in(driver, layer)
        stage.shown(driver, Chain.of([layer]))
    with suppress(NacreError), driver.sink() as sink:
        sink.write(refused_tar(name))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    with nothing_stays_mounted(tmp_path):
        yield made
    made.check()


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with ordinary_user() as one:
        yield one


@pytest.mark.parametrize("name", ATTEMPTS)
@pytest.mark.parametrize("driver", AS_ROOT)
def test_a_breakout_ends_inside(host: Host, driver: str, name: str) -> None:
    do_confined(host.host, lambda: show(AS_ROOT[driver](host.base), name))


@pytest.mark.parametrize("name", ATTEMPTS)
@pytest.mark.parametrize("driver", STAGES)
def test_a_breakout_of_an_ordinary_user_ends_inside(
    user: User, host: Host, driver: str, name: str
) -> None:
    with folder_for(user) as base, everyone_may_use_fuse():
        do_as(user, lambda: show(STAGES[driver](base), name))


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("driver", AS_ROOT)
def test_what_can_only_be_meant_badly_is_refused(host: Host, driver: str, name: str) -> None:
    do_confined(host.host, lambda: refuse(AS_ROOT[driver](host.base), name))


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("driver", STAGES)
def test_it_is_refused_for_an_ordinary_user_too(
    user: User, host: Host, driver: str, name: str
) -> None:
    with folder_for(user) as base, everyone_may_use_fuse():
        do_as(user, lambda: refuse(STAGES[driver](base), name))


def test_what_is_looked_at_covers_the_host() -> None:
    assert "/etc/passwd" in names_used()
    assert signature(Path("/etc/passwd")) is not None
