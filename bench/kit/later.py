"""Programs of the next Debian, in a root file system of their own that is made once and kept."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.kit.cache import CACHE
from bench.kit.stopwatch import CommandFailed, program, succeed
from bench.kit.tools import version
from tests.peers.later_debian import RELEASE, SUITE, command_making_tree

_PACKAGES = ("docker-cli", "docker.io", "iptables", "mount", "podman")

# mmdebstrap mounts things too: whatever ends it, they and its processes end with it.
_CONFINED = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")

_ENTER = """
root="$1" shared="$2"
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root$shared"
mount --bind "$shared" "$root$shared"
exec chroot "$root" sh -c 'echo entered; exec cat'
"""
_PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class LaterDebian:
    """A namespace with the next Debian's programs; what is in CACHE has the same path in there.

    ``prefix`` begins the command line of a program of its; no process is put in between.
    """

    prefix: tuple[str, ...]

    def versions(self, *names: str) -> dict[str, str]:
        """Return the versions of these programs, under names that say whose they are."""
        return {f"{name} of {RELEASE}": version(*self.prefix, name) for name in names}


@contextmanager
def later_debian() -> Iterator[LaterDebian]:
    """Enter the next Debian until the block ends; its mounts are seen by its programs only.

    Raises:
        CommandFailed: it cannot be made or entered.
    """
    argv = (program("unshare"), "--mount", "--propagation", "private", "sh", "-ec", _ENTER, "sh")
    # This process holds the mounts. It ends with its input, so it cannot outlive us; Ctrl-C is not
    # for it, because what puts everything back still has to enter.
    with subprocess.Popen(
        [*argv, str(_tree()), str(CACHE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as holder:
        assert holder.stdout is not None
        if not holder.stdout.readline():
            raise CommandFailed(f"the root file system of {RELEASE} cannot be entered; see above")
        place = ("--target", str(holder.pid), "--mount", "--root", "--wd")
        yield LaterDebian((program("nsenter"), *place, "env", _PATH))


def _tree() -> Path:
    """Return the root file system, made when it is not there."""
    made = CACHE / f"debian-{SUITE}"
    if not made.exists():
        print(f"making a root file system of {RELEASE} (once; kept in {CACHE})", flush=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="make-", dir=CACHE) as work:
            part = Path(work) / "root"
            succeed(*_CONFINED, *command_making_tree(part, *_PACKAGES, variant="apt"))
            part.rename(made)
    return made
