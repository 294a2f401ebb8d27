"""Disks that are full, stores that cannot be written to, are too new or damaged."""

from __future__ import annotations

import gzip
import io
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nacre import Engine
from nacre.testing.builders import a_layer, an_image
from tests.integration.unharmed import SOUND, Unharmed, files, refusal
from tests.peers.nacre import NacreCli
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer

MEBIBYTE = 1024 * 1024
NOISE = random.Random(22).randbytes(4 * MEBIBYTE)
LARGE = an_image([a_layer({"one": NOISE[: 2 * MEBIBYTE]}), a_layer({"two": NOISE})])
FULL = "no space left on the file system of"


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[Path]:
    """Mount something on a folder while the block runs."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *options, str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def small(nacre_cli: NacreCli) -> Iterator[Unharmed]:
    """A nacre with one sound image on a disk of 4 MiB."""
    with mounted(nacre_cli.root, "-t", "tmpfs", "-o", "size=4m,mode=700", "none"):
        yield Unharmed(nacre_cli)


def fill(folder: Path, *, leaving: int = 0) -> Path:
    """Fill the disk to its last byte, or to the last but a few."""
    hog = folder / "hog"
    with hog.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(file.tell() - leaving, 0))
    return hog


# Full disks.


@pytest.mark.root
def test_pull_onto_a_full_disk(small: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", LARGE)
    small.refuses("pull", f"{server.host}/app:1", saying=FULL)
    free = shutil.disk_usage(small.cli.root).free
    assert free > 3 * MEBIBYTE


@pytest.mark.root
def test_pull_onto_a_full_disk_works_once_there_is_space(
    small: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "1", LARGE)
    small.refuses("pull", f"{server.host}/app:1", saying=FULL)
    subprocess.run(["mount", "-o", "remount,size=64m", str(small.cli.root)], check=True)
    small.cli("pull", f"{server.host}/app:1")
    assert "OK" in small.cli("image", "verify", f"{server.host}/app:1")


@pytest.mark.root
def test_import_onto_a_full_disk(small: Unharmed, tmp_path: Path) -> None:
    (tmp_path / "rootfs.tar").write_bytes(a_layer({"noise": NOISE}))
    small.refuses("import", tmp_path / "rootfs.tar", "made:1", saying=FULL)


@pytest.mark.root
def test_import_of_a_bomb(small: Unharmed, tmp_path: Path) -> None:
    """A gigabyte of zeros in a megabyte: the disk is the limit, and has its space back."""
    with gzip.open(tmp_path / "bomb.tar.gz", "wb", compresslevel=1) as bomb:
        bomb.write(a_layer({"etc/motd": b"hello"}))
        for _ in range(1024):
            bomb.write(bytes(MEBIBYTE))
    small.refuses("import", tmp_path / "bomb.tar.gz", "made:1", saying=FULL)
    assert shutil.disk_usage(small.cli.root).free > 3 * MEBIBYTE


@pytest.mark.root
def test_load_onto_a_full_disk(small: Unharmed, tmp_path: Path) -> None:
    with Engine(root=tmp_path / "other", environment={}) as other:
        other.images.import_(io.BytesIO(a_layer({"noise": NOISE})), "big:1")
        other.images.save(["big:1"], tmp_path / "big.tar")
    small.refuses("load", "-i", tmp_path / "big.tar", saying=FULL)
    with (tmp_path / "big.tar").open("rb") as plain, gzip.open(tmp_path / "big.gz", "wb") as out:
        out.write(plain.read())
    small.refuses("load", "-i", tmp_path / "big.gz", saying=FULL)


@pytest.mark.root
def test_push_of_plain_layers_from_a_full_disk(small: Unharmed, server: RegistryServer) -> None:
    with small.engine() as engine:
        engine.images.import_(io.BytesIO(a_layer({"n": NOISE[: 2 * MEBIBYTE]})), "big:1")
    name = f"{server.host}/big:1"
    small.cli("tag", "big:1", name)
    before = small.state()
    said = small.cli.refused("push", name)
    assert FULL in said
    assert len(said.splitlines()) == 1
    assert small.state() == before
    assert not server.manifests


@pytest.mark.root
def test_save_onto_a_full_disk(unharmed: Unharmed, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=64k", "none") as disk:
        with unharmed.engine() as engine:
            engine.images.import_(io.BytesIO(a_layer({"noise": NOISE})), "big:1")
        said = unharmed.cli.refused("save", "-o", disk / "out.tar", "big:1")
        assert FULL in said
        assert not list(disk.iterdir())


@pytest.mark.root
def test_save_into_a_full_pipe_that_nobody_reads(unharmed: Unharmed) -> None:
    with unharmed.engine() as engine:
        engine.images.import_(io.BytesIO(a_layer({"noise": NOISE})), "big:1")
    with unharmed.cli.started("save", "big:1") as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(60) != 0


@pytest.mark.root
@pytest.mark.parametrize(
    "command",
    [("tag", SOUND, "new:1"), ("rmi", SOUND), ("image", "prune", "-f", "-a")],
    ids=lambda command: command[0],
)
def test_changing_names_on_a_disk_without_a_byte(command: tuple[str, ...], small: Unharmed) -> None:
    """Either there was space after all, or nothing changed: never half of it."""
    hog = fill(small.cli.root)
    done = small.cli.run(*command)
    hog.unlink()
    assert "Traceback" not in done.stderr, done
    if done.returncode:
        assert FULL in done.stderr
        small.check()
    with small.engine() as engine:
        assert not [each for report in engine.images.verify() for each in report.problems]


@pytest.mark.root
@pytest.mark.parametrize("command", [("images",), ("history", SOUND), ("inspect", SOUND)])
def test_looking_at_a_store_on_a_disk_without_a_byte(
    command: tuple[str, ...], small: Unharmed
) -> None:
    """SQLite needs a few bytes to read while others may write: that is said, if so."""
    hog = fill(small.cli.root)
    done = small.cli.run(*command)
    hog.unlink()
    assert done.returncode == 0 or FULL in done.stderr, done
    small.check()


# Stores that cannot be written to.


@pytest.fixture
def read_only(unharmed: Unharmed) -> Iterator[Unharmed]:
    """A nacre whose store lies on a read-only mount."""
    root = unharmed.cli.root
    with mounted(root, "--bind", "-o", "ro", str(root)):
        yield unharmed


@pytest.mark.root
@pytest.mark.parametrize(
    "command",
    [
        ("images",),
        ("history", SOUND),
        ("inspect", SOUND),
        ("image", "verify", "--all"),
        ("system", "df"),
        ("system", "info"),
        ("manifest", "inspect", SOUND),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_read_only_store_can_be_looked_at(command: tuple[str, ...], read_only: Unharmed) -> None:
    before = files(read_only.cli.root)
    assert read_only.cli(*command)
    assert files(read_only.cli.root) == before


@pytest.mark.root
def test_read_only_store_can_be_saved_from(read_only: Unharmed, tmp_path: Path) -> None:
    read_only.cli("save", "-o", tmp_path / "out.tar", SOUND)
    read_only.cli("image", "copy", SOUND, f"oci:{tmp_path}/layout:1")
    with Engine(root=tmp_path / "other", environment={}) as other:
        assert [each.name for each in other.images.load(tmp_path / "out.tar")] == [SOUND]


@pytest.mark.root
def test_read_only_store_can_be_pushed_from(unharmed: Unharmed, server: RegistryServer) -> None:
    """What is compressed already goes out; only that it went cannot be noted."""
    publish(server, "app", "1", an_image())
    unharmed.cli("pull", f"{server.host}/app:1")
    unharmed.cli("tag", f"{server.host}/app:1", f"{server.host}/copy:1")
    root = unharmed.cli.root
    with mounted(root, "--bind", "-o", "ro", str(root)):
        unharmed.cli("push", f"{server.host}/copy:1")
    assert server.tags("copy") == ["1"]


@pytest.mark.root
def test_push_that_must_compress_first_refuses_in_a_read_only_store(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    name = f"{server.host}/app:1"
    unharmed.cli("tag", SOUND, name)
    root = unharmed.cli.root
    with mounted(root, "--bind", "-o", "ro", str(root)):
        said = refusal(unharmed.cli, "push", name, saying="is read-only")
    assert str(root) in said
    assert not server.manifests


@pytest.mark.root
@pytest.mark.parametrize(
    "command",
    [
        ("tag", SOUND, "new:1"),
        ("rmi", SOUND),
        ("image", "prune", "-f"),
        ("system", "prune", "-f"),
        ("import", "/dev/null", "new:1"),
        ("manifest", "create", "new:1", SOUND),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_read_only_store_cannot_be_changed(command: tuple[str, ...], read_only: Unharmed) -> None:
    line = refusal(read_only.cli, *command, saying="is read-only")
    assert str(read_only.cli.root) in line


@pytest.mark.root
def test_read_only_store_cannot_be_pulled_or_loaded_into(
    read_only: Unharmed, server: RegistryServer, tmp_path: Path
) -> None:
    publish(server, "app", "1", LARGE)
    refusal(read_only.cli, "pull", f"{server.host}/app:1", saying="is read-only")
    assert sum(seen.sent for seen in server.seen("GET", "/blobs/")) < 3 * MEBIBYTE
    read_only.cli("save", "-o", tmp_path / "out.tar", SOUND)
    refusal(read_only.cli, "load", "-i", tmp_path / "out.tar", saying="is read-only")


# Stores of others, or of another time.


def test_store_of_a_newer_version_is_left_alone(unharmed: Unharmed) -> None:
    database = unharmed.cli.root / "state.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = files(unharmed.cli.root)
    for command in (
        ("images",),
        ("rmi", SOUND),
        ("tag", SOUND, "new:1"),
        ("system", "prune", "-f"),
    ):
        refusal(unharmed.cli, *command, saying="has format 999.*use a newer nacre")
    assert files(unharmed.cli.root) == before
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA user_version").fetchone() == (999,)
    connection.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: b"rubbish" * 1000,
        lambda raw: raw[:100] + bytes(len(raw) - 100),
        lambda raw: raw[:4096] + b"\xff" * (len(raw) - 4096),
        lambda raw: raw[: len(raw) // 3],
    ],
    ids=["rubbish", "zeros", "ones_in_its_pages", "truncated"],
)
def test_damaged_database_is_named(spoil: Callable[[bytes], bytes], unharmed: Unharmed) -> None:
    database = unharmed.cli.root / "state.db"
    raw = database.read_bytes()
    for path in unharmed.cli.root.glob("state.db*"):
        path.unlink()
    database.write_bytes(spoil(raw))
    before = files(unharmed.cli.root)
    refusal(unharmed.cli, "images", saying="state.db in .* is damaged.*backup")
    refusal(unharmed.cli, "system", "prune", "-f", saying="state.db in .* is damaged")
    assert files(unharmed.cli.root) == before


def test_database_that_is_a_folder(unharmed: Unharmed) -> None:
    for path in unharmed.cli.root.glob("state.db*"):
        path.unlink()
    (unharmed.cli.root / "state.db").mkdir()
    refusal(unharmed.cli, "images", saying="state.db")


def test_store_that_is_a_file(nacre_cli: NacreCli) -> None:
    nacre_cli.root.write_text("not a folder")
    refusal(nacre_cli, "tag", "a", "b", saying=str(nacre_cli.root))
    assert nacre_cli.root.read_text() == "not a folder"


@pytest.mark.parametrize("part", ["config", "layer", "manifest"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_damaged_blob_is_told_and_the_image_can_be_replaced(
    part: str, damage: str, unharmed: Unharmed, server: RegistryServer
) -> None:
    """Other images stay usable, and to remove and pull again mends the damaged one."""
    image = an_image([a_layer({"noise": NOISE[:50_000]})])
    publish(server, "app", "1", image)
    name = f"{server.host}/app:1"
    unharmed.cli("pull", name)
    layer, config, manifest = image.blobs
    digest = {"layer": layer, "config": config, "manifest": manifest}[part]
    blob = unharmed.cli.root / "blobs" / str(digest).replace(":", "/")
    raw = bytearray(blob.read_bytes())
    raw[len(raw) // 2] ^= 1
    blob.unlink()
    if damage != "remove":
        blob.write_bytes(raw if damage == "flip" else raw[:-5])
    done = unharmed.cli.run("image", "verify", "--all")
    assert done.returncode == 1
    assert str(digest) in done.stdout
    assert "sound:base: OK" in done.stdout
    assert "sound" in unharmed.cli("images")
    unharmed.cli("rmi", name)
    unharmed.check()
    unharmed.cli("pull", name)
    assert "OK" in unharmed.cli("image", "verify", name)
