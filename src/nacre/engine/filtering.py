"""``--filter``: choosing images by label, age, name and whether anything points at them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from fnmatch import fnmatchcase

from nacre.errors import Invalid
from nacre.oci import reference as references
from nacre.oci.quoting import quoted
from nacre.oci.timestamp import SECOND, stated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue, LocalImage

LIST = frozenset({"dangling", "label", "before", "since", "reference", "until"})
"""What ``image ls`` can filter by."""

PRUNE = frozenset({"label", "label!", "until"})
"""What ``image prune`` can filter by."""

Match = Callable[["LocalImage"], bool]
_DURATION = r"(\d+(?:\.\d+)?)(ms|[smhd])"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "ms": 0.001}


def matcher(
    filters: Iterable[str], *, allowed: frozenset[str], catalogue: Catalogue | None = None
) -> Match:
    """Return a test that an image passes when it suits every filter.

    Several filters of one key are alternatives, except labels, which must all be there.

    Raises:
        Invalid: a filter is not ``key=value``, its key is unknown or its value senseless.
    """
    alternatives: dict[str, list[Match]] = {}
    for text in filters:
        key, value = _split(text, allowed)
        group = f"{key}={value}" if key.startswith("label") else key
        alternatives.setdefault(group, []).append(_match(key, value, catalogue))

    def matches(image: LocalImage) -> bool:
        return all(any(test(image) for test in tests) for tests in alternatives.values())

    return matches


def narrowed(image: LocalImage, filters: Iterable[str]) -> LocalImage:
    """Return an image with those of its names only that suit the filters ``reference``, if any.

    Of digests, those of repositories of such names stay as well. So Docker lists images.
    """
    split = (_split(text, LIST) for text in filters)
    patterns = [value for key, value in split if key == "reference"]
    if not patterns:
        return image

    def suits(name: str) -> bool:
        return any(name_matches(name, pattern) for pattern in patterns)

    repositories = {references.parse(name).name for name in filter(suits, image.names)}
    return image.with_names(
        lambda name: suits(name) or ("@" in name and references.parse(name).name in repositories)
    )


def _split(text: str, allowed: frozenset[str]) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    key = key.strip().lower()
    if not equals:
        raise Invalid(
            f"invalid argument {text!r} for --filter: bad format of filter (expected name=value)",
            remedy=f"known names are {', '.join(sorted(allowed))}",
        )
    if key not in allowed:
        raise Invalid(f"invalid filter {key!r}", remedy=f"known are {', '.join(sorted(allowed))}")
    return key, value.strip()


def _match(key: str, value: str, catalogue: Catalogue | None) -> Match:
    match key:
        case "dangling":
            wanted = _boolean(value)
            return lambda image: image.is_dangling == wanted
        case "label":
            return lambda image: has_label(image, value)
        case "label!":
            return lambda image: not has_label(image, value)
        case "reference":
            return lambda image: any(
                name_matches(name, value) for name in (*image.names, *image.repo_digests)
            )
        case _:
            return _by_age(key, value, catalogue)


def _by_age(key: str, value: str, catalogue: Catalogue | None) -> Match:
    if key == "until":
        moment = timestamp(value)
        return lambda image: _created(image) < moment
    if catalogue is None:
        raise Invalid(f"filter {key!r} cannot be used here")
    pivot = _created(catalogue.find(value))
    if key == "before":
        return lambda image: _created(image) < pivot
    return lambda image: _created(image) > pivot


def has_label(image: LocalImage, wanted: str) -> bool:
    """Say whether an image has a label ``key``, or ``key=value``."""
    key, equals, value = wanted.partition("=")
    return key in image.labels and (not equals or image.labels[key] == value)


def name_matches(name: str, pattern: str) -> bool:
    """Say whether a name suits a pattern such as ``team/*`` or ``debian:1*``.

    As with Docker the pattern is held against the familiar name, with and without its tag or
    digest, and ``*`` stops at a slash.
    """
    reference = references.parse(name)
    candidates = (reference.familiar, reference.familiar_name, str(reference), reference.name)
    return any(_path_match(candidate, pattern) for candidate in candidates)


def timestamp(text: str) -> int:
    """Read a moment: RFC 3339, a local date, Unix seconds, or a duration ago such as ``1h30m``.

    Returns:
        nanoseconds since the epoch.

    Raises:
        Invalid: it is none of these.

    """
    try:
        if text.replace(".", "", 1).isdigit():
            return int(float(text) * SECOND)
        ago = duration(text)
        if ago is not None:
            return time.time_ns() - int(ago * SECOND)
        return int(datetime.fromisoformat(text).timestamp() * SECOND)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{quoted(text)} is not a time", remedy="write 24h, 2006-01-02 or 2006-01-02T15:04:05Z"
        ) from None


def duration(text: str) -> float | None:
    """Return the seconds of a Go duration such as ``1h30m``, or None when it is none."""
    parts = re.findall(_DURATION, text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _created(image: LocalImage) -> int:
    return stated(image.created)


def _path_match(text: str, pattern: str) -> bool:
    parts, patterns = text.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _boolean(value: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if value.lower() not in known:
        raise Invalid(f"invalid filter 'dangling={value}'", remedy="write true or false")
    return known[value.lower()]
