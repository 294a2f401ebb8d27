"""The programs that are compared: how each is called, and which versions they are."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.kit.registry import Registry
from bench.kit.stopwatch import succeed

_NACRE = Path(sys.executable).with_name("nacre")
_PLACES = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Tools:
    """nacre and skopeo, told to trust one registry, with settings and places of their own."""

    folder: Path
    registry: Registry

    def environment(self) -> Mapping[str, str]:
        """Return an environment that knows nothing of the person who runs this."""
        places = {name: self.folder / name.lower() for name in _PLACES}
        for place in places.values():
            place.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "nacre.toml"
        settings.write_text(self._settings())
        fixed = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
        named = {name: str(place) for name, place in places.items()}
        return fixed | named | {"NACRE_CONFIG": str(settings)}

    def nacre(self, *args: str | Path) -> tuple[str | Path, ...]:
        """Return nacre's command line, with a local store in ``folder``."""
        return (_NACRE, "--root", self.folder / "store", *args)

    def skopeo_copy(self, source: str, target: str) -> tuple[str | Path, ...]:
        """Return skopeo's command line for a copy between any two places."""
        sides = [
            option
            for side, place in (("src", source), ("dest", target))
            if place.startswith("docker://")
            for option in self._trust(side)
        ]
        return ("skopeo", "--insecure-policy", "copy", "--quiet", *sides, source, target)

    def _trust(self, side: str) -> tuple[str, ...]:
        if self.registry.authority is None:
            return (f"--{side}-tls-verify=false",)
        # skopeo wants a folder, and reads everything in it.
        folder = self.folder / "certs"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.registry.authority, folder / "ca.crt")
        return (f"--{side}-cert-dir", str(folder))

    def _settings(self) -> str:
        authority = self.registry.authority
        trust = f"ca = {str(authority)!r}" if authority else "insecure = true"
        return f'[registry."{self.registry.host}"]\n{trust}\n'


def versions(*names: str) -> dict[str, str]:
    """Return the versions of Python and of these programs."""
    found = {name: version(_NACRE if name == "nacre" else name) for name in names}
    return {"Python": platform.python_version()} | found


def version(*program: str | Path) -> str:
    """Return the version of the program that these words start."""
    said = succeed(*program, "--version")
    number = re.search(r"\d[\w.+-]*", said.split("registry", 1)[-1])
    return number[0] if number else said.strip()
