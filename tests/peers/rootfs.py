"""A tar of a real root file system, the one that scripts/demo uses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[2] / "scripts" / "rootfs"


def debian_rootfs() -> Path:
    """Return the path of the tar, made by mmdebstrap when the cache has none."""
    done = subprocess.run([_SCRIPT], capture_output=True, text=True, timeout=570, check=False)
    if done.returncode != 0:
        pytest.fail(f"scripts/rootfs failed:\n{done.stderr}", pytrace=False)
    return Path(done.stdout.strip())
