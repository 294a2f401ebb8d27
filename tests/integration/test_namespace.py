"""An ordinary user inside a user namespace, and a machine that does not let users in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nacre.errors import Denied, Unsupported
from nacre.layers.ownership import KEEP, RECORDED, Unmapped
from nacre.layers.whiteout import Overlay
from nacre.storage import copying, fuse, overlay
from nacre.storage.mounting import mount_overlay, mounts
from nacre.storage.namespace import enter, is_initial, is_inside, run_inside, usual_ownership
from nacre.testing.members import file
from tests.peers.user import User, do_as, everyone_may_use_fuse, folder_for, ordinary_user
from tests.unit.layers.trees import apply

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with ordinary_user() as one:
        yield one


@pytest.fixture
def base(user: User) -> Iterator[Path]:
    with folder_for(user) as folder:
        yield folder


def test_outside_nothing_is_special(user: User) -> None:
    def check() -> None:
        assert is_initial()
        assert not is_inside()
        assert usual_ownership() is RECORDED
        assert overlay.usual_form() is Overlay.USER

    do_as(user, check)
    assert usual_ownership() is KEEP
    assert overlay.usual_form() is Overlay.TRUSTED


@pytest.mark.parametrize("ranges", [True, False])
def test_inside_the_user_is_root(user: User, *, ranges: bool) -> None:
    def check() -> None:
        enter(ranges=ranges)
        assert (os.getuid(), os.getgid()) == (0, 0)
        assert is_inside()
        assert not is_initial()
        assert usual_ownership().record is not ranges
        assert overlay.usual_form() is Overlay.USER

    do_as(user, check)


def test_with_ranges_files_can_be_given_away(user: User, base: Path) -> None:
    def check() -> None:
        enter()
        (base / "f").touch()
        os.chown(base / "f", 1000, 42)
        assert (base / "f").stat().st_uid == 1000

    do_as(user, check)
    assert (base / "f").stat().st_uid >= 100_000


def test_with_ranges_an_owner_beyond_them_is_told(user: User, base: Path) -> None:
    def check() -> None:
        enter()
        (base / "tree").mkdir()
        options = {"ownership": usual_ownership()}
        apply(base / "tree", file("a", uid=65_000, gid=1), **options)
        with pytest.raises(Unmapped, match="ID 70000") as caught:
            apply(base / "tree", file("b", uid=70_000), **options)
        assert "/etc/subuid" in caught.value.remedy

    do_as(user, check)


def test_with_one_number_they_cannot(user: User, base: Path) -> None:
    def check() -> None:
        enter(ranges=False)
        (base / "f").touch()
        with pytest.raises(OSError, match="Invalid argument"):
            os.chown(base / "f", 1000, 42)

    do_as(user, check)
    assert (base / "f").stat().st_uid == user.uid


def test_mounts_are_seen_inside_only(user: User, base: Path) -> None:
    def check() -> None:
        for name in ("a", "b", "at"):
            (base / name).mkdir()
        enter()
        mount_overlay([base / "a", base / "b"], base / "at", options=["userxattr"])
        assert any(mount.point == base / "at" for mount in mounts())
        parent = subprocess.run(
            ["cat", f"/proc/{os.getppid()}/mountinfo"], capture_output=True, check=False
        )
        assert str(base / "at").encode() not in parent.stdout

    do_as(user, check)
    assert not any(mount.point.is_relative_to(base) for mount in mounts())


def test_a_program_runs_inside(user: User, base: Path) -> None:
    script = f"id -u > {base}/uid; cat /proc/self/uid_map > {base}/map; exit 7"

    def check() -> None:
        child = os.fork()
        if child == 0:
            run_inside(["sh", "-c", script])
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 7

    do_as(user, check)
    assert (base / "uid").read_text() == "0\n"
    assert len((base / "map").read_text().splitlines()) >= 2


def test_a_process_of_many_threads_cannot_enter(user: User) -> None:
    def check() -> None:
        from threading import Event, Thread

        done = Event()
        thread = Thread(target=done.wait)
        thread.start()
        try:
            for ranges in (True, False):
                with pytest.raises(Unsupported, match="no user namespace can be made"):
                    enter(ranges=ranges)
        finally:
            done.set()
            thread.join()

    do_as(user, check)


def test_where_namespaces_are_forbidden_that_is_told(user: User) -> None:
    def check() -> None:
        enter(ranges=False)
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
        with pytest.raises(Denied, match="does not let users make namespaces") as caught:
            enter(ranges=False)
        assert "copying" in caught.value.remedy

    do_as(user, check)


def test_ranges_that_belong_to_somebody_else_are_refused(user: User) -> None:
    def check() -> None:
        from nacre.storage import namespace

        namespace._text = _lies
        with pytest.raises(Denied, match="cannot be mapped"):
            enter()

    def _lies(path: str) -> str:
        return "" if path == "/etc/passwd" else f"{user.uid}:900000000:65536\n"

    do_as(user, check)


# Which drivers work is found out by trying


def probed(user: User, base: Path, probe: Callable[[Path], str | None]) -> str | None:
    answer = base / "answer"

    def check() -> None:
        answer.write_text(repr(probe(base)))

    do_as(user, check)
    text = answer.read_text()
    answer.unlink()
    assert [path.name for path in base.iterdir()] == []
    return None if text == "None" else text


def test_root_can_use_all_of_them(tmp_path: Path) -> None:
    assert [module.probe(tmp_path) for module in (overlay, fuse, copying)] == [None] * 3
    assert list(tmp_path.iterdir()) == []


def test_without_a_namespace_overlay_is_refused(user: User, base: Path) -> None:
    problem = probed(user, base, overlay.probe)
    assert problem is not None
    assert "may not mount" in problem


@pytest.mark.parametrize("ranges", [True, False])
def test_inside_overlay_works(user: User, base: Path, *, ranges: bool) -> None:
    def inside(folder: Path) -> str | None:
        enter(ranges=ranges)
        return overlay.probe(folder)

    assert probed(user, base, inside) is None


def test_with_its_device_fuse_works(user: User, base: Path) -> None:
    with everyone_may_use_fuse():
        assert probed(user, base, fuse.probe) is None


def test_copying_needs_nothing(user: User, base: Path) -> None:
    assert probed(user, base, copying.probe) is None


def test_nothing_works_where_one_cannot_write(user: User, tmp_path: Path) -> None:
    for probe in (overlay.probe, copying.probe):
        assert "cannot be written to" in str(refused(user, tmp_path, probe))


def refused(user: User, folder: Path, probe: Callable[[Path], str | None]) -> str | None:
    with folder_for(user) as base:
        return probed(user, base, lambda _base: probe(folder))
