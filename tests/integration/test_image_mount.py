"""Images mounted with the command and from Python, with every driver, by root and by others."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.engine.catalogue import NoSuchImage
from nacre.engine.engine import Engine
from nacre.errors import Unsupported
from nacre.images.rawtars import BlobTars
from nacre.storage.chain import Chain
from nacre.storage.erofs.driver import ErofsDriver
from nacre.storage.mounts import SharedMounts
from nacre.testing import a_layer
from tests.integration.mounts import small_disk
from tests.peers.mounting import mounted_below, nothing_stays_mounted
from tests.peers.nacre import NacreCli
from tests.peers.user import do_as, folder_for, ordinary_user

pytestmark = pytest.mark.root

ALL = ["erofs", "overlay", "fuse", "copying"]
MOUNTING = ALL[:3]


@pytest.fixture
def nacre(nacre_cli: NacreCli, tmp_path: Path) -> Iterator[NacreCli]:
    """A nacre with the image ``demo:1``."""
    (tmp_path / "demo.tar").write_bytes(a_layer({"etc/motd": b"hello\n"}))
    nacre_cli("import", tmp_path / "demo.tar", "demo:1")
    with nothing_stays_mounted(tmp_path):
        yield nacre_cli


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """A folder to mount on."""
    (tmp_path / "at").mkdir()
    return tmp_path / "at"


def driver_of(nacre: NacreCli, *flags: str) -> str:
    """Return the driver that the command says it uses."""
    (line,) = [
        line for line in nacre(*flags, "info").splitlines() if line.startswith("Storage Driver:")
    ]
    return line.removeprefix("Storage Driver:").strip()


@pytest.mark.parametrize("driver", MOUNTING)
def test_an_image_is_mounted_until_it_is_unmounted(nacre: NacreCli, at: Path, driver: str) -> None:
    assert nacre("--storage-driver", driver, "image", "mount", "demo:1", at) == ""
    assert (at / "etc/motd").read_bytes() == b"hello\n"
    assert nacre("image", "mount") == f"demo:1  {at}\n"
    assert nacre("image", "unmount", at) == ""
    assert list(at.iterdir()) == []
    assert nacre("image", "mount") == ""


@pytest.mark.parametrize("driver", MOUNTING)
def test_mounts_of_one_image_share_one(
    nacre: NacreCli, at: Path, tmp_path: Path, driver: str
) -> None:
    (tmp_path / "other").mkdir()
    for folder in (at, tmp_path / "other"):
        nacre("--storage-driver", driver, "image", "mount", "demo:1", folder)
    assert at.stat().st_dev == (tmp_path / "other").stat().st_dev
    nacre("image", "umount", at, tmp_path / "other")


def test_a_mounted_image_is_not_removed(nacre: NacreCli, at: Path) -> None:
    nacre("image", "mount", "demo:1", at)
    for command in (["rmi", "demo:1"], ["rmi", "--force", "demo:1"]):
        said = nacre.refused(*command)
        assert "cannot be forced" in said
        assert f"image is mounted at {at} (nacre image unmount {at})" in said
    nacre("image", "prune", "--all", "--force")
    nacre("system", "prune", "--all", "--force")
    assert (at / "etc/motd").read_bytes() == b"hello\n"
    nacre("image", "unmount", at)
    nacre("rmi", "demo:1")


def test_its_other_names_are(nacre: NacreCli, at: Path) -> None:
    nacre("tag", "demo:1", "demo:2")
    nacre("image", "mount", "demo:1", at)
    assert nacre("rmi", "demo:1") == "Untagged: demo:1\n"
    assert nacre("image", "mount") == f"demo:2  {at}\n"
    nacre("image", "unmount", at)


def test_and_so_is_another_image_with_its_layers(nacre: NacreCli, at: Path, tmp_path: Path) -> None:
    nacre("import", "--message", "the same", tmp_path / "demo.tar", "demo:2")
    nacre("image", "mount", "demo:1", at)
    assert nacre("rmi", "demo:1").startswith("Untagged: demo:1\nDeleted: sha256:")
    assert nacre("image", "mount") == f"demo:2  {at}\n"
    nacre("image", "unmount", at)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["mount", "nosuch", "at"], "No such image: nosuch:latest"),
        (["mount", "demo:1", "nowhere"], "folder nowhere does not exist (make it first)"),
        (["mount", "demo:1", "demo.tar"], "demo.tar is no folder"),
        (["mount", "demo:1"], "requires an image and a folder, or no arguments"),
        (["mount", "demo:1", "/proc"], "something is mounted at /proc (choose another folder)"),
        (["unmount", "at"], "no image is mounted at at"),
        (["unmount", "/proc"], "no image is mounted at /proc"),
        (["unmount"], "requires at least 1 argument"),
    ],
)
def test_mistakes_are_told_in_a_line(
    nacre: NacreCli, at: Path, words: list[str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(at.parent)
    said = nacre.refused("image", *words)
    assert why in said
    assert said.count("\n") == 1


def test_what_is_in_use_stays(nacre: NacreCli, at: Path) -> None:
    nacre("image", "mount", "demo:1", at)
    with (at / "etc/motd").open():
        assert f"{at} is in use" in nacre.refused("image", "unmount", at)
    nacre("image", "unmount", at)


def test_the_driver_without_mounts_says_what_to_do(nacre: NacreCli, at: Path) -> None:
    said = nacre.refused("--storage-driver", "copying", "image", "mount", "demo:1", at)
    assert "nacre image cp" in said


def test_the_best_driver_is_chosen_and_the_others_are_told(nacre: NacreCli) -> None:
    said = nacre("info")
    assert "Storage Driver: erofs\n chosen: the quickest that works\n erofs: works\n" in said
    assert "\n copying: works\n" in said


@pytest.mark.parametrize("driver", ALL)
def test_a_driver_may_be_asked_for(nacre: NacreCli, driver: str) -> None:
    assert driver_of(nacre, "--storage-driver", driver) == driver
    assert "chosen: as was asked for" in nacre("--storage-driver", driver, "info")
    nacre.env["NACRE_STORAGE_DRIVER"] = driver
    assert driver_of(nacre) == driver
    del nacre.env["NACRE_STORAGE_DRIVER"]
    nacre.config.write_text(f'storage-driver = "{driver}"\n')
    assert driver_of(nacre) == driver
    assert driver_of(nacre, "--storage-driver", "copying") == "copying"


def test_an_unknown_driver(nacre: NacreCli) -> None:
    assert "no storage driver 'zfs'" in nacre.refused("--storage-driver", "zfs", "images")
    nacre.config.write_text("storage-driver = 5\n")
    assert f"{nacre.config}: storage-driver" in nacre.refused("images")


def test_prune_removes_what_drivers_made(nacre: NacreCli, at: Path) -> None:
    for driver in MOUNTING:
        nacre("--storage-driver", driver, "image", "mount", "demo:1", at)
        nacre("image", "unmount", at)
    nacre("rmi", "demo:1")
    nacre("system", "prune", "--force")
    left = [path for path in (nacre.root / "storage").rglob("*") if path.is_file()]
    assert [path.name for path in left if path.stat().st_size] == []


def test_a_store_in_memory_is_told_and_another_driver_is_taken(
    nacre_cli: NacreCli, tmp_path: Path, at: Path
) -> None:
    with small_disk(tmp_path / "memory", 20 << 20) as memory:
        nacre_cli.root = memory / "store"
        said = nacre_cli("info")
        assert (
            f" erofs: this kernel cannot mount erofs from a file on the file system of {memory}"
            in said
        )
        assert "Storage Driver: overlay\n" in said
        (tmp_path / "demo.tar").write_bytes(a_layer({"etc/motd": b"hello\n"}))
        nacre_cli("import", tmp_path / "demo.tar", "demo:1")
        refusal = nacre_cli.refused("--storage-driver", "erofs", "image", "mount", "demo:1", at)
        assert "the storage driver erofs does not work here: this kernel cannot" in refusal
        nacre_cli("image", "mount", "demo:1", at)
        assert (at / "etc/motd").read_bytes() == b"hello\n"
        nacre_cli("image", "unmount", at)


def test_a_command_runs_inside_a_user_namespace_with_the_same_store(nacre: NacreCli) -> None:
    for words in (("unshare", "--", "sh", "-c"), ("unshare", "sh", "-c")):
        said = nacre(*words, "echo $NACRE_ROOT; wc -l < /proc/self/uid_map")
        root, lines = said.splitlines()
        assert (root, int(lines) > 0) == (str(nacre.root), True)
    ended = nacre.run("unshare", "nosuch")
    assert ended.returncode == 127
    assert "cannot run nosuch: No such file" in ended.stderr
    assert nacre.run("unshare", "/etc/passwd").returncode == 126


# From Python


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine with the image ``demo:1``."""
    environment = {"NACRE_RUN": str(tmp_path / "run")}
    with (
        nothing_stays_mounted(tmp_path),
        Engine(root=tmp_path / "store", environment=environment) as engine,
    ):
        engine.images.import_(io.BytesIO(a_layer({"etc/motd": b"hello\n"})), "demo:1")
        yield engine


