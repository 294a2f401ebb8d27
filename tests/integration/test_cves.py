"""What broke other engines, with every storage driver, as root and as an ordinary user.

Whatever a layer or an image tries: nothing outside the root is made, changed, read or run. The
table of docs/security.md says which case is about what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from nacre.errors import NacreError
from nacre.testing.contracts import raises
from nacre.testing.driver_contract import Stage
from nacre.testing.members import table
from tests.contract.test_storage_drivers import STAGES
from tests.integration.cve_images import IMAGES, Scene
from tests.integration.cve_layers import LAYERS, REFUSED
from tests.integration.test_storage_hostile import AS_ROOT
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

pytestmark = [pytest.mark.root, pytest.mark.peers]


def shown_as_its_union(name: str, scene: Scene) -> None:
    """Let a driver show what the layers come to."""
    driver, stage = scene.stage.new(), scene.stage
    chain = stage.layers.chain(*LAYERS[name](str(scene.host)))
    for layer in chain.layers:
        stage.take_in(driver, layer)
    assert stage.shown(driver, chain) == stage.expected(chain)


def read_at_the_end(name: str, scene: Scene) -> None:
    """Let a driver show what no path is short enough for; all of it led to the one file."""
    driver, stage = scene.stage.new(), scene.stage
    chain = stage.layers.chain(*LAYERS[name](str(scene.host)))
    stage.take_in(driver, chain.layers[0])
    with driver.mounted(chain) as tree:
        inside = tree / scene.host.relative_to("/")
        assert (inside / "etc" / "passwd").read_bytes() == b"x"


def refused(name: str, scene: Scene) -> None:
    """Let the layers be refused, whether they are tabled first or just poured in."""
    for tar in REFUSED[name](str(scene.host)):
        with raises(NacreError):
            table(tar)
        with suppress(NacreError), scene.stage.new().sink() as sink:
            sink.write(tar)
    assert list(scene.base.rglob("passwd")) == []


CASES: dict[str, Callable[[Scene], None]] = {
    **{name: partial(shown_as_its_union, name) for name in LAYERS},
    "CVE-2025-4517": partial(read_at_the_end, "CVE-2025-4517"),
    **{name: partial(refused, name) for name in REFUSED},
    **IMAGES,
}


def attack(case: Callable[[Scene], None], stage: Callable[[Path], Stage], folder: Path) -> None:
    """Do a case in a part of a host that is ours, all of which we could change."""
    host = folder / "host"
    base = host / "var" / "base"
    base.mkdir(parents=True)
    for name in ("etc/passwd", "etc/shadow", "tmp/perm400", "var/beside", "x"):
        path = host / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("host")
        path.chmod(0o400)
    scene = Scene(host, base, stage(base))
    before = snapshot(host, without=base)
    case(scene)
    assert snapshot(host, without=base) == before


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with ordinary_user() as one:
        yield one


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("driver", AS_ROOT)
def test_nothing_outside_is_touched(driver: str, name: str, tmp_path: Path) -> None:
    def check() -> None:
        with nothing_stays_mounted(tmp_path):
            attack(CASES[name], AS_ROOT[driver], tmp_path)

    do_confined(tmp_path, check)


def test_root_is_confined_in_these_tests(tmp_path: Path) -> None:
    def check() -> None:
        (tmp_path / "allowed").touch()
        for place in (tmp_path.parent, Path("/"), Path("/etc"), Path("/tmp"), Path("/var/tmp")):
            with pytest.raises(OSError, match="Read-only file system"):
                (place / "nacre-not-allowed").touch()

    do_confined(tmp_path, check)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("driver", STAGES)
def test_nothing_outside_is_touched_by_an_ordinary_user(user: User, driver: str, name: str) -> None:
    with folder_for(user) as folder, everyone_may_use_fuse():
        do_as(user, lambda: attack(CASES[name], STAGES[driver], folder), exposed=True)
