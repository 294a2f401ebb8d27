"""Killed in the middle: nothing is broken, and the next attempt goes on from the bytes on disk."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from nacre.testing.builders import a_layer
from tests.conftest import ProxyStarter, RegistryStarter
from tests.integration.images import MEBIBYTE, noise_image, place, size_of
from tests.integration.unharmed import KEPT, files
from tests.peers.nacre import NacreCli
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer

SLACK = 10 * MEBIBYTE
"""What one attempt may have under way between server and disk: three connections' buffers."""


def kill_when(cli: NacreCli, condition: Callable[[], bool], *command: str | Path) -> bool:
    """Run a command and kill it once a condition holds; say whether it was killed."""
    with cli.started(*command) as process:
        while not condition():
            if process.poll() is not None:
                return False
            time.sleep(0.001)
        process.kill()
        return process.wait() == -9


def kill_after(cli: NacreCli, seconds: float, *command: str | Path) -> bool:
    """Run a command and kill it after a while; say whether it was killed."""
    end = time.monotonic() + seconds
    return kill_when(cli, lambda: time.monotonic() > end, *command)


def assert_sound(cli: NacreCli) -> None:
    """Check that every byte of every image is right, and that the store can be collected."""
    done = cli.run("image", "verify", "--all")
    assert done.returncode == 0, done


def assert_no_leftovers(cli: NacreCli) -> None:
    """Check that pruning leaves what images consist of, and nothing else."""
    cli("image", "prune", "-f")
    found = [name for name in files(cli.root) if not name.startswith(KEPT)]
    assert sorted(found) == ["index.json", "oci-layout"]
    assert "Total reclaimed space: 0B" in cli("system", "prune", "-f")


def kill_pulls(
    cli: NacreCli,
    docker_registry: RegistryStarter,
    proxy_before: ProxyStarter,
    folder: Path,
    *,
    sizes: list[int],
    points: int,
    seed: int,
) -> None:
    """Kill a pull at random points of its progress: one that began anew would send far more."""
    sys.stdout.write(f"seed {seed}\n")  # shown when the test fails
    dice = random.Random(seed)
    image = noise_image(seed, *sizes)
    registry = docker_registry()
    place(image, cli, folder / "layout", f"docker://{registry.host}/app:1")
    proxy = proxy_before(registry.port)
    proxy.delay = 0.005
    name = f"{proxy.host}/app:1"
    for point in sorted(dice.randrange(size_of(image) - MEBIBYTE) for _ in range(points)):
        reached = partial(has_bytes, cli.root, point)
        assert kill_when(cli, reached, "pull", name)
        assert "app" not in cli("images")
        assert_sound(cli)
    proxy.delay = 0.0
    cli("pull", name)
    sent = proxy.received
    sys.stdout.write(f"{sent} bytes were sent of an image of {size_of(image)}\n")
    assert sent >= size_of(image)
    assert sent <= size_of(image) + (points + 1) * SLACK
    assert_sound(cli)
    assert not [path for path in files(cli.root) if path.endswith(".part")]
    assert_no_leftovers(cli)


@pytest.mark.peers
def test_pull_killed_at_twenty_points_goes_on_from_the_bytes_on_disk(
    nacre_cli: NacreCli,
    docker_registry: RegistryStarter,
    proxy_before: ProxyStarter,
    tmp_path: Path,
) -> None:
    kill_pulls(
        nacre_cli,
        docker_registry,
        proxy_before,
        tmp_path,
        sizes=[20] * 5,
        points=20,
        seed=20240229,
    )


@pytest.mark.peers
@pytest.mark.soak
def test_larger_pull_killed_at_a_hundred_points(
    nacre_cli: NacreCli,
    docker_registry: RegistryStarter,
    proxy_before: ProxyStarter,
    tmp_path: Path,
) -> None:
    kill_pulls(
        nacre_cli,
        docker_registry,
        proxy_before,
        tmp_path,
        sizes=[150, 100, 90, 80, 60, 20, 5],
        points=100,
        seed=time.time_ns(),
    )


