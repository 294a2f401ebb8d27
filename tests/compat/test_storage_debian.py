"""A real Debian, changed by dpkg and by hand, is the same tree for podman, docker and nacre."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

import pytest

from nacre.layers.entry import Kind
from nacre.layers.tar import scan
from tests.compat.stack_images import (
    ALL_DRIVERS,
    DockerPeer,
    Shower,
    podman_peer,
    read_archive,
    write_archive,
)
from tests.integration.layer_apply import Listing, listing
from tests.peers.mounting import nothing_stays_mounted
from tests.peers.tools import Tool, require_tool, run, succeed
from tests.unit.layers.stacks import Member, file, folder, gone, hardlink, special, symlink, tar_of

pytestmark = pytest.mark.root

BASE, CHANGED, NAME = "localhost/debian:base", "localhost/debian:changed", "localhost/debian:all"

# Packages removed, a directory made anew (opaque), one renamed, a hard link to what lies below,
# changes of owner and mode alone, files behind links, and a name that is no text.
CHANGES = r"""
dpkg --purge --force-depends usrmerge libfile-find-rule-perl >/dev/null
rm -r /etc/cron.daily
mkdir -m 2750 /etc/cron.daily
echo new >/etc/cron.daily/new
mv /usr/share/bash-completion /usr/share/completion-of-bash
ln /usr/bin/env /usr/bin/env-too
chmod 4755 /usr/bin/dpkg
chown 33:44 /usr/bin/apt
touch /lib/behind-a-link "$(printf '/srv/\377\376')"
"""

BY_HAND: list[Member] = [
    *(folder("etc"), folder("etc/cron.daily", 0o2750), gone("etc/cron.daily/new")),
    file("etc/cron.daily/newer", b"newer", mtime=5),
    hardlink("etc/again", "etc/cron.daily/newer", mtime=5),
    *(folder("srv", 0o3777, uid=33, gid=44, mtime=6), symlink("srv/link", "/no/where", uid=9)),
    special("srv/null", Kind.CHR, mode=0o666, devmajor=1, devminor=3),
    special("srv/pipe", Kind.FIFO, mode=0o600),
    file(
        "srv/ping",
        b"ping",
        mode=0o755,
        xattrs=((b"security.capability", b"\1\0\0\2" + b"\0\x20\0\0" + bytes(12)),),
    ),
]
"""A regular layer with all that a file system can say."""


def test_a_changed_debian_is_the_same_tree_everywhere(
    docker: Tool, debian_rootfs_tar: Path, tmp_path: Path
) -> None:
    (tmp_path / "mounts").mkdir()
    with nothing_stays_mounted(tmp_path), podman_peer(tmp_path, "overlay") as podman:
        tars = [*changed_by_dpkg(podman.tool, debian_rootfs_tar, tmp_path), tar_of(BY_HAND)]
        archive = tmp_path / "all.tar"
        write_archive(archive, {NAME: tars})
        trees = {}
        for engine in (podman, DockerPeer(docker, tmp_path / "mounts")):
            engine.tool("load", "--input", archive)
            with engine.shown([NAME]) as shown:
                trees[engine.tool.argv[0]] = listing_below(shown[NAME])
        archive.unlink()
        for driver in ALL_DRIVERS:
            (tmp_path / driver).mkdir()
            with Shower(driver, tmp_path / driver)(tars) as tree:
                ours = listing_below(tree)
            assert len(ours) > 5000
            for engine_name, theirs in trees.items():
                assert ours == theirs, (driver, engine_name)


def changed_by_dpkg(podman: Tool, rootfs: Path, folder: Path) -> list[bytes]:
    """Return the layers of a Debian with changes, as buildah commits them."""
    buildah = Tool((require_tool("buildah"), *podman.argv[1:]), podman.env)
    podman("import", "--quiet", rootfs, BASE)
    container = buildah("from", "--quiet", BASE).strip()
    root = buildah("mount", container).strip()
    succeed(run(require_tool("chroot"), root, "sh", "-ec", CHANGES, env=podman.env))
    buildah("commit", "--quiet", container, CHANGED)
    buildah("rm", container)
    archive = folder / "changed.tar"
    podman("save", "--quiet", "--output", archive, CHANGED)
    tars = read_archive(archive)
    archive.unlink()
    names = [entry.name for entry in scan(tars[1])]
    assert b"etc/cron.daily/.wh..wh..opq" in names
    assert any(posixpath.basename(name).startswith(b".wh.libfile") for name in names)
    return tars


def listing_below(tree: Path) -> Listing:
    """Return what is in a tree; what its root is like, each engine says for itself."""
    found = listing(os.fsencode(tree))
    del found[b""]
    return found
