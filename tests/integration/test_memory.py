"""Memory does not grow with the size of layers."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.conftest import RegistryStarter
from tests.integration.images import MEBIBYTE
from tests.peers.nacre import NacreCli

LIMIT = 80 * MEBIBYTE
LAYER = 300


def peak(cli: NacreCli, *command: str | Path) -> int:
    """Run a command that must succeed and return the most memory it had, in bytes."""
    with cli.started(*command) as process:
        assert process.stdout
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return usage.ru_maxrss * 1024


@pytest.mark.peers
def test_peak_memory_with_a_layer_of_300_megabytes(
    nacre_cli: NacreCli, docker_registry: RegistryStarter, tmp_path: Path
) -> None:
    registry = docker_registry()
    rootfs = tmp_path / "rootfs.tar"
    with rootfs.open("wb") as file:
        header = _header(LAYER * MEBIBYTE)
        file.write(header)
        dice = random.Random(19)
        for _ in range(LAYER):
            file.write(dice.randbytes(MEBIBYTE))
        file.write(bytes(1024))
    name = f"{registry.host}/app:1"
    archive = tmp_path / "archive.tar"
    peaks = {"import": peak(nacre_cli, "import", rootfs, name)}
    rootfs.unlink()
    peaks["push"] = peak(nacre_cli, "push", name)
    peaks["rmi"] = peak(nacre_cli, "rmi", name)
    peaks["pull"] = peak(nacre_cli, "pull", name)
    peaks["verify"] = peak(nacre_cli, "image", "verify", name)
    peaks["save"] = peak(nacre_cli, "save", "-o", archive, name)
    peaks["rmi again"] = peak(nacre_cli, "rmi", name)
    peaks["load"] = peak(nacre_cli, "load", "-i", archive)
    assert {verb: most for verb, most in peaks.items() if most > LIMIT} == {}


def _header(size: int) -> bytes:
    import tarfile

    member = tarfile.TarInfo("noise")
    member.size = size
    return member.tobuf(tarfile.USTAR_FORMAT)
