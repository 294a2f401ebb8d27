"""``--filter``: choosing images by label, age, name and whether anything points at them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from nacre.engine import globs
from nacre.errors import Invalid
from nacre.oci import reference as references
from nacre.oci.quoting import quoted
from nacre.oci.timestamp import SECOND, stated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue, LocalImage

LIST = frozenset({"dangling", "label", "label!", "before", "since", "reference", "until"})
"""What ``image ls`` can filter by."""

PRUNE = frozenset({"label", "label!", "until"})
"""What ``image prune`` can filter by."""

Match = Callable[["LocalImage"], bool]
_DURATION = r"(\d+(?:\.\d+)?)(ms|[smh])"
_UNITS = {"s": 1, "m": 60, "h": 3600, "ms": 0.001}
_YES = {"true", "1"}
_NO = {"false", "0"}


def matcher(
    filters: Iterable[str], *, allowed: frozenset[str], catalogue: Catalogue | None = None
) -> Match:
    """Return a test that an image passes when it suits every filter.

    Several filters of one key are alternatives, except labels, which must all be there. An empty
    text is no filter.

    Raises:
        Invalid: a filter is not ``key=value``, its key is unknown or its value senseless; or
            ``dangling`` is wanted both ways.
        BadPattern: a ``reference`` is no pattern.
    """
    alternatives: dict[str, list[Match]] = {}
    wanted = [_split(text, allowed) for text in filters if text]
    _check_dangling(sorted({value for key, value in wanted if key == "dangling"}))
    for key, value in wanted:
        group = f"{key}={value}" if key.startswith("label") else key
        alternatives.setdefault(group, []).append(_match(key, value, catalogue))

    def matches(image: LocalImage) -> bool:
        return all(any(test(image) for test in tests) for tests in alternatives.values())

    return matches


def narrowed(image: LocalImage, filters: Iterable[str]) -> LocalImage:
    """Return an image with those of its names only that suit the filters ``reference``, if any.

    Of digests, those of repositories of such names stay as well. So Docker lists images.
    """
    split = (_split(text, LIST) for text in filters if text)
    tests = [_by_reference(value) for key, value in split if key == "reference"]
    if not tests:
        return image

    def suits(name: str) -> bool:
        return any(test(name) for test in tests)

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
            wanted = value in _YES
            return lambda image: image.is_dangling == wanted
        case "label":
            return lambda image: has_label(image, value)
        case "label!":
            return lambda image: not has_label(image, value)
        case "reference":
            suits = _by_reference(value)
            return lambda image: any(map(suits, (*image.names, *image.repo_digests)))
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


def _by_reference(pattern: str) -> Callable[[str], bool]:
    """Return a test of full names by a pattern such as ``team/*`` or ``debian:1*``.

    As with Docker the pattern is held against the familiar name, with and without its tag or
    digest.
    """
    compiled = globs.compiled(pattern)

    def suits(name: str) -> bool:
        reference = references.parse(name)
        return any(map(compiled.fullmatch, (reference.familiar, reference.familiar_name)))

    return suits


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
            f"failed to parse value as time or duration: {quoted(text)}",
            remedy="write 24h, 2006-01-02 or 2006-01-02T15:04:05Z",
        ) from None


def duration(text: str) -> float | None:
    """Return the seconds of a Go duration such as ``1h30m``, or None when it is none."""
    parts = re.findall(_DURATION, text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _created(image: LocalImage) -> int:
    return stated(image.created)


def _check_dangling(values: Sequence[str]) -> None:
    """Check that they all say the same, where there are any."""
    if values and _YES.isdisjoint(values) == _NO.isdisjoint(values):
        raise Invalid(
            f"invalid filter 'dangling=[{' '.join(values)}]'", remedy="write true or false"
        )
