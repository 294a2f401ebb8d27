"""What the registry client can be told: per registry, for proxies, and where credentials lie.

Only values and how to read them from a TOML table or a mapping of environment variables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from nacre.distribution.endpoint import HUB_HOST, Endpoint, is_address
from nacre.distribution.proxies import Proxies
from nacre.errors import Invalid
from nacre.oci.reference import HUB, is_domain
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOTHING: Mapping[str, str] = MappingProxyType({})
_LONGEST = 86_400
_CERTIFICATES = ("/etc/docker/certs.d", "/etc/containers/certs.d")


class InvalidSettings(Invalid):
    """A setting is not what it must be."""


class HostSettings(Value):
    """What is set for one registry, as the table ``[registry."HOST"]`` says it.

    ``location`` relocates pulls and pushes of this registry's names to another
    ``HOST[:PORT][/PREFIX]``. ``mirrors`` are asked first for pulls. ``insecure`` allows plain http
    and certificates of unknown origin. ``ca`` is an authority to trust; ``certificate`` and
    ``key`` are shown to the server. All paths are of PEM files.
    """

    location: str = ""
    mirrors: tuple[str, ...] = ()
    insecure: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def from_toml(cls, name: str, table: object) -> HostSettings:
        """Read one registry's table.

        Raises:
            InvalidSettings: it is no table, a key is unknown or its value is of the wrong kind.
        """
        table = _table(f'registry."{name}"', table, cls.__match_args__)
        host = cls(
            location=_address(name, "location", table.get("location", "")),
            mirrors=tuple(_addresses(name, table.get("mirrors", []))),
            insecure=_flag(name, "insecure", table.get("insecure", False)),
            ca=_path(name, "ca", table),
            certificate=_path(name, "certificate", table),
            key=_path(name, "key", table),
        )
        if host.key and not host.certificate:
            raise InvalidSettings(f'[registry."{name}"] has a key without its certificate')
        return host


_PLAIN = HostSettings()
_NO_HOSTS: Mapping[str, HostSettings] = MappingProxyType({})


class Timeouts(Value):
    """How long to wait for a host, in seconds: to be connected, and for each piece of a reply."""

    connect: float = 20.0
    read: float = 60.0

    @classmethod
    def from_toml(cls, table: object) -> Timeouts:
        """Read the table ``network``: its keys ``connect-timeout`` and ``read-timeout``.

        Raises:
            InvalidSettings: it is no table, a key is unknown or no number of seconds.
        """
        keys = {"connect-timeout": "connect", "read-timeout": "read"}
        known = _table("network", table, keys)
        return cls(**{keys[key]: _seconds(key, value) for key, value in known.items()})


class RegistrySettings(Value):
    """Everything that the registry client is told."""

    hosts: Mapping[str, HostSettings] = _NO_HOSTS
    proxies: Proxies = Proxies()
    certificate_directories: tuple[Path, ...] = ()
    timeouts: Timeouts = Timeouts()

    @classmethod
    def from_toml(
        cls,
        registry: object,
        network: object = _NOTHING,
        environment: Mapping[str, str] = _NOTHING,
    ) -> RegistrySettings:
        """Read the tables ``registry`` and ``network`` of a settings file.

        Proxies are read from the environment.

        Raises:
            InvalidSettings: a table is not named after a registry, or as `HostSettings.from_toml`
                and `Timeouts.from_toml`.
        """
        hosts = {}
        for name, value in _table("registry", registry).items():
            if not is_domain(name):
                raise InvalidSettings(f'[registry."{name}"] is not named after a registry')
            hosts[name] = HostSettings.from_toml(name, value)
        directories = [Path(path) for path in _CERTIFICATES]
        if config := _config_home(environment):
            directories += [config / "containers/certs.d", config / "nacre/certs.d"]
        proxies = Proxies.from_environment(environment)
        return cls(hosts, proxies, tuple(directories), Timeouts.from_toml(network))

    def endpoint(self, domain: str) -> Endpoint:
        """Return where the names of a domain are served: its location, else itself."""
        location = self.hosts.get(domain, _PLAIN).location
        if location:
            return Endpoint.of(domain, location, insecure=self.at(_netloc(location)).insecure)
        host = HUB_HOST if domain == HUB else domain
        return Endpoint.of(domain, host, insecure=self.at(domain).insecure)

    def mirrors(self, domain: str) -> tuple[Endpoint, ...]:
        """Return where copies of a domain's repositories are to be looked for first."""
        return tuple(
            Endpoint.of(domain, mirror, insecure=self.at(_netloc(mirror)).insecure)
            for mirror in self.hosts.get(domain, _PLAIN).mirrors
        )

    def at(self, host: str) -> HostSettings:
        """Return what holds for connections to ``host[:port]``.

        Its own table counts; lacking that, the one that relocates to it.
        """
        own = self.hosts.get(HUB if host == HUB_HOST else host)
        if own is not None:
            return own
        relocated = (item for item in self.hosts.values() if _netloc(item.location) == host)
        return next(relocated, _PLAIN)


