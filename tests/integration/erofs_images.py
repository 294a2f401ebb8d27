"""Images of trees for the tests that mount them."""

from __future__ import annotations

import mmap
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nacre.erofs.inode import Device, Inode
from nacre.erofs.source import InodeTree
from nacre.erofs.writer import write_image
from nacre.layers.tar import scan
from tests.peers.mounting import erofs_mounted
from tests.peers.trees import tree_of

UNPACK = ("--xattrs", "--xattrs-include=*", "--same-owner", "--numeric-owner", "-p")


def image_of(tar: Path, image: Path) -> Inode:
    """Write the image of the tree that a tar makes; return the tree."""
    with tar.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        tree = tree_of(scan(data))
    write(tree, [tar], image)
    return tree


def write(tree: Inode, devices: Sequence[Path], image: Path) -> None:
    """Write the image of a tree whose data lies in some files."""
    with image.open("w+b") as out:
        found = [Device(file.name[:64].encode(), file.stat().st_size) for file in devices]
        write_image(out, InodeTree(tree), found)


@contextmanager
def mounted(tree: Inode, devices: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Mount a tree whose data lies in some files; ``folder`` takes the image and the mount."""
    write(tree, devices, folder / "image.erofs")
    with erofs_mounted(folder / "image.erofs", devices, folder / "mounted") as root:
        yield root


def unpack(tar: Path, folder: Path) -> Path:
    """Let GNU tar unpack an archive into a new folder."""
    folder.mkdir()
    subprocess.run(["tar", "-x", "-f", tar, "-C", folder, *UNPACK], check=True)
    return folder


def without_checksum(image: Path) -> Path:
    """Take the checksum away: fsck.erofs 1.8.6 reads beyond its buffer with blocks of 512 bytes."""
    with image.open("r+b") as file:
        file.seek(1024 + 4)
        file.write(bytes(4) + (0x2).to_bytes(4, "little"))
    return image
