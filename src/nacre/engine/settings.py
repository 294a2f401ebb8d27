"""Settings: where the store is and how registries are reached, from file and environment.

The only place of the engine that reads the environment. Precedence: explicit argument, then
environment (``NACRE_ROOT``, ``NACRE_RUN``, ``NACRE_CONFIG``, ``NACRE_STORAGE_DRIVER``), then the
file, then the default. The file is
``/etc/nacre/config.toml`` for root and ``~/.config/nacre/config.toml`` for others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from nacre.errors import Invalid
from nacre.oci.digest import Digest
from nacre.oci.platform import Platform, normal
from nacre.value import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KNOWN = {"root", "run", "storage-driver", "keep", "jobs", "limits", "network", "registry"}
_LIMITS = {"size", "ratio", "grace", "entries", "depth", "name"}
KEEP = ("both", "unpacked", "compressed")
_ROOT_USER_STORE = "/var/lib/nacre"
_ROOT_USER_RUN = "/run/nacre"
STORAGE_DRIVERS = ("erofs", "overlay", "fuse", "copying")
"""Every storage driver, the quickest first."""
_NOTHING: Mapping[str, Any] = {}


class Settings(Value):
    """What an engine needs to know before it starts."""

    root: Path
    """The folder of the local store."""

    platform: Platform
    """The platform of this machine."""

    config_file: Path | None = None
    """The file that was read, if any."""

    registry: Mapping[str, Any] = _NOTHING
    """The ``[registry."host"]`` tables as written; see `nacre.distribution.settings`."""

    network: Mapping[str, Any] = _NOTHING
    """The table ``[network]`` as written; see `nacre.distribution.settings`."""

    environment: Mapping[str, str] = field(default=_NOTHING, repr=False)
    """The process environment: proxies and credential locations are found in it."""

    jobs: int = 6
    """How many blobs move at a time."""

    run: Path | None = None
    """The folder for what ends with the boot, above all mounts; None for one in the store."""

    storage_driver: str = ""
    """The storage driver that has to be used; empty for the best that works."""

    limits: Mapping[str, int] = _NOTHING
    """The table ``[limits]`` as written; see `nacre.layers.limits`."""

    keep: str = "both"
    """In which form layers that are pulled stay: ``both``; ``unpacked``, as raw tars only; or
    ``compressed``, which leaves unpacking to the first use."""

    @property
    def run_of_store(self) -> Path:
        """What of ``run`` is for the store alone."""
        name = Digest.of(os.fsencode(os.path.realpath(self.root))).short
        return (self.run or self.root / "run") / name


def load(
    *,
    root: Path | str | None = None,
    config_file: Path | str | None = None,
    storage_driver: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings in force; the whole file is checked, whatever of it will be needed.

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
    registry, network = table.get("registry", {}), table.get("network", {})
    if registry or network:
        _check_registry_client(path, registry, network)
    stated = _folder(path, table.get("root", ""), "root")
    store = root or env.get("NACRE_ROOT") or stated or _default_root(env)
    return Settings(
        root=Path(store).expanduser().absolute(),
        platform=_host_platform(),
        config_file=path,
        registry=registry,
        network=network,
        environment=env,
        jobs=_positive(path, table.get("jobs", 6)),
        run=_run(env, _folder(path, table.get("run", ""), "run")),
        storage_driver=_storage_driver(path, storage_driver, env, table.get("storage-driver", "")),
        limits=_limits(path, table.get("limits", {})),
        keep=_keep(path, table.get("keep", "both")),
    )


def _config_path(named: Path | str | None, env: Mapping[str, str]) -> Path | None:
    explicit = named or env.get("NACRE_CONFIG")
    if explicit:
        path = Path(explicit).expanduser()
        if not (path.is_file() or path.is_fifo() or str(path) == os.devnull):
            remedy = "check --config" if named else "check NACRE_CONFIG"
            raise Invalid(f"settings file {path} does not exist", remedy=remedy)
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


def _check_registry_client(path: Path | None, registry: object, network: object) -> None:
    # Only a file that speaks of registries is worth the wait for their client's settings.
    from nacre.distribution.settings import InvalidSettings, RegistrySettings  # noqa: PLC0415

    try:
        RegistrySettings.from_toml(registry, network)
    except InvalidSettings as error:
        raise Invalid(f"{path}: {error}", remedy=error.remedy) from None


def _folder(path: Path | None, value: object, key: str) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{path}: {key} must be the path of a folder", remedy="put it in quotes")
    return value


def _run(env: Mapping[str, str], stated: str) -> Path | None:
    if named := env.get("NACRE_RUN") or stated:
        return Path(named).expanduser().absolute()
    if os.geteuid() == 0:
        return Path(_ROOT_USER_RUN)
    own = env.get("XDG_RUNTIME_DIR")
    return Path(own) / "nacre" if own else None


def _storage_driver(
    path: Path | None, asked: str | None, env: Mapping[str, str], stated: object
) -> str:
    named = env.get("NACRE_STORAGE_DRIVER")
    for value, where in (
        (asked, "--storage-driver"),
        (named, "NACRE_STORAGE_DRIVER"),
        (stated, f"{path}: storage-driver"),
    ):
        if value and value not in STORAGE_DRIVERS:
            raise Invalid(
                f"{where}: there is no storage driver {value!r}",
                remedy=f"known are {', '.join(STORAGE_DRIVERS)}",
            )
    return str(asked or named or stated)


def _positive(path: Path | None, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 64:
        raise Invalid(f"{path}: jobs must be a number from 1 to 64")
    return value


def _limits(path: Path | None, value: object) -> Mapping[str, int]:
    if not isinstance(value, dict):
        raise Invalid(f"{path}: limits must be a table", remedy="write [limits] on its own line")
    for key, number in value.items():
        if key not in _LIMITS:
            raise Invalid(
                f"{path}: [limits] has an unknown key {key!r}",
                remedy=f"use one of {', '.join(sorted(_LIMITS))}",
            )
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise Invalid(f"{path}: [limits] has a {key} that is no number above 0")
    return value


def _keep(path: Path | None, value: object) -> str:
    if not isinstance(value, str) or value not in KEEP:
        raise Invalid(f"{path}: keep must be one of {', '.join(KEEP)}")
    return value


def _host_platform() -> Platform:
    uname = os.uname()
    return normal(uname.sysname, uname.machine)