def test_next_pull_asks_for_just_the_bytes_that_are_not_on_disk(
    nacre_cli: NacreCli, server: RegistryServer
) -> None:
    image = noise_image(1, 6, 5, 4)
    publish(server, "app", "1", image)
    server.options.pace = 0.02
    name = f"{server.host}/app:1"
    asked = 0
    for _ in range(4):
        server.requests.clear()
        before = parts(nacre_cli.root)
        goal = sum(before.values()) + 2 * MEBIBYTE
        assert kill_when(nacre_cli, partial(has_bytes, nacre_cli.root, goal), "pull", name)
        server.settle()
        for request in server.seen("GET", "/blobs/"):
            digest = request.route.rpartition("/")[2]
            start = before.get(digest, 0)
            assert request.headers.get("range", "") == (f"bytes={start}-" if start else "")
            asked += bool(start)
    assert asked >= 4
    server.options.pace = 0.0
    server.requests.clear()
    missing = size_of(image) - sum(parts(nacre_cli.root).values())
    nacre_cli("pull", name)
    assert sum(seen.sent for seen in server.seen("GET", "/blobs/")) <= missing
    assert_sound(nacre_cli)
    assert_no_leftovers(nacre_cli)


def parts(root: Path) -> dict[str, int]:
    """Return how many bytes are on disk of each blob that is not complete."""
    found: dict[str, int] = {}
    for path in (root / "ingest").glob("*.part"):
        with suppress(FileNotFoundError):  # it is complete since a moment ago
            found[path.stem.replace("-", ":", 1)] = path.stat().st_size
    return found


def has_bytes(root: Path, count: int) -> bool:
    """Say whether more bytes than so many are on disk, of whole blobs and of parts."""
    whole = sum(path.stat().st_size for path in (root / "blobs").glob("*/*"))
    return whole + sum(parts(root).values()) > count


def test_part_that_was_spoilt_meanwhile_is_fetched_anew(
    nacre_cli: NacreCli, server: RegistryServer
) -> None:
    publish(server, "app", "1", noise_image(2, 6))
    server.options.pace = 0.02
    name = f"{server.host}/app:1"
    enough = partial(has_bytes, nacre_cli.root, 3 * MEBIBYTE)
    assert kill_when(nacre_cli, enough, "pull", name)
    [part] = (nacre_cli.root / "ingest").glob("*.part")
    with part.open("r+b") as file:
        file.seek(1000)
        file.write(b"spoilt")
    nacre_cli("pull", name)
    assert_sound(nacre_cli)
    assert_no_leftovers(nacre_cli)


def test_pull_killed_after_its_last_byte(nacre_cli: NacreCli, server: RegistryServer) -> None:
    """Between the last byte and the name there is checking, syncing and noting to be killed in."""
    dice = random.Random(3)
    total = 0
    for attempt in range(12):
        image = noise_image(attempt, 1, 1)
        publish(server, f"app{attempt}", "1", image)
        total = len(server.seen("GET", "/blobs/")) + 3
        wait = dice.uniform(0, 0.12)
        done: list[float] = []

        def ripe(total: int = total, wait: float = wait, done: list[float] = done) -> bool:
            if len(server.seen("GET", "/blobs/")) >= total and not done:
                done.append(time.monotonic())
            return bool(done) and time.monotonic() - done[0] > wait

        kill_when(nacre_cli, ripe, "pull", f"{server.host}/app{attempt}:1")
        if f"app{attempt} " in nacre_cli("images"):
            assert "OK" in nacre_cli("image", "verify", f"{server.host}/app{attempt}:1")
    assert_sound(nacre_cli)
    for attempt in range(12):
        nacre_cli("pull", "-q", f"{server.host}/app{attempt}:1")
    assert nacre_cli("image", "verify", "--all").count("OK") == 12
    assert_no_leftovers(nacre_cli)


# Other commands.


