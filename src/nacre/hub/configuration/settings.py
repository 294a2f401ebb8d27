"""Settings of a hub: from its file, the environment and the command line.

Precedence: explicit argument, then the environment (``NACRE_HUB_SECTION_KEY``, as in
``NACRE_HUB_SERVER_LISTEN``; lists are separated by commas), then the file, then the default. The
file is the one that is named, or ``$NACRE_HUB_CONFIG``, or ``hub.toml`` in the folder of the
engine's settings. This is the only place of the hub that reads the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, replace
from pathlib import Path
from typing import Any

from nacre.errors import Invalid
from nacre.hub.configuration.check import InvalidSettings, check
from nacre.hub.configuration.options import Options, keys, sections, written
from nacre.hub.configuration.values import from_text, from_toml

_PREFIX = "NACRE_HUB_"
_CHOICES = {
    ("registry", "visibility"): ("public", "private"),
    ("log", "format"): ("text", "json"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force; ``data`` is the folder of all data, ``file`` what was read."""

    options: Options
    data: Path
    file: Path | None = None
    address: tuple[str, int] = field(default=("127.0.0.1", 5000))

    @property
    def records(self) -> Path:
        """The database."""
        return self.data / "hub.db"

    @property
    def journal(self) -> Path:
        """The folder of what the records can be made anew from."""
        return self.data / "journal"

    @property
    def blobs(self) -> Path:
        """The folder of blobs."""
        return self.data / "blobs"


def load(
    *,
    file: Path | str | None = None,
    data: Path | str | None = None,
    listen: str | None = None,
    anonymous_push: bool | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings in force; the whole file is checked.

    Raises:
        InvalidSettings: the file is missing or says something that is not known.
    """
    env = dict(os.environ if environment is None else environment)
    path = _file(file, env)
    table = _read(path) if path else {}
    options = _options(table, env, str(path))
    if listen is not None:
        options = replace(options, server=replace(options.server, listen=listen))
    if anonymous_push is not None:
        options = replace(options, auth=replace(options.auth, anonymous_push=anonymous_push))
    try:
        check(options)
        address = split_address(options.server.listen)
    except InvalidSettings as error:
        if listen is not None and error.key == "server.listen":
            raise
        raise _with_place(error, table, env, path) from None
    folder = data or options.server.data or _default_data(env)
    return Settings(
        options=options,
        data=Path(folder).expanduser().absolute(),
        file=path,
        address=address,
    )


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of an address to listen on; port 0 takes any free one.

    Raises:
        InvalidSettings: it is none.

    >>> split_address("0.0.0.0:443"), split_address("[::1]:5000"), split_address(":5000")
    (('0.0.0.0', 443), ('::1', 5000), ('0.0.0.0', 5000))
    """
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]*):([0-9]{1,5})", text)
    if match is None or int(match[2]) > 65_535:
        raise InvalidSettings(
            f"{text!r} is not an address to listen on",
            remedy="write HOST:PORT, as 127.0.0.1:5000",
            key="server.listen",
        )
    return match[1].strip("[]") or "0.0.0.0", int(match[2])  # noqa: S104


def _file(named: Path | str | None, env: Mapping[str, str]) -> Path | None:
    explicit = named or env.get("NACRE_HUB_CONFIG")
    if explicit:
        path = Path(explicit).expanduser()
        if not path.is_file():
            remedy = "check --config" if named else "check NACRE_HUB_CONFIG"
            raise InvalidSettings(f"settings file {path} does not exist", remedy=remedy)
        return path
    base = Path("/etc") if os.geteuid() == 0 else _home(env, "XDG_CONFIG_HOME", ".config")
    path = base / "nacre" / "hub.toml"
    return path if path.is_file() else None


def _default_data(env: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/nacre-hub")
    return _home(env, "XDG_DATA_HOME", ".local/share") / "nacre-hub"


def _home(env: Mapping[str, str], variable: str, default: str) -> Path:
    return Path(env.get(variable) or Path(env.get("HOME") or "~").expanduser() / default)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise InvalidSettings(f"{path}: {error.strerror}") from None


def _options(table: Mapping[str, Any], env: Mapping[str, str], where: str) -> Options:
    known = {each.name for each in sections()}
    _refuse_unknown(table, known, where)
    _refuse_unknown_variables(env)
    made: dict[str, Any] = {}
    for section in sections():
        default: Any = section.default
        stated = table.get(section.name, {})
        if not isinstance(stated, dict):
            raise InvalidSettings(f"{where}: {section.name} must be a table")
        names = {written(key.name) for key in keys(default)}
        _refuse_unknown(stated, names, f"{where}: [{section.name}]")
        values = {
            key.name: _value(key, stated, env, section.name, where)
            for key in keys(default)
            if written(key.name) in stated or _variable(section.name, key.name) in env
        }
        made[section.name] = replace(default, **values)
    return Options(**made)


def _with_place(
    error: InvalidSettings, table: Mapping[str, Any], env: Mapping[str, str], path: Path | None
) -> InvalidSettings:
    """Return an error that also says where its setting is: the variable or the file."""
    section, _, name = error.key.partition(".")
    variable = _variable(section, name.replace("-", "_"))
    if variable in env:
        return InvalidSettings(f"{variable}: {error}", remedy=error.remedy)
    if name in table.get(section, {}):
        return InvalidSettings(f"{path}: {error}", remedy=error.remedy)
    return error


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in table:
        if name not in known:
            raise InvalidSettings(f"{where}: unknown setting {name!r}")


def _refuse_unknown_variables(env: Mapping[str, str]) -> None:
    known = {_variable(each.name, key.name) for each in sections() for key in keys(each.default)}
    for name in env:
        if name.startswith(_PREFIX) and name not in known | {"NACRE_HUB_CONFIG"}:
            raise InvalidSettings(f"unknown setting {name} in the environment")


def _variable(section: str, key: str) -> str:
    return f"{_PREFIX}{section}_{key}".upper()


def _value(
    key: Field[Any], stated: Mapping[str, Any], env: Mapping[str, str], section: str, where: str
) -> object:
    variable = _variable(section, key.name)
    if variable in env:
        return _converted(key.default, env[variable], section, key.name, variable, as_text=True)
    name = written(key.name)
    place = f"{where}: {section}.{name}"
    return _converted(key.default, stated[name], section, key.name, place, as_text=False)


def _converted(
    default: object, value: object, section: str, name: str, place: str, *, as_text: bool
) -> object:
    try:
        made = from_text(default, str(value)) if as_text else from_toml(default, value)
    except Invalid as error:
        raise InvalidSettings(f"{place}: {error}", remedy=error.remedy) from None
    choices = _CHOICES.get((section, name))
    if choices and made not in choices:
        raise InvalidSettings(f"{place}: {made!r} is not one of {', '.join(choices)}")
    return made
