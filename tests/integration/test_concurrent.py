"""Several processes at once: each blob comes once, and nobody loses anything."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from nacre.testing.builders import a_layer
from tests.conftest import RegistryStarter
from tests.integration.images import MEBIBYTE, noise_image, place
from tests.integration.unharmed import KEPT, files
from tests.peers.nacre import NacreCli
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer

Command = Sequence[str | Path]


def all_at_once(cli: NacreCli, *commands: Command) -> list[str]:
    """Run commands at the same time; all must succeed. Return what each said."""
    with ExitStack() as stack:
        running = [stack.enter_context(cli.started(*command)) for command in commands]
        said = [process.communicate(timeout=120)[0].decode() for process in running]
        for command, process, text in zip(commands, running, said, strict=True):
            assert process.returncode == 0, f"{command}: {text}"
    return said


def while_it_runs(cli: NacreCli, command: Command, *disturbances: Command) -> int:
    """Run a command to its end, others again and again meanwhile; return how many of those."""
    count = 0
    with cli.started(*command) as process:
        while process.poll() is None:
            for disturbance in disturbances:
                done = cli.run(*disturbance)
                assert done.returncode == 0 or "No such image" in done.stderr, done
                count += 1
        text = process.communicate()[0].decode()
        assert process.returncode == 0, text
    return count


def assert_sound(cli: NacreCli) -> None:
    """Check that all images are whole, and that nothing but them is left after pruning."""
    done = cli.run("image", "verify", "--all")
    assert done.returncode == 0, done
    cli("system", "prune", "-f")
    found = [name for name in files(cli.root) if not name.startswith(KEPT)]
    assert sorted(found) == ["index.json", "oci-layout"]
    assert cli.run("image", "verify", "--all").returncode == 0


@pytest.mark.parametrize("count", [2, 4])
def test_pulls_of_one_image_fetch_each_blob_once(
    count: int, nacre_cli: NacreCli, server: RegistryServer
) -> None:
    image = noise_image(10, 3, 3, 2)
    publish(server, "app", "1", image)
    server.options.pace = 0.005
    name = f"{server.host}/app:1"
    all_at_once(nacre_cli, *[("pull", name)] * count)
    for digest in image.blobs:
        if digest != image.root.digest:
            sent = sum(seen.sent for seen in server.seen("GET", f"/blobs/{digest}"))
            # A config is read to know what to do, and once more by whoever stores it.
            limit = count if len(image.blobs[digest]) < 10_000 else 1
            assert len(image.blobs[digest]) <= sent <= limit * len(image.blobs[digest])
    assert_sound(nacre_cli)


def test_pulls_of_images_that_share_layers_fetch_each_once(
    nacre_cli: NacreCli, server: RegistryServer
) -> None:
    from nacre.testing.builders import an_image

    dice = random.Random(11)
    layers = [a_layer({f"{at}": dice.randbytes(2 * MEBIBYTE)}) for at in range(3)]
    images = [an_image(layers[:2]), an_image(layers)]
    for at, image in enumerate(images):
        publish(server, "app", str(at), image)
    server.options.pace = 0.005
    all_at_once(nacre_cli, *[("pull", f"{server.host}/app:{at}") for at in range(2)])
    for digest, data in images[1].blobs.items():
        if len(data) > MEBIBYTE:
            assert sum(seen.sent for seen in server.seen("GET", f"/blobs/{digest}")) == len(data)
    assert_sound(nacre_cli)


@pytest.mark.parametrize(
    "disturbance",
    [("image", "prune", "-f"), ("image", "prune", "-a", "-f"), ("system", "prune", "-f")],
    ids=" ".join,
)
def test_pull_while_others_prune_loses_nothing(
    disturbance: Command, nacre_cli: NacreCli, server: RegistryServer
) -> None:
    publish(server, "app", "1", noise_image(12, 2, 2, 2, 1))
    server.options.pace = 0.02
    name = f"{server.host}/app:1"
    assert while_it_runs(nacre_cli, ("pull", name), disturbance) > 1
    if "-a" not in disturbance:
        assert "OK" in nacre_cli("image", "verify", name)
    server.options.pace = 0.0
    nacre_cli("pull", name)
    assert_sound(nacre_cli)


def test_pull_while_its_layers_are_removed_with_another_image(
    nacre_cli: NacreCli, server: RegistryServer
) -> None:
    """What the pull found here must not vanish under it."""
    from nacre.testing.builders import an_image

    dice = random.Random(13)
    layers = [a_layer({f"{at}": dice.randbytes(MEBIBYTE)}) for at in range(4)]
    publish(server, "base", "1", an_image(layers[:2]))
    publish(server, "app", "1", an_image(layers))
    base, name = f"{server.host}/base:1", f"{server.host}/app:1"
    for _ in range(3):
        nacre_cli("pull", base)
        server.options.pace = 0.02
        assert while_it_runs(nacre_cli, ("pull", name), ("rmi", base))
        server.options.pace = 0.0
        assert "OK" in nacre_cli("image", "verify", name)
        nacre_cli("rmi", name)
    assert_sound(nacre_cli)


def test_image_that_is_removed_while_it_is_pulled_again(
    nacre_cli: NacreCli, server: RegistryServer
) -> None:
    publish(server, "app", "1", noise_image(14, 1, 1))
    server.options.pace = 0.01
    name = f"{server.host}/app:1"
    for _ in range(4):
        nacre_cli("pull", name)
        while_it_runs(nacre_cli, ("pull", name), ("rmi", name))
        done = nacre_cli.run("image", "verify", "--all")
        assert done.returncode == 0, done
    assert_sound(nacre_cli)


def test_names_that_many_give_at_once_are_all_there(nacre_cli: NacreCli, tmp_path: Path) -> None:
    (tmp_path / "rootfs.tar").write_bytes(a_layer({"a": b"a"}))
    nacre_cli("import", tmp_path / "rootfs.tar", "app:base")
    for turn in range(4):
        names = [f"app:{turn}-{at}" for at in range(8)]
        all_at_once(nacre_cli, *[("tag", "app:base", name) for name in names])
        all_at_once(nacre_cli, *[("rmi", name) for name in names[:4]])
    tags = set(nacre_cli("images", "--format", "{{.Tag}}").split())
    assert tags == {"base", *(f"{turn}-{at}" for turn in range(4) for at in range(4, 8))}
    listed = (nacre_cli.root / "index.json").read_text()
    assert all(f"app:{tag}" in listed for tag in tags)
    assert_sound(nacre_cli)


def test_name_given_while_the_last_one_is_taken_away(nacre_cli: NacreCli, tmp_path: Path) -> None:
    """Either the image is gone and the tag was refused, or it is whole under its new name."""
    dice = random.Random(15)
    for turn in range(12):
        (tmp_path / "rootfs.tar").write_bytes(a_layer({"a": dice.randbytes(100_000)}))
        nacre_cli("import", tmp_path / "rootfs.tar", f"old:{turn}")
        with nacre_cli.started("rmi", f"old:{turn}") as removing:
            time.sleep(dice.uniform(0, 0.02))
            tagged = nacre_cli.run("tag", f"old:{turn}", f"new:{turn}")
            removing.communicate()
        assert removing.returncode == 0
        found = nacre_cli.run("image", "verify", f"new:{turn}")
        assert found.returncode == tagged.returncode, (tagged, found)
    assert_sound(nacre_cli)


def test_loads_at_once(nacre_cli: NacreCli, tmp_path: Path) -> None:
    archives = []
    for at, sizes in enumerate([(4, 2), (4, 3)]):
        path = tmp_path / f"{at}.tar"
        other = NacreCli(tmp_path / f"other{at}")
        place(noise_image(16, *sizes), other, tmp_path / f"{at}", f"docker-archive:{path}:app:{at}")
        archives.append(path)
    said = all_at_once(nacre_cli, *[("load", "-i", path) for path in [*archives, *archives]])
    assert [text.split()[-1] for text in said] == ["app:0", "app:1", "app:0", "app:1"]
    assert_sound(nacre_cli)


def test_imports_at_once(nacre_cli: NacreCli, tmp_path: Path) -> None:
    (tmp_path / "rootfs.tar").write_bytes(a_layer({"a": random.Random(17).randbytes(MEBIBYTE)}))
    commands = [("import", tmp_path / "rootfs.tar", f"app:{at}") for at in range(4)]
    all_at_once(nacre_cli, *commands)
    assert sorted(nacre_cli("images", "--format", "{{.Tag}}").split()) == ["0", "1", "2", "3"]
    assert_sound(nacre_cli)


@pytest.mark.peers
def test_pushes_of_one_image_at_once(
    nacre_cli: NacreCli, docker_registry: RegistryStarter, tmp_path: Path
) -> None:
    registry = docker_registry()
    (tmp_path / "rootfs.tar").write_bytes(a_layer({"a": random.Random(18).randbytes(4 * MEBIBYTE)}))
    name = f"{registry.host}/app:1"
    nacre_cli("import", tmp_path / "rootfs.tar", name)
    said = all_at_once(nacre_cli, *[("push", name)] * 3)
    digests = {line.split("digest: ")[1].split()[0] for line in "".join(said).splitlines()
               if "digest: " in line}  # fmt: skip
    assert len(digests) == 1
    nacre_cli("rmi", name)
    nacre_cli("pull", name)
    assert_sound(nacre_cli)


def test_first_use_of_a_store_by_many(nacre_cli: NacreCli, tmp_path: Path) -> None:
    """Nobody made it before; all of them try to."""
    (tmp_path / "rootfs.tar").write_bytes(a_layer({"a": b"a"}))
    for turn in range(3):
        nacre_cli.root = tmp_path / f"store-{turn}"
        commands: list[Command] = [("images",)] * 3
        commands += [("import", tmp_path / "rootfs.tar", f"app:{at}") for at in range(3)]
        all_at_once(nacre_cli, *commands)
        assert len(nacre_cli("images", "-q").split()) == 3
        assert_sound(nacre_cli)
