"""What other processes do with shared mounts: run as a script, one command each."""

from __future__ import annotations

import random
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

from nacre.storage.mounting import mount_erofs
from nacre.storage.mounts import SharedMounts

KEY = "tree"


def hold(image: str, folder: str) -> None:
    """Use the tree until killed."""
    with _mounted(image, folder) as root:
        _tell(str((root / "name").readlink()))
        time.sleep(60)


def come_and_go(image: str, folder: str, seconds: str) -> None:
    """Use the tree again and again."""
    rounds, end = 0, time.monotonic() + float(seconds)
    while time.monotonic() < end:
        with _mounted(image, folder) as root:
            content = str((root / "name").readlink())
            time.sleep(random.random() / 1000)
            if content != "tree" or str((root / "name").readlink()) != content:
                _tell(f"wrong: {content}")
        rounds += 1
    _tell(f"{rounds > 0}")


def attach_and_detach(image: str, folder: str, at: str, seconds: str) -> None:
    """Attach the tree to a folder and detach it again and again."""
    shared, end = SharedMounts(Path(folder)), time.monotonic() + float(seconds)
    while time.monotonic() < end:
        shared.attach(KEY, lambda place: mount_erofs(Path(image), [], place), Path(at))
        if str((Path(at) / "name").readlink()) != "tree":
            _tell("wrong")
        shared.detach(Path(at))
    _tell("done")


def _mounted(image: str, folder: str) -> AbstractContextManager[Path]:
    return SharedMounts(Path(folder)).mounted(
        KEY, lambda place: mount_erofs(Path(image), [], place)
    )


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
