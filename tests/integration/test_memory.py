"""Memory does not grow with the size of layers."""

from __future__ import annotations

import random
import sys
import tarfile
from pathlib import Path

import pytest

from tests.conftest import RegistryStarter
from tests.integration.images import MEBIBYTE
from tests.peers.nacre import NacreCli
from tests.peers.tools import run, succeed

LIMIT = 80 * MEBIBYTE
LAYER = 300


# A child begins with the peak of the process that made it, so a small one is put in between.
WATCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def peak(cli: NacreCli, *command: str | Path) -> int:
    """Run a command that must succeed and return the most memory it had, in bytes."""
    watched = (sys.executable, "-I", "-S", "-c", WATCHER, *cli.argv(*command))
    return int(succeed(run(*watched, env=cli.env)).stdout) * 1024


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
    assert min(peaks.values()) > MEBIBYTE
    assert {verb: most for verb, most in peaks.items() if most > LIMIT} == {}


def _header(size: int) -> bytes:
    member = tarfile.TarInfo("noise")
    member.size = size
    return member.tobuf(tarfile.USTAR_FORMAT)