def test_an_image_is_mounted_for_a_block(engine: Engine, tmp_path: Path) -> None:
    with engine.images.mounted("demo:1") as root:
        assert (root / "etc/motd").read_bytes() == b"hello\n"
    assert mounted_below(tmp_path) == []


def test_it_may_lose_its_names_meanwhile(engine: Engine) -> None:
    with engine.images.mounted("demo:1") as root:
        engine.images.remove("demo:1")
        engine.system.prune()
        assert (root / "etc/motd").read_bytes() == b"hello\n"
        with pytest.raises(NoSuchImage), engine.images.mounted("demo:1"):
            pass


def test_layers_below_a_writable_top_outlive_their_image(engine: Engine, tmp_path: Path) -> None:
    store = engine.store
    chain = Chain.of(engine.images.get("demo:1").view.diff_ids)
    driver = ErofsDriver(
        store.root / "storage", store.layers, BlobTars(store.blobs), SharedMounts(tmp_path / "own")
    )
    driver.prepare("one", chain)
    engine.images.remove("demo:1")
    engine.system.prune()
    with driver.writable("one") as root:
        assert (root / "etc/motd").read_bytes() == b"hello\n"
    driver.remove("one")
    engine.system.prune()
    assert not driver.has(chain.layers[0])


def test_an_ordinary_user_sees_images_too() -> None:
    def look() -> None:
        environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}
        (home / "at").mkdir()
        for driver in (None, "copying"):
            with Engine(
                root=home / "store", environment=environment, storage_driver=driver
            ) as engine:
                engine.images.import_(io.BytesIO(a_layer({"etc/motd": b"hello\n"})), "demo:1")
                with pytest.raises(Unsupported, match=r"unshare|copying"):
                    engine.images.mount("demo:1", home / "at")
                if driver is None:
                    continue
                with engine.images.mounted("demo:1") as root:
                    assert (root / "etc/motd").read_bytes() == b"hello\n"
        with (
            Engine(root=home / "store", environment=environment) as engine,
            engine.images.mounted("demo:1") as root,
        ):
            assert (root / "etc/motd").read_bytes() == b"hello\n"
            assert os.geteuid() == 0, "inside a user namespace"
            engine.images.mount("demo:1", home / "at")
            assert (home / "at/etc/motd").read_bytes() == b"hello\n"
            engine.images.unmount(home / "at")

    with ordinary_user() as user, folder_for(user) as home:
        # What is imported late may lie where the user cannot read it.
        with Engine(root=home / "warm", environment={"NACRE_RUN": str(home / "r")}) as warm:
            warm.images.import_(io.BytesIO(a_layer({"a": b""})), "demo:1")
            with warm.images.mounted("demo:1"):
                pass
            warm.system.prune(everything=True)
        do_as(user, look)
