"""Changing what a config says about running: the instructions that ``--change`` takes.

They mean what they mean in a Dockerfile. A change is a pure function from parameters to
parameters; nothing here touches layers.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nacre.errors import Invalid
from nacre.images import healthcheck, words
from nacre.oci import mediatypes
from nacre.oci.config import ImageConfig, make_config
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Manifest, make_manifest
from nacre.oci.platform import Platform
from nacre.oci.quoting import quoted

_SHELL = ["/bin/sh", "-c"]
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/([A-Za-z]+))?", re.ASCII)
_PROTOCOLS = ("tcp", "udp", "sctp")
_SIGNAL = re.compile(
    r"(?:SIG)?(?:HUP|INT|QUIT|ILL|TRAP|ABRT|IOT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|"
    r"CHLD|CLD|CONT|STOP|TSTP|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|POLL|PWR|SYS|"
    r"RTMIN(?:\+\d{1,2})?|RTMAX(?:-\d{1,2})?)|[1-9]|[1-5]\d|6[0-4]",
    re.ASCII | re.IGNORECASE,
)

_MAY_BE_EMPTY = ("CMD", "ENTRYPOINT")
# Whoever flattens an image says so that there is none.

Run = dict[str, Any]


class InvalidChange(Invalid):
    """The text is no instruction that can change a config.

    ``change`` is the text.
    """

    def __init__(self, change: str, reason: str) -> None:
        super().__init__(
            f"invalid change {quoted(change)}: {reason}",
            remedy="write it as in a Dockerfile, say EXPOSE 80",
        )
        self.change = change


def with_changes(run: Mapping[str, Any], changes: Iterable[str]) -> Run:
    """Return parameters to run an image (a config's ``config``) after some instructions.

    Args:
        run: the parameters before; they stay as they are.
        changes: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER,
            VOLUME and WORKDIR instructions, in the order they take effect.

    Raises:
        InvalidChange: one of them is something else or malformed; the message names it.

    """
    changed = dict(run)
    has_command = False
    for change in changes:
        name, rest = _name_and_rest(change)
        try:
            _INSTRUCTIONS[name](changed, rest)
        except InvalidChange:
            raise
        except Invalid as error:
            raise InvalidChange(change, str(error)) from None
        has_command = has_command or name == "CMD"
        if name == "ENTRYPOINT" and not has_command:
            # The old command was meant as the arguments of another entry point.
            changed.pop("Cmd", None)
    return changed


def new_image(
    layer: Descriptor,
    *,
    created: str,
    platform: Platform,
    diff_id: Digest | None = None,
    created_by: str = "",
    comment: str = "",
    changes: Sequence[str] = (),
) -> tuple[ImageConfig, Manifest]:
    """Return the config and the manifest of an image with one layer.

    Args:
        layer: the layer as it lies.
        created: when, RFC 3339.
        platform: what it runs on.
        diff_id: the digest of the layer's tar; left out when the layer is the plain tar.
        created_by: what made the layer, for its history.
        comment: a remark on it, for its history.
        changes: see `with_changes`.

    Raises:
        InvalidChange: see `with_changes`.

    """
    step = {"created": created, "created_by": created_by, "comment": comment}
    fields: dict[str, Any] = {
        "created": created,
        "architecture": platform.architecture,
        "os": platform.os,
        "config": with_changes({}, changes),
        "rootfs": {"type": "layers", "diff_ids": [diff_id or layer.digest]},
        "history": [{key: value for key, value in step.items() if value}],
    }
    if platform.variant:
        fields["variant"] = platform.variant
    config = make_config(fields)
    return config, make_manifest(Descriptor.of(mediatypes.OCI_CONFIG, config.raw), [layer])


def _name_and_rest(change: str) -> tuple[str, str]:
    name, rest, *_ = *change.split(None, 1), "", ""
    name, rest = name.upper(), rest.strip()
    if name not in _INSTRUCTIONS:
        raise InvalidChange(change, f"{quoted(name)} is not a valid change command")
    if not rest and name not in _MAY_BE_EMPTY:
        raise InvalidChange(change, f"{name} requires at least one argument")
    return name, rest


def _cmd(run: Run, rest: str) -> None:
    run["Cmd"] = _command(run, rest)


def _entrypoint(run: Run, rest: str) -> None:
    command = _command(run, rest)
    if command:
        run["Entrypoint"] = command
    else:
        run.pop("Entrypoint", None)


def _env(run: Run, rest: str) -> None:
    before = _variables(run)
    entries: dict[str, str] = {each.partition("=")[0]: each for each in run.get("Env") or ()}
    for name, value in _pairs(rest, before):
        entries[name] = f"{name}={value}"
    run["Env"] = list(entries.values())


def _label(run: Run, rest: str) -> None:
    run["Labels"] = {**(run.get("Labels") or {}), **dict(_pairs(rest, _variables(run)))}


def _expose(run: Run, rest: str) -> None:
    ports = dict(run.get("ExposedPorts") or {})
    for word in words.split(rest):
        ports.update((port, {}) for port in _ports(words.expand(word, _variables(run))))
    run["ExposedPorts"] = ports


def _volume(run: Run, rest: str) -> None:
    paths = _exec_form(rest)
    if paths is None:
        paths = words.split(rest)
    expanded = [words.expand(path, _variables(run)) for path in paths]
    if not expanded or not all(path.strip() for path in expanded):
        raise Invalid("VOLUME takes paths that are not empty")
    run["Volumes"] = {**(run.get("Volumes") or {}), **{path: {} for path in expanded}}


def _workdir(run: Run, rest: str) -> None:
    wanted = words.expand(rest, _variables(run))
    joined = posixpath.join("/", run.get("WorkingDir") or "", wanted)
    run["WorkingDir"] = "/" + posixpath.normpath(joined).lstrip("/")


def _user(run: Run, rest: str) -> None:
    run["User"] = _only_word("USER", rest, run)


def _stopsignal(run: Run, rest: str) -> None:
    signal = _only_word("STOPSIGNAL", rest, run)
    if not _SIGNAL.fullmatch(signal):
        raise Invalid(f"{quoted(signal)} is not a signal")
    run["StopSignal"] = signal


def _onbuild(run: Run, rest: str) -> None:
    trigger = rest.split(None, 1)[0].upper()
    if trigger == "ONBUILD":
        raise Invalid("ONBUILD cannot be chained")
    if trigger in ("FROM", "MAINTAINER"):
        raise Invalid(f"{trigger} isn't allowed as an ONBUILD trigger")
    run["OnBuild"] = [*(run.get("OnBuild") or ()), rest]


def _healthcheck(run: Run, rest: str) -> None:
    run["Healthcheck"] = healthcheck.parse(rest, _exec_form)


_INSTRUCTIONS: Mapping[str, Callable[[Run, str], None]] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "ONBUILD": _onbuild,
    "STOPSIGNAL": _stopsignal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}


def _variables(run: Run) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in run.get("Env") or ())
    return {name: value for name, _, value in pairs}


def _only_word(name: str, rest: str, run: Run) -> str:
    found = words.split(rest)
    word = words.expand(found[0], _variables(run))
    if len(found) != 1 or not word:
        raise Invalid(f"{name} requires exactly one argument")
    return word


def _command(run: Run, rest: str) -> list[str]:
    """The exec form as it is, the shell form handed to the image's shell."""
    if not rest:
        return []
    arguments = _exec_form(rest)
    return [*(run.get("Shell") or _SHELL), rest] if arguments is None else arguments


def _exec_form(rest: str) -> list[str] | None:
    """Return the arguments of a JSON list, or None when this is a line for the shell."""
    if not rest.startswith("["):
        return None
    try:
        arguments = json.loads(rest)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(argument, str) for argument in arguments):
        raise Invalid("a JSON list must hold texts only")
    found: list[str] = arguments
    return found


def _pairs(rest: str, variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """Read ``name=value …``, or of one pair the old form ``name value``."""
    found = words.split(rest)
    if "=" in found[0]:
        pairs = [word.partition("=") for word in found]
    else:
        pairs = [(found[0], "=" if len(found) > 1 else "", rest[len(found[0]) :].strip())]
    expanded = []
    for name, equals, value in pairs:
        if not equals:
            raise Invalid(f"{quoted(name)} must be of the form name=value")
        expanded.append((words.expand(name, variables), words.expand(value, variables)))
    if not all(name for name, _ in expanded):
        raise Invalid("names can not be blank")
    return expanded


def _ports(text: str) -> list[str]:
    match = _PORT.fullmatch(text)
    if not match:
        raise Invalid(f"invalid port {quoted(text)}")
    first, last, protocol = int(match[1]), int(match[2] or match[1]), match[3] or "tcp"
    if not first <= last <= 65535:
        raise Invalid(f"invalid port range {quoted(text)}")
    if protocol.lower() not in _PROTOCOLS:
        raise Invalid(f"invalid protocol {quoted(protocol)}")
    return [f"{port}/{protocol.lower()}" for port in range(first, last + 1)]
