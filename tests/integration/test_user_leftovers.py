"""What an ordinary user's commands leave behind once they are done, or were killed: nothing."""

from __future__ import annotations

import io
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nacre.engine.engine import Engine
from nacre.storage.namespace import enter
from nacre.testing.members import file, folder, tar_of
from tests.peers.mounting import serving_below
from tests.peers.user import User, do_as, everyone_may_use_fuse, folder_for, ordinary_user

pytestmark = pytest.mark.root

TAR = tar_of([folder("etc", uid=1000), file("etc/motd", b"hello\n", uid=1000)])


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with ordinary_user() as one, folder_for(one) as home:
        # What is imported late may lie where the user cannot read it.
        import_image(home)
        look(home)
        with engine_in(home) as engine:
            engine.images.remove("demo:1")
        yield one


@pytest.fixture
def home(user: User) -> Iterator[Path]:
    with folder_for(user) as folder:
        yield folder


def engine_in(home: Path, driver: str = "overlay") -> Engine:
    environment = {"HOME": str(home), "NACRE_RUN": str(home / "run")}
    return Engine(root=home / "store", environment=environment, storage_driver=driver)


def in_child(action: Callable[[], None], *, killed: bool = False) -> None:
    """Do an action in a process of its own, which ends by itself or is killed at the end of it."""
    child = os.fork()
    if child == 0:
        try:
            action()
            if killed:
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - told, and seen by the parent
            traceback.print_exc()
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == (-signal.SIGKILL if killed else 0)


def import_image(home: Path) -> None:
    with engine_in(home) as engine:
        engine.images.import_(io.BytesIO(TAR), "demo:1")


def look(home: Path) -> None:
    with engine_in(home) as engine, engine.images.mounted("demo:1") as root:
        assert (root / "etc/motd").read_bytes() == b"hello\n"


def stay_mounted(home: Path) -> None:
    with ExitStack() as stack:
        engine = stack.enter_context(engine_in(home))
        stack.enter_context(engine.images.mounted("demo:1"))
        os.kill(os.getpid(), signal.SIGKILL)


def records(home: Path) -> list[str]:
    """Return what the run folder says of mounts; which driver works is not meant."""
    found = (p.name for kind in ("overlay", "fuse") for p in home.glob(f"run/**/{kind}/*"))
    return sorted(name for name in found if name != "gate")


def folders(home: Path) -> list[str]:
    """Return the layers and chains that are unpacked."""
    kinds = ("layers", "chains", "deltas", "merged", "trees")
    return [p.name for k in kinds for p in (home / "store/storage").glob(f"*/*/{k}/*")]


def test_a_command_leaves_no_records_of_mounts(user: User, home: Path) -> None:
    def check() -> None:
        import_image(home)
        for _ in range(3):
            in_child(lambda: look(home))
        assert records(home) == []

    do_as(user, check)


def test_the_next_command_clears_up_for_one_that_was_killed(user: User, home: Path) -> None:
    def check() -> None:
        import_image(home)
        in_child(lambda: stay_mounted(home), killed=True)
        assert records(home)
        in_child(lambda: look(home))
        assert records(home) == []

    do_as(user, check)


def test_unpacked_layers_go_with_the_image(user: User, home: Path) -> None:
    def check() -> None:
        import_image(home)
        in_child(lambda: look(home))
        assert folders(home)
        with engine_in(home) as engine:
            engine.images.remove("demo:1")
        assert os.geteuid() == user.uid, "it did not have to go inside itself"
        assert folders(home) == []

    do_as(user, check)


def test_what_is_mounted_in_another_namespace_stays(user: User, home: Path) -> None:
    def check() -> None:
        import_image(home)
        (home / "at").mkdir()
        asked, ask = os.pipe()
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ask)
            try:
                enter()
                with engine_in(home) as engine:
                    engine.images.mount("demo:1", home / "at")
                os.write(tell, b"mounted")
                os.read(asked, 1)
                os._exit(0 if (home / "at/etc/motd").read_bytes() == b"hello\n" else 1)
            except BaseException:  # noqa: BLE001 - told, and seen by the parent
                traceback.print_exc()
            finally:
                os._exit(2)
        os.close(tell)
        assert os.read(told, 7) == b"mounted"
        with engine_in(home) as engine:
            engine.images.remove("demo:1")
        assert folders(home)
        os.write(ask, b"x")
        assert os.waitpid(child, 0)[1] == 0
        with engine_in(home) as engine:
            engine.system.prune()
        assert (folders(home), records(home)) == ([], [])

    do_as(user, check)


def mount_with_fuse(home: Path) -> None:
    enter()
    with engine_in(home, "fuse") as engine:
        engine.images.mount("demo:1", home / "at")


@pytest.mark.peers
@pytest.mark.parametrize("driver", ["overlay", "fuse"])
def test_what_serves_mounts_where_nobody_is_any_more_is_ended(
    user: User, home: Path, driver: str
) -> None:
    def check() -> None:
        import_image(home)
        (home / "at").mkdir()
        in_child(lambda: mount_with_fuse(home))
        assert serving_below(home)
        with engine_in(home, driver) as engine, engine.images.mounted("demo:1") as root:
            assert (root / "etc/motd").read_bytes() == b"hello\n"
        assert serving_below(home) == []
        assert records(home) == []

    with everyone_may_use_fuse():
        do_as(user, check, exposed=True)


@pytest.mark.peers
@pytest.mark.parametrize("driver", ["overlay", "fuse", "copying"])
def test_what_was_unpacked_inside_goes_with_the_image(user: User, home: Path, driver: str) -> None:
    def look_inside() -> None:
        enter()
        for name in ("overlay", "fuse", "copying"):
            with engine_in(home, name) as engine, engine.images.mounted("demo:1") as root:
                assert (root / "etc/motd").stat().st_uid == 1000

    def check() -> None:
        import_image(home)
        in_child(look_inside)
        assert folders(home)
        with engine_in(home, driver) as engine:
            engine.images.remove("demo:1")
        assert folders(home) == []

    with everyone_may_use_fuse():
        do_as(user, check, exposed=True)


@pytest.mark.peers
def test_what_serves_mounts_where_somebody_is_goes_on(user: User, home: Path) -> None:
    def stay() -> None:
        mount_with_fuse(home)
        os.write(tell, b"mounted")
        os.read(asked, 1)
        assert (home / "at/etc/motd").read_bytes() == b"hello\n"

    def check() -> None:
        import_image(home)
        (home / "at").mkdir()
        child = os.fork()
        if child == 0:
            in_child(stay)
            os._exit(0)
        assert os.read(told, 7) == b"mounted"
        with engine_in(home, "fuse") as engine:
            engine.system.prune()
        assert serving_below(home)
        os.write(ask, b"x")
        assert os.waitpid(child, 0)[1] == 0

    asked, ask = os.pipe()
    told, tell = os.pipe()
    with everyone_may_use_fuse():
        do_as(user, check, exposed=True)
    for descriptor in (asked, ask, told, tell):
        os.close(descriptor)