def repeatedly_killed(
    cli: NacreCli, command: tuple[str | Path, ...], *, seed: int, times: int = 8
) -> None:
    """Kill a command at random moments of the time it takes, then let it run to its end."""
    dice = random.Random(seed)
    for _ in range(times):
        if not kill_after(cli, dice.uniform(0.05, 0.6), *command):
            break
        assert_sound(cli)
    cli(*command)
    assert_sound(cli)


@pytest.fixture
def archive(nacre_cli: NacreCli, tmp_path: Path) -> Path:
    """An archive of an image with three layers."""
    other = NacreCli(tmp_path / "other")
    path = tmp_path / "archive.tar"
    place(noise_image(4, 12, 12, 12), other, tmp_path / "layout", f"docker-archive:{path}:app:1")
    return path


def test_killed_load(nacre_cli: NacreCli, archive: Path) -> None:
    repeatedly_killed(nacre_cli, ("load", "-i", archive), seed=5)
    assert "app" in nacre_cli("images")
    assert_no_leftovers(nacre_cli)


def test_killed_import(nacre_cli: NacreCli, tmp_path: Path) -> None:
    rootfs = tmp_path / "rootfs.tar"
    rootfs.write_bytes(a_layer({"noise": random.Random(6).randbytes(48 * MEBIBYTE)}))
    repeatedly_killed(nacre_cli, ("import", rootfs, "app:1"), seed=6)
    assert_no_leftovers(nacre_cli)


@pytest.mark.peers
def test_killed_push(
    nacre_cli: NacreCli,
    docker_registry: RegistryStarter,
    proxy_before: ProxyStarter,
    tmp_path: Path,
) -> None:
    """Plain layers, so that it is killed while compressing as well as while sending."""
    registry = docker_registry()
    proxy = proxy_before(registry.port)
    proxy.delay = 0.005
    rootfs = tmp_path / "rootfs.tar"
    rootfs.write_bytes(a_layer({"noise": random.Random(7).randbytes(24 * MEBIBYTE)}))
    name = f"{proxy.host}/app:1"
    nacre_cli("import", rootfs, name)
    repeatedly_killed(nacre_cli, ("push", name), seed=7)
    nacre_cli("rmi", name)
    proxy.delay = 0.0
    nacre_cli("pull", name)
    assert_sound(nacre_cli)
    assert_no_leftovers(nacre_cli)


def test_killed_save_leaves_no_half_archive(nacre_cli: NacreCli, archive: Path) -> None:
    nacre_cli("load", "-i", archive)
    out = archive.with_name("out.tar")
    dice = random.Random(8)
    for _ in range(5):
        kill_after(nacre_cli, dice.uniform(0.1, 0.5), "save", "-o", out, "app:1")
        if out.exists():
            NacreCli(archive.with_name(f"reader-{dice.random()}"))("load", "-i", out)
    nacre_cli("save", "-o", out, "app:1")
    assert_sound(nacre_cli)


def test_killed_while_names_change(nacre_cli: NacreCli, tmp_path: Path) -> None:
    """Whatever of tag, rmi and prune was killed: each name is there or not, each image whole."""
    dice = random.Random(9)
    rootfs = tmp_path / "rootfs.tar"
    for attempt in range(10):
        rootfs.write_bytes(a_layer({"noise": dice.randbytes(MEBIBYTE)}))
        image = nacre_cli("import", rootfs, f"app:{attempt}").strip()
        kill_after(nacre_cli, dice.uniform(0.05, 0.25), "tag", image, f"also:{attempt}")
        kill_after(nacre_cli, dice.uniform(0.05, 0.25), "rmi", f"app:{attempt}")
        kill_after(nacre_cli, dice.uniform(0.05, 0.25), "image", "prune", "-f")
        assert_sound(nacre_cli)
        for name in (f"app:{attempt}", f"also:{attempt}"):
            done = nacre_cli.run("history", name)
            assert done.returncode == 0 or "No such image" in done.stderr, done
    nacre_cli("image", "prune", "-a", "-f")
    assert_no_leftovers(nacre_cli)
    assert not list((nacre_cli.root / "blobs" / "sha256").iterdir())
