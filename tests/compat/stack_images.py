"""Stacks of layers as images, and the trees that podman, docker and nacre's drivers show."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.driver import StorageDriver
from nacre.storage.mounting import unmount
from nacre.testing.memory_layers import MemoryLayers
from tests.integration.driver_makers import DRIVERS
from tests.integration.storage_trees import Stock
from tests.peers.mounting import mounted_below
from tests.peers.tools import Tool, container_tool, require_tool


class Peer(Protocol):
    """An engine that loads images and shows their trees."""

    tool: Tool

    def shown(self, names: Sequence[str]) -> AbstractContextManager[Mapping[str, Path]]:
        """Show the trees of images while the context lasts."""


class PodmanPeer:
    """Podman, with a storage driver of its choice."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool

    @contextmanager
    def shown(self, names: Sequence[str]) -> Iterator[Mapping[str, Path]]:
        """Mount images as podman does."""
        self.tool("image", "mount", *names)
        try:
            # Asked for one by one and all at once, it answers in two forms.
            lines = self.tool("image", "mount").splitlines()
            yield {name: Path(place) for name, place in map(str.split, lines)}
        finally:
            self.tool("image", "unmount", "--all", "--force")


@contextmanager
def podman_peer(folder: Path, driver: str) -> Iterator[PodmanPeer]:
    """Give podman without images; all that it has is under a folder."""
    with container_tool("podman", folder / "podman", driver=driver) as tool:
        try:
            yield PodmanPeer(tool)
        finally:
            # It mounts the folder of its driver on itself, and does not always undo that.
            for point in reversed(mounted_below(folder)):
                unmount(point, lazy=True)


class DockerPeer:
    """Docker's engine with its driver ``overlay2``.

    Args:
        tool: its command line.
        folder: an empty one, for mounts.
    """

    def __init__(self, tool: Tool, folder: Path) -> None:
        self.tool = tool
        self._folder = folder

    @contextmanager
    def shown(self, names: Sequence[str]) -> Iterator[Mapping[str, Path]]:
        """Stack the folders of the engine as it does itself below those of a container."""
        images = json.loads(self.tool("image", "inspect", *names))
        with ExitStack() as mounted:
            yield {
                name: mounted.enter_context(
                    _stacked(image["GraphDriver"]["Data"], self._folder / str(number))
                )
                for number, (name, image) in enumerate(zip(names, images, strict=True))
            }


@contextmanager
def _stacked(data: Mapping[str, str], place: Path) -> Iterator[Path]:
    folders = [data["UpperDir"], *filter(None, data.get("LowerDir", "").split(":"))]
    merged, empty = place / "merged", place / "empty"
    for folder in (place, merged, empty):
        folder.mkdir()
    # Short names, because all of them together must fit one page; and an empty folder at the
    # bottom, because overlayfs wants two.
    lowers = [*map(str, range(len(folders))), "empty"]
    for link, target in zip(lowers, folders, strict=False):
        (place / link).symlink_to(target)
    command = [require_tool("mount"), "-t", "overlay", "overlay", str(merged)]
    subprocess.run([*command, "-o", f"ro,lowerdir={':'.join(lowers)}"], check=True, cwd=place)
    try:
        yield merged
    finally:
        subprocess.run([require_tool("umount"), merged], check=True)
        shutil.rmtree(place)


ALL_DRIVERS = ("erofs", *DRIVERS)
"""The names of nacre's own drivers."""


class Shower:
    """One of nacre's drivers over a store in a folder."""

    def __init__(self, driver: str, folder: Path) -> None:
        if driver == "erofs":
            stock = Stock(folder)
            self._driver: StorageDriver = stock.driver
            self._add = stock.add
        else:
            layers = MemoryLayers(folder / "tars")
            self._driver = DRIVERS[driver](folder, layers)
            self._add = layers.add_tar

    def __call__(self, tars: Sequence[bytes]) -> AbstractContextManager[Path]:
        """Show the tree of these layers."""
        return self._driver.mounted(Chain.of(map(self._add, tars)))


def read_archive(path: Path) -> list[bytes]:
    """Return the layers, base first, of the one image in an archive of podman's or docker's."""
    with tarfile.open(path) as archive:

        def read(name: str) -> bytes:
            body = archive.extractfile(name)
            assert body is not None
            return body.read()

        [image] = json.loads(read("manifest.json"))
        return [read(name) for name in image["Layers"]]


def write_archive(path: Path, images: Mapping[str, Sequence[bytes]]) -> None:
    """Write an archive, as ``docker save`` does, of images with these layers, base first."""
    written: set[str] = set()
    with tarfile.open(path, "w") as archive:

        def add(name: str, data: bytes) -> str:
            if name not in written:
                written.add(name)
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            return name

        listed = []
        for name, tars in images.items():
            digests = [Digest.of(tar) for tar in tars]
            pairs = zip(digests, tars, strict=True)
            layers = [add(f"{digest.encoded}.tar", tar) for digest, tar in pairs]
            config = json.dumps(_config(name, digests)).encode()
            place = add(f"{Digest.of(config).encoded}.json", config)
            listed.append({"Config": place, "RepoTags": [name], "Layers": layers})
        add("manifest.json", json.dumps(listed).encode())


def _config(name: str, digests: Sequence[Digest]) -> dict[str, object]:
    return {
        "created": "2024-02-29T12:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        # Two names are to be two images, also with the same layers.
        "config": {"Cmd": ["/bin/sh"], "Labels": {"name": name}},
        "rootfs": {"type": "layers", "diff_ids": digests},
    }


def ghosts(root: Path) -> list[bytes]:
    """Return names that a directory lists, and where there is nothing."""
    found = []
    start = os.fsencode(root)
    for folder, folders, files in os.walk(start):
        paths = [os.path.join(folder, name) for name in (*folders, *files)]
        found += [path[len(start) + 1 :] for path in paths if not os.path.lexists(path)]
    return sorted(found)
