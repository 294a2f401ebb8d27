"""HEALTHCHECK: how to ask a container whether it is well."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nacre.errors import Invalid
from nacre.oci.quoting import quoted

_MILLISECOND = 1_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": _MILLISECOND,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_DURATION = re.compile(r"(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+", re.ASCII)
_PIECE = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)", re.ASCII)
_OPTION = re.compile(r"--([a-z-]+)=(\S+)\s*")
_DURATIONS = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}


def parse(text: str, exec_form: Callable[[str], list[str] | None]) -> dict[str, Any]:
    """Return a config's ``Healthcheck``: a test, and durations in nanoseconds where given.

    Args:
        text: what follows HEALTHCHECK: ``NONE``, or options and ``CMD`` with a command.
        exec_form: reads a JSON list of arguments, or returns None for a line for the shell.

    Raises:
        Invalid: it is anything else.

    """
    options, rest = _options(text)
    kind, command, *_ = *rest.split(None, 1), "", ""
    if kind.upper() == "NONE":
        if options or command:
            raise Invalid("HEALTHCHECK NONE takes no arguments")
        return {"Test": ["NONE"]}
    if kind.upper() != "CMD":
        raise Invalid(f"unknown type {quoted(kind)} in HEALTHCHECK (try CMD)")
    arguments = exec_form(command)
    if arguments is None:
        arguments = [command] if command else []
        test = ["CMD-SHELL", *arguments]
    else:
        test = ["CMD", *arguments]
    if not arguments:
        raise Invalid("HEALTHCHECK CMD takes a command")
    return {"Test": test, **options}


def _options(text: str) -> tuple[dict[str, int], str]:
    options: dict[str, int] = {}
    while match := _OPTION.match(text):
        name, value = match.groups()
        if name in _DURATIONS:
            options[_DURATIONS[name]] = _nanoseconds(name, value)
        elif name == "retries":
            options["Retries"] = _retries(value)
        else:
            raise Invalid(f"unknown flag --{name}")
        text = text[match.end() :]
    return {key: value for key, value in options.items() if value}, text


def _nanoseconds(name: str, text: str) -> int:
    if text == "0":
        return 0
    if not _DURATION.fullmatch(text):
        raise Invalid(f"--{name} takes a duration as 1m30s, not {quoted(text)}")
    total = sum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(text))
    if 0 < total < _MILLISECOND:
        raise Invalid(f"--{name} cannot be less than 1ms")
    if total >= 2**63:
        raise Invalid(f"--{name} is too long")
    return int(total)


def _retries(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise Invalid(f"--retries takes a number from 0 on, not {quoted(text)}")
    return int(text)
