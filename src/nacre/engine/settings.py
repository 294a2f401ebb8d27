"""Settings: where the store is and how registries are reached, from file and environment.

The only place of the engine that reads the environment. Precedence: explicit argument, then
environment (``NACRE_ROOT``, ``NACRE_CONFIG``), then the file, then the default. The file is
``/etc/nacre/config.toml`` for root and ``~/.config/nacre/config.toml`` for others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacre.errors import Invalid
from nacre.oci.platform import Platform, normal

_KNOWN = {"root", "jobs", "registry"}
_ROOT_USER_STORE = "/var/lib/nacre"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an engine needs to know before it starts."""

    root: Path
    """The folder of the local store."""

    platform: Platform
    """The platform of this machine."""

    config_file: Path | None = None
    """The file that was read, if any."""

    registry: Mapping[str, Any] = field(default_factory=dict)
    """The ``[registry."host"]`` tables as written; see `nacre.distribution.settings`."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The process environment: proxies and credential locations are found in it."""

    jobs: int = 6
    """How many blobs move at a time."""


def load(
    *,
    root: Path | str | None = None,
    config_file: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings in force.

    Raises:
        Invalid: the file does not exist though it was named, or says something unknown.
    """
    env = dict(os.environ if environment is None else environment)
    path = _config_path(config_file, env)
    table = _read(path) if path else {}
    unknown = sorted(set(table) - _KNOWN)
    if unknown:
        raise Invalid(
            f"{path}: unknown setting {unknown[0]!r}",
            remedy=f"known are {', '.join(sorted(_KNOWN))}",
        )
    store = root or env.get("NACRE_ROOT") or table.get("root") or _default_root(env)
    return Settings(
        root=Path(store).expanduser().absolute(),
        platform=_host_platform(),
        config_file=path,
        registry=_tables(path, table),
        environment=env,
        jobs=_positive(path, table.get("jobs", 6)),
    )


def _config_path(named: Path | str | None, env: Mapping[str, str]) -> Path | None:
    explicit = named or env.get("NACRE_CONFIG")
    if explicit:
        path = Path(explicit).expanduser()
        if not path.is_file():
            raise Invalid(f"settings file {path} does not exist", remedy="check NACRE_CONFIG")
        return path
    if os.geteuid() == 0:
        path = Path("/etc/nacre/config.toml")
    else:
        path = _home(env, "XDG_CONFIG_HOME", ".config") / "nacre" / "config.toml"
    return path if path.is_file() else None


def _default_root(env: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return Path(_ROOT_USER_STORE)
    return _home(env, "XDG_DATA_HOME", ".local/share") / "nacre"


def _home(env: Mapping[str, str], variable: str, default: str) -> Path:
    return Path(env.get(variable) or Path(env.get("HOME") or "~").expanduser() / default)


def _read(path: Path) -> dict[str, Any]:
    # Most machines have no settings file: the parser is loaded only where there is one.
    import tomllib  # noqa: PLC0415

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from None


def _tables(path: Path | None, table: Mapping[str, Any]) -> Mapping[str, Any]:
    found = table.get("registry", {})
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise Invalid(f"{path}: registry must be tables", remedy='write [registry."host:port"]')
    return found


def _positive(path: Path | None, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 64:
        raise Invalid(f"{path}: jobs must be a number from 1 to 64")
    return value


def _host_platform() -> Platform:
    uname = os.uname()
    return normal(uname.sysname, uname.machine)
