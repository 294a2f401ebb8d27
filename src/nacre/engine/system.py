"""The system: disk use, pruning, and what this installation is."""

from __future__ import annotations

import os
import platform as python_platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nacre import __version__
from nacre.engine.disk_use import DiskUse, disk_use
from nacre.errors import NotFound

if TYPE_CHECKING:
    from typing import NoReturn

    from nacre.engine.parts import Parts
    from nacre.engine.removing import Pruned


class CannotRun(NotFound):
    """A program is not there, or cannot be run; ``exit_code`` is what shells say then."""

    def __init__(self, program: str, problem: OSError) -> None:
        super().__init__(f"cannot run {program}: {os.strerror(problem.errno or 0)}")
        self.exit_code = 127 if isinstance(problem, FileNotFoundError) else 126


class System:
    """What concerns the installation rather than one image."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def disk_use(self) -> DiskUse:
        """Return what images take, truthfully: every byte counted where it lies."""
        return disk_use(self._parts)

    def prune(self, *, everything: bool = False, filters: Iterable[str] = ()) -> Pruned:
        """Remove unused images and every byte that nobody refers to, interrupted downloads too.

        So goes what storage drivers made of images that are gone, and what dead processes left.
        """
        return self._parts.prune(everything=everything, filters=filters, downloads=True)

    def run_inside(self, command: Sequence[str]) -> NoReturn:
        """Replace this process by a command in a user namespace, where its user may mount.

        Raises:
            CannotRun: there is no such command, or none that can be run.
            Denied, Unsupported: this machine does not let its users make namespaces.
        """
        from nacre.storage.namespace import run_inside  # noqa: PLC0415 - few need it

        self._parts.close()
        try:
            run_inside(command)
        except OSError as problem:
            raise CannotRun(command[0], problem) from problem

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
            "Name": uname.nodename,
            "NacreRootDir": str(settings.root),
            "DockerRootDir": str(settings.root),
            "SettingsFile": str(settings.config_file or ""),
            "Rootless": os.geteuid() != 0,
            "OSType": uname.sysname.lower(),
            "OperatingSystem": _pretty_name(),
            "KernelVersion": uname.release,
            "Architecture": uname.machine,
            "NCPU": os.cpu_count() or 1,
            "MemTotal": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
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