class CredentialLocations(Value):
    """Where credentials are looked for: ``inline`` JSON, then ``files`` in order.

    ``writable`` is the file that logins are saved to.
    """

    files: tuple[Path, ...] = ()
    writable: Path | None = None
    inline: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> CredentialLocations:
        """Find Docker's ``config.json`` and Podman's ``auth.json`` as their owners do.

        In this order: ``DOCKER_AUTH_CONFIG``, ``REGISTRY_AUTH_FILE``,
        ``DOCKER_CONFIG/config.json`` or ``~/.docker/config.json``,
        ``XDG_RUNTIME_DIR/containers/auth.json``, ``XDG_CONFIG_HOME/containers/auth.json``.
        Logins go to the first of the files that is named by a variable, else to Docker's.
        """
        files = []
        if explicit := environment.get("REGISTRY_AUTH_FILE"):
            files.append(Path(explicit))
        if folder := environment.get("DOCKER_CONFIG"):
            files.append(Path(folder) / "config.json")
        elif home := environment.get("HOME"):
            files.append(Path(home) / ".docker/config.json")
        writable = files[0] if files else None
        if runtime := environment.get("XDG_RUNTIME_DIR"):
            files.append(Path(runtime) / "containers/auth.json")
        if config := _config_home(environment):
            files.append(config / "containers/auth.json")
        return cls(tuple(files), writable, environment.get("DOCKER_AUTH_CONFIG", ""))


def _config_home(environment: Mapping[str, str]) -> Path | None:
    if folder := environment.get("XDG_CONFIG_HOME"):
        return Path(folder)
    home = environment.get("HOME")
    return Path(home) / ".config" if home else None


def _netloc(location: str) -> str:
    return urlsplit(location if "://" in location else f"//{location}").netloc


def _table(name: str, value: object, known: Collection[str] | None = None) -> Mapping[str, Any]:
    """Return a table, whose keys are all ``known`` unless that is None."""
    if not isinstance(value, Mapping):
        raise InvalidSettings(f"[{name}] is not a table", remedy=f"write [{name}] on its own line")
    for key in value:
        if known is not None and key not in known:
            raise InvalidSettings(
                f"[{name}] has an unknown key {key!r}",
                remedy=f"use one of {', '.join(sorted(known))}",
            )
    return value


def _seconds(key: str, value: object) -> float:
    if not isinstance(value, bool) and isinstance(value, int | float) and 0 < value <= _LONGEST:
        return float(value)
    raise InvalidSettings(
        f"[network] has a {key} that is no number of seconds: {value!r}",
        remedy=f"write one above 0, at most {_LONGEST}",
    )


def _address(name: str, key: str, value: object) -> str:
    if not isinstance(value, str) or (value and not is_address(value)):
        raise InvalidSettings(
            f'[registry."{name}"] has a {key} that is no registry address: {value!r}',
            remedy="write HOST[:PORT][/PREFIX]",
        )
    return value.rstrip("/")


def _addresses(name: str, value: object) -> Iterator[str]:
    if not isinstance(value, list):
        raise InvalidSettings(f'[registry."{name}"] has mirrors that are not a list')
    for item in value:
        yield _address(name, "mirror", item)


def _flag(name: str, key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidSettings(f'[registry."{name}"] has {key} that is neither true nor false')
    return value


def _path(name: str, key: str, table: Mapping[str, Any]) -> Path | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise InvalidSettings(f'[registry."{name}"] has {key} that is not a path')
    return Path(value)
