"""The system: disk use, pruning, and what this installation is."""

from __future__ import annotations

import os
import platform as python_platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nacre import __version__
from nacre.content import gc
from nacre.content.store import BlobNotFound
from nacre.engine import removing
from nacre.errors import NacreError, NotFound
from nacre.value import replace

if TYPE_CHECKING:
    from typing import NoReturn

    from nacre.engine.catalogue import LocalImage
    from nacre.engine.parts import Parts
    from nacre.engine.removing import Pruned
    from nacre.oci.descriptor import Descriptor
    from nacre.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class ImageUse:
    """The disk that one image takes, in bytes as they lie."""

    image: LocalImage
    shared: int
    """Bytes that other images have too."""

    unique: int
    """Bytes that would become free with this image."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    """The disk that the store takes, in bytes."""

    images: tuple[ImageUse, ...]
    size: int
    """All blobs together, each once."""

    unreferenced: int
    """Blobs that no image has: what ``system prune`` frees at once."""


class System:
    """What concerns the installation rather than one image."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def disk_use(self) -> DiskUse:
        """Return what images take, truthfully: every byte counted where it lies."""
        blobs = self._parts.store.blobs
        images = self._parts.catalogue.all()
        parts = [gc.reachable(self._roots(image), blobs) for image in images]
        owners: dict[Digest, int] = {}
        for part in parts:
            for digest in part:
                owners[digest] = owners.get(digest, 0) + 1
        sizes = self._sizes()
        uses = [
            ImageUse(
                image,
                shared=sum(sizes.get(digest, 0) for digest in part if owners[digest] > 1),
                unique=sum(sizes.get(digest, 0) for digest in part if owners[digest] == 1),
            )
            for image, part in zip(images, parts, strict=True)
        ]
        return DiskUse(
            tuple(uses),
            size=sum(sizes.values()),
            unreferenced=sum(size for digest, size in sizes.items() if digest not in owners),
        )

    def _roots(self, image: LocalImage) -> Iterator[Descriptor]:
        """Go through what an image is here as, the forms in which it was pushed included."""
        for record in image.records:
            yield record.descriptor
            yield from self._parts.store.state.pushed_as(record.descriptor.digest)

    def _sizes(self) -> dict[Digest, int]:
        blobs = self._parts.store.blobs
        sizes: dict[Digest, int] = {}
        for digest in blobs:
            with suppress(BlobNotFound):  # somebody prunes meanwhile
                sizes[digest] = blobs.size(digest)
        return sizes

    def prune(self, *, everything: bool = False, filters: Iterable[str] = ()) -> Pruned:
        """Remove unused images and every byte that nobody refers to, interrupted downloads too.

        So goes what storage drivers made of images that are gone, and what dead processes left.
        """
        pruned = removing.prune(
            self._parts.store,
            self._parts.catalogue,
            everything=everything,
            filters=filters,
            downloads=True,
            mounts=self._parts.attached,
        )
        return replace(pruned, reclaimed=pruned.reclaimed + self._prune_storage())

    def _prune_storage(self) -> int:
        if not (self._parts.settings.root / "storage").exists():
            return 0
        from nacre.engine.mounting import chain_of  # noqa: PLC0415 - few need the drivers

        alive = []
        for image in self._parts.catalogue.all():
            with suppress(NacreError):  # incomplete or damaged
                alive.append(chain_of(image))
        return self._parts.storage.prune(alive)

    def run_inside(self, command: Sequence[str]) -> NoReturn:
        """Replace this process by a command in a user namespace, where its user may mount.

        Raises:
            NotFound: there is no such command.
            Denied, Unsupported: this machine does not let its users make namespaces.
        """
        from nacre.storage.namespace import run_inside  # noqa: PLC0415 - few need it

        self._parts.close()
        try:
            run_inside(command)
        except OSError as problem:
            reason = os.strerror(problem.errno or 0)
            raise NotFound(f"cannot run {command[0]}: {reason}") from problem

    def info(self) -> dict[str, Any]:
        """Return what this installation is, with Docker's keys where it has them."""
        from nacre.engine.storage import working  # noqa: PLC0415 - few need the drivers

        settings = self._parts.settings
        driver, found = working(self._parts.storage)
        uname = os.uname()
        return {
            "ServerVersion": __version__,
            "Images": len(self._parts.catalogue.all()),
            "Containers": 0,
            "Driver": driver,
            "DriverStatus": [[name, said] for name, said in found.items()],
            "NacreRootDir": str(settings.root),
            "SettingsFile": str(settings.config_file or ""),
            "Rootless": os.geteuid() != 0,
            "OSType": uname.sysname.lower(),
            "OperatingSystem": _pretty_name(),
            "KernelVersion": uname.release,
            "Architecture": uname.machine,
            "NCPU": os.cpu_count() or 1,
            "Platform": str(settings.platform),
            "PythonVersion": python_platform.python_version(),
            "RegistryConfig": {host: dict(table) for host, table in settings.registry.items()},
        }


def _pretty_name() -> str:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "Linux"
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values.get("PRETTY_NAME", "Linux").strip("\"'")
