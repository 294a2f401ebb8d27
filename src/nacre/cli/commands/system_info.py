"""``nacre info``: what this installation is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nacre.cli.options import format_
from nacre.cli.render.inspection import render_one

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (format_("f"),)
_SHOWN = (
    ("Containers", "Containers"),
    ("Images", "Images"),
    ("Server Version", "ServerVersion"),
    ("Storage Driver", "Driver"),
    ("Python Version", "PythonVersion"),
    ("Kernel Version", "KernelVersion"),
    ("Operating System", "OperatingSystem"),
    ("OSType", "OSType"),
    ("Architecture", "Architecture"),
    ("Platform", "Platform"),
    ("CPUs", "NCPU"),
    ("Rootless", "Rootless"),
    ("Nacre Root Dir", "NacreRootDir"),
    ("Settings File", "SettingsFile"),
)


def run(given: Given, console: Console) -> int:
    """Print a line a fact, JSON, or a template."""
    facts: dict[str, Any] = console.engine.system.info()
    if given.format:
        console.write(render_one(facts, given.format, "system.dockerInfo"))
        return 0
    for label, key in _SHOWN:
        console.line(f"{label}: {_text(facts[key])}".rstrip())
        if key == "Driver":
            console.lines(f" {name}: {said}" for name, said in facts["DriverStatus"])
    _show_registries(facts["RegistryConfig"], console)
    return 0


def _show_registries(registries: dict[str, dict[str, Any]], console: Console) -> None:
    if registries:
        console.line("Registries:")
    for host, table in sorted(registries.items()):
        console.line(f" {host}:")
        for key, value in sorted(table.items()):
            console.line(f"  {key}: {_text(value)}")


def _text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(map(_text, value))
        case _:
            return str(value)
