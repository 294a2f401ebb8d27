"""What the commands about retention share: how its rules are given and shown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nacre.cli.commands import hub_kinds
from nacre.cli.flags import Flag, Kind, UsageError
from nacre.cli.options import switch
from nacre.errors import NotFound
from nacre.hub.configuration import units
from nacre.hub.repositories.policy import Retention
from nacre.oci.quoting import quoted

if TYPE_CHECKING:
    from datetime import timedelta

    from nacre.cli.flags import Given
    from nacre.hub.records import Records
    from nacre.hub.repositories.repository import Namespace


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text) or not int(text):
        # None of the latest is no rule that keeps anything: without others, all tags would go.
        raise ValueError("must be a number from 1; --clear begins with no rules")
    return int(text)


def _time(text: str) -> object:
    time = hub_kinds.TIME.read(text)
    if not time:
        raise ValueError("must be longer than nothing; --clear begins with no rules")
    return time


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return text


_TIME = Kind("time", _time, written=units.written_duration)
FLAGS = (
    switch("clear", "Begin with no rules, which keeps everything"),
    Flag("last", Kind("int", _number), None, "Keep this many tags, the latest pushed first"),
    Flag("matching", Kind("pattern", _pattern), None, "Keep tags matching a regular expression"),
    Flag("pulled-within", _TIME, None, "Keep what was pulled so recently (30d)"),
    Flag("pushed-within", _TIME, None, "Keep what was pushed so recently (30d)"),
)


async def namespace_of(records: Records, place: str) -> Namespace:
    """Return the namespace of a place such as ``team/``.

    Raises:
        NotFound: there is none.
    """
    name = place.removesuffix("/")
    for each in await records.repositories.namespaces():
        if each.name == name:
            return each
    raise NotFound(f"there is no namespace {quoted(name)}", remedy="'nacre hub repo ls' shows all")


def changed(rules: Retention, given: Given) -> Retention:
    """Return the rules as the flags change them.

    Raises:
        UsageError: the flags say nothing.
    """
    stated = {
        name: getattr(given, name)
        for name in ("last", "matching", "pulled_within", "pushed_within")
        if getattr(given, name) is not None
    }
    if not stated and not given.clear:
        raise UsageError(
            "no rule is given: use --last, --pushed-within, --pulled-within, --matching or --clear"
        )
    return replace(Retention() if given.clear else rules, **stated)


def row(rules: Retention) -> dict[str, object]:
    """Return the rules as a row of a listing."""

    def time(span: timedelta | None) -> str:
        return "" if span is None else units.written_duration(span)

    return {
        "Last": "" if rules.last is None else str(rules.last),
        "PushedWithin": time(rules.pushed_within),
        "PulledWithin": time(rules.pulled_within),
        "Matching": rules.matching or "",
    }
