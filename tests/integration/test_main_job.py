"""The main job on each storage driver, as root and as an ordinary user; the summary names them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Summary
from tests.integration.main_job import PASSWORD, USER, MainJob, Way, look
from tests.peers.mounting import nothing_stays_mounted
from tests.peers.registry import running_registry
from tests.peers.tools import require_tool, run, succeed
from tests.peers.user import do_as, everyone_may_use_fuse, folder_for, ordinary_user

pytestmark = [pytest.mark.root, pytest.mark.peers]

AS_ROOT = {name: Way(name, has_owners=True) for name in ("erofs", "overlay", "fuse", "copying")}
OF_USERS = {
    "with a range of numbers": {
        "overlay": Way("overlay", is_inside=True, has_owners=True),
        "fuse": Way("fuse", is_inside=True, has_owners=True),
        "copying": Way("copying"),
    },
    "with one number": {
        "overlay": Way("overlay", is_inside=True),
        # Without privileges its mounts cannot be bound.
        "fuse": Way("fuse", one_mount=False),
        "copying": Way("copying"),
    },
}
LEFT_OUT = ("./usr/share/*/*", "./usr/lib/*/perl*", "./usr/lib/*/gconv", "./var/cache/*")
USERS = [(kind, name) for kind, ways in OF_USERS.items() for name in ways]


@pytest.fixture(scope="session")
def unpacked(debian_rootfs_tar: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What GNU tar makes of a real root file system, but for what it also starts without."""
    root = tmp_path_factory.mktemp("unpacked")
    without = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    gnu_tar("-xpf", debian_rootfs_tar, "-C", root, "--numeric-owner", *without)
    return root


@pytest.fixture(scope="session")
def rootfs(unpacked: Path) -> Iterator[Path]:
    """Its tar, where everybody can read it; beside it one without a file."""
    with tempfile.TemporaryDirectory(prefix="nacre-rootfs-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        whole, nameless = folder / "rootfs.tar", folder / "nameless.tar"
        gnu_tar("-cf", whole, "-C", unpacked, "--sort=name", "--numeric-owner", ".")
        shutil.copy(whole, nameless)
        gnu_tar("--delete", "-f", nameless, "./etc/debian_version")
        yield whole


def gnu_tar(*words: str | Path) -> None:
    """Run it."""
    succeed(run(require_tool("tar"), *words))


@contextmanager
def job(way: Way, folder: Path, rootfs: Path, unpacked: Path) -> Iterator[Callable[[], None]]:
    """Give what does the job, with a registry of its own."""
    truth = look(unpacked, owners=way.has_owners)
    where = folder / "registry"
    with (
        nothing_stays_mounted(folder),
        running_registry(where, user=USER, password=PASSWORD) as registry,
    ):
        at = folder / "job"
        yield lambda: MainJob(way, at, registry=registry, rootfs=rootfs, truth=truth).run()


@pytest.mark.parametrize("driver", AS_ROOT)
def test_the_main_job_of_root(
    summary: Summary, driver: str, rootfs: Path, unpacked: Path, tmp_path: Path
) -> None:
    summary(f"main job: driver {driver} as root")
    with job(AS_ROOT[driver], tmp_path, rootfs, unpacked) as do:
        do()


@pytest.mark.parametrize(("kind", "driver"), USERS)
def test_the_main_job_of_an_ordinary_user(
    summary: Summary, kind: str, driver: str, rootfs: Path, unpacked: Path
) -> None:
    summary(f"main job: driver {driver} as an ordinary user {kind}")
    way = OF_USERS[kind][driver]
    with (
        ordinary_user(ranges="range" in kind) as user,
        folder_for(user) as home,
        everyone_may_use_fuse(),
        job(way, home, rootfs, unpacked) as do,
    ):
        do_as(user, do, exposed=True)
