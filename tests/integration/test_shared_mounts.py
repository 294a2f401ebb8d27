"""Processes share one mount of a tree: it is there while somebody needs it, and no longer."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from nacre.erofs.inode import Inode
from nacre.erofs.source import InodeTree
from nacre.erofs.writer import write_image
from nacre.errors import Conflict, Invalid, NotFound
from nacre.layers.entry import Kind
from nacre.storage.mounting import bind, mount_erofs, mounts, unmount
from nacre.storage.mounts import SharedMounts
from tests.integration.shared_mounts_child import KEY
from tests.peers.mounting import mounted_below, nothing_stays_mounted

pytestmark = pytest.mark.root

SCRIPT = Path(__file__).with_name("shared_mounts_child.py")


class Scene:
    """A folder with an image, the shared mounts of a store, and folders to attach trees to."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.image = home / "image"
        self.run = home / "run" / "store"
        self.shared = SharedMounts(self.run)
        self.mounted_times = 0
        link = Inode(Kind.SYMLINK, 0o777, target=b"tree")
        with self.image.open("wb") as out:
            write_image(out, InodeTree(Inode(Kind.DIR, 0o755, children={b"name": link})), [])

    def mount(self, at: Path) -> None:
        """Mount the image, and count that."""
        self.mounted_times += 1
        mount_erofs(self.image, [], at)

    def folder(self, name: str = "at") -> Path:
        """Make a folder to attach the tree to."""
        path = self.home / name
        path.mkdir()
        return path

    def left(self) -> list[str]:
        """Return what the run folder holds beside the gate."""
        found = self.run.rglob("*")
        return sorted(p.name for p in found if p.name != "gate" and not p.name.isdigit())

    @contextmanager
    def child(self, command: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
        """Run a command of ``shared_mounts_child.py`` beside the block."""
        words = (self.image, self.run, *arguments)
        with subprocess.Popen(
            [sys.executable, SCRIPT, command, *map(str, words)], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with nothing_stays_mounted(tmp_path):
        yield Scene(tmp_path)


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line of a child."""
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_tree_is_there_while_it_is_used(scene: Scene) -> None:
    with scene.shared.mounted(KEY, scene.mount) as root:
        assert (root / "name").readlink() == Path("tree")
        assert scene.shared.in_use() == {KEY}
    assert mounted_below(scene.home) == []
    assert scene.left() == []


def test_its_users_share_one_mount(scene: Scene) -> None:
    other = SharedMounts(scene.run)
    with scene.shared.mounted(KEY, scene.mount) as one, other.mounted(KEY, scene.mount) as two:
        assert one == two
        assert len(mounted_below(scene.home)) == 1
    assert scene.mounted_times == 1


def test_the_last_one_out_unmounts(scene: Scene) -> None:
    with ExitStack() as last:
        with scene.shared.mounted(KEY, scene.mount):
            root = last.enter_context(SharedMounts(scene.run).mounted(KEY, scene.mount))
        assert (root / "name").is_symlink()
    assert scene.left() == []


def test_nobody_else_may_look(scene: Scene) -> None:
    with scene.shared.mounted(KEY, scene.mount) as root:
        assert [path.stat().st_mode & 0o777 for path in list(root.parents)[:3]] == [0o700] * 3


def test_when_it_cannot_be_mounted_nothing_is_left(scene: Scene) -> None:
    def fail(_at: Path) -> None:
        raise NotFound("no image")

    with pytest.raises(NotFound), scene.shared.mounted(KEY, fail):
        pass
    with pytest.raises(NotFound):
        scene.shared.attach(KEY, fail, scene.folder())
    assert scene.left() == []


def test_asking_makes_no_folder(scene: Scene) -> None:
    assert list(scene.shared.attached()) == []
    assert scene.shared.in_use() == set()
    scene.shared.recover()
    assert not scene.run.exists()


def test_what_is_attached_stays_until_detached(scene: Scene) -> None:
    at = scene.folder()
    scene.shared.attach(KEY, scene.mount, at)
    assert (at / "name").readlink() == Path("tree")
    assert list(SharedMounts(scene.run).attached()) == [(at, KEY)]
    assert scene.shared.in_use() == {KEY}
    SharedMounts(scene.run).detach(at)
    assert list(at.iterdir()) == []
    assert scene.left() == []


def test_attached_trees_and_users_share_one_mount(scene: Scene) -> None:
    one, two = scene.folder("one"), scene.folder("two")
    scene.shared.attach(KEY, scene.mount, one)
    with scene.shared.mounted(KEY, scene.mount) as root:
        scene.shared.attach(KEY, scene.mount, two)
        assert {path.stat().st_dev for path in (root, one, two)} == {root.stat().st_dev}
        scene.shared.detach(one)
    assert scene.mounted_times == 1
    assert list(scene.shared.attached()) == [(two, KEY)]
    scene.shared.detach(two)
    assert scene.left() == []


def test_users_outlast_the_attached(scene: Scene) -> None:
    at = scene.folder()
    with scene.shared.mounted(KEY, scene.mount) as root:
        scene.shared.attach(KEY, scene.mount, at)
        scene.shared.detach(at)
        assert (root / "name").is_symlink()


def test_what_the_user_unmounted_by_hand_is_settled(scene: Scene) -> None:
    at = scene.folder()
    scene.shared.attach(KEY, scene.mount, at)
    unmount(at)
    assert list(scene.shared.attached()) == []
    with pytest.raises(NotFound, match="no image is mounted at"):
        scene.shared.detach(at)
    scene.shared.recover()
    assert scene.left() == []


def test_the_folder_goes_by_any_of_its_names(scene: Scene) -> None:
    at = scene.folder()
    (scene.home / "link").symlink_to("at")
    scene.shared.attach(KEY, scene.mount, scene.home / "link")
    assert list(scene.shared.attached()) == [(at, KEY)]
    scene.shared.detach(scene.home / "link" / ".." / "at")


def test_one_mount_a_folder(scene: Scene) -> None:
    at = scene.folder()
    scene.shared.attach(KEY, scene.mount, at)
    with pytest.raises(Conflict, match="something is mounted at"):
        scene.shared.attach(KEY, scene.mount, at)
    scene.shared.detach(at)
    assert scene.left() == []


def test_a_folder_has_to_be_one(scene: Scene) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        scene.shared.attach(KEY, scene.mount, scene.home / "none")
    with pytest.raises(Invalid, match="no folder"):
        scene.shared.attach(KEY, scene.mount, scene.image)


def test_what_is_not_ours_is_not_detached(scene: Scene) -> None:
    at, above = scene.folder(), scene.folder("above")
    bind(above, at)
    with pytest.raises(NotFound):
        scene.shared.detach(at)
    unmount(at)
    scene.shared.attach(KEY, scene.mount, at)
    bind(above, at)
    with pytest.raises(NotFound):
        scene.shared.detach(at)
    unmount(at)
    scene.shared.detach(at)


def test_what_is_in_use_is_not_detached(scene: Scene) -> None:
    at = scene.folder()
    scene.shared.attach(KEY, scene.mount, at)
    with subprocess.Popen(["sleep", "60"], cwd=at) as process:
        with pytest.raises(Conflict, match="is in use"):
            scene.shared.detach(at)
        process.kill()
    scene.shared.detach(at)


def test_a_killed_user_leaves_what_recover_clears_away(scene: Scene) -> None:
    with scene.child("hold") as process:
        assert said(process) == "tree"
        scene.shared.recover()
        assert scene.shared.in_use() == {KEY}
        process.kill()
        process.wait()
    assert scene.shared.in_use() == set()
    assert len(mounted_below(scene.home)) == 1
    scene.shared.recover()
    assert scene.left() == []


def test_or_what_the_next_user_uses(scene: Scene) -> None:
    with scene.child("hold") as process:
        said(process)
        process.kill()
        process.wait()
    with scene.shared.mounted(KEY, scene.mount) as root:
        assert (root / "name").is_symlink()
        assert scene.mounted_times == 0
    assert scene.left() == []


def test_what_somebody_uses_without_asking_stays(scene: Scene) -> None:
    with ExitStack() as stack:
        with scene.shared.mounted(KEY, scene.mount) as root:
            process = stack.enter_context(subprocess.Popen(["sleep", "60"], cwd=root))
            stack.callback(process.kill)
        assert len(mounted_below(scene.home)) == 1
    process.wait()
    scene.shared.recover()
    assert scene.left() == []


@pytest.mark.parametrize("left", ["tree/", "tree.lease", "tree/ tree.lease"])
def test_after_a_kill_at_any_step_it_works_again(scene: Scene, left: str) -> None:
    with scene.shared.mounted(KEY, scene.mount) as root:
        home = root.parent
    home.mkdir(parents=True, exist_ok=True)
    for name in left.split():
        path = home / name
        path.mkdir() if name.endswith("/") else path.touch()
    with scene.shared.mounted(KEY, scene.mount) as root:
        assert (root / "name").is_symlink()
    home.mkdir(parents=True, exist_ok=True)
    for name in left.split():
        path = home / name
        path.mkdir() if name.endswith("/") else path.touch()
    scene.shared.recover()
    assert scene.left() == []


def test_a_run_folder_that_is_seen_twice_keeps_nothing_mounted(scene: Scene) -> None:
    """As where /run is a bind mount: there is a copy of every mount, which goes with it."""
    twice = scene.folder("twice")
    scene.run.parent.mkdir()
    for words in (["--bind", scene.run.parent], ["--make-shared"], ["--bind"]):
        place = [scene.run.parent, twice] if words == ["--bind"] else [scene.run.parent]
        subprocess.run(["mount", *words, *place], check=True)
    try:
        with scene.shared.mounted(KEY, scene.mount):
            found = [mount for mount in mounts() if mount.point.name == KEY]
            assert len(found) == 2
            assert list(scene.shared.attached()) == []
        assert scene.left() == []
    finally:
        subprocess.run(["umount", "-R", twice], check=True)
        subprocess.run(["umount", "-R", scene.run.parent], check=True)


def test_each_mount_namespace_has_mounts_of_its_own(scene: Scene) -> None:
    words = [sys.executable, SCRIPT, "come_and_go", scene.image, scene.run, "0.2"]
    with scene.shared.mounted(KEY, scene.mount) as root:
        done = subprocess.run(
            ["unshare", "--mount", *map(str, words)], capture_output=True, text=True, check=True
        )
        assert done.stdout == "True\n"
        assert (root / "name").is_symlink()
        assert len(mounted_below(scene.home)) == 1
    assert scene.left() == []


def test_many_come_and_go(scene: Scene) -> None:
    """Nobody ever enters a tree that another is about to unmount."""
    at = [scene.folder(f"at{number}") for number in range(2)]
    with ExitStack() as running:
        children = [running.enter_context(scene.child("come_and_go", 3)) for _ in range(6)]
        children += [
            running.enter_context(scene.child("attach_and_detach", folder, 3)) for folder in at
        ]
        outputs = [process.communicate(timeout=60)[0] for process in children]
    assert outputs == ["True\n"] * 6 + ["done\n"] * 2
    assert scene.left() == []


def kills(scene: Scene, rounds: int) -> None:
    """Kill processes at any moment; whatever they left, the next ones work and all is cleared."""
    at = scene.folder()
    left = 0
    for number in range(rounds):
        with ExitStack() as running:
            children = [running.enter_context(scene.child("come_and_go", 60)) for _ in range(2)]
            children.append(running.enter_context(scene.child("attach_and_detach", at, 60)))
            time.sleep(0.25 + random.Random(number).random() / 5)
            for process in children:
                process.kill()
                process.wait()
        left += bool(mounted_below(scene.home))
        with scene.shared.mounted(KEY, scene.mount) as root:
            assert (root / "name").readlink() == Path("tree")
        for folder, _ in list(scene.shared.attached()):
            scene.shared.detach(folder)
        scene.shared.recover()
        assert scene.left() == []
        assert mounted_below(scene.home) == []
    assert left, "nobody was killed in the middle of anything"


def test_killed_at_any_moment(scene: Scene) -> None:
    kills(scene, 10)


@pytest.mark.soak
def test_killed_at_a_hundred_moments(scene: Scene) -> None:
    kills(scene, 100)
