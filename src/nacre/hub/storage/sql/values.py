"""How values look in the tables: times, policies, and the rows of repositories."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from nacre.hub.repositories.policy import Policy, Retention

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_POLICY = Policy()
EMPTY_POLICY = "{}"


def stamp(moment: datetime) -> int:
    """Return a time as the tables have it: microseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(stamp: int) -> datetime:
    """Return the time of a stamp."""
    return _EPOCH + timedelta(microseconds=stamp)


def maybe_moment(stamp: int | None) -> datetime | None:
    """Return the time of a stamp that may be missing."""
    return None if stamp is None else moment(stamp)


def policy_text(policy: Policy) -> str:
    """Return a policy as JSON, with what it states and nothing else."""
    stated: dict[str, object] = {}
    if policy.sparse:
        stated["sparse"] = True
    if policy.immutable:
        stated["immutable"] = policy.immutable
    if not policy.retention.is_empty:
        stated["retention"] = _stated(policy.retention)
    return json.dumps(stated)


def _stated(retention: Retention) -> dict[str, object]:
    rules = {
        "last": retention.last,
        "pushed_within": _seconds(retention.pushed_within),
        "pulled_within": _seconds(retention.pulled_within),
        "matching": retention.matching,
    }
    return {name: rule for name, rule in rules.items() if rule is not None}


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def policy_from(text: str) -> Policy:
    """Return the policy that a text states."""
    if text == EMPTY_POLICY:
        return _NO_POLICY
    stated = json.loads(text)
    return Policy(
        sparse=stated.get("sparse", False),
        immutable=stated.get("immutable", ""),
        retention=_retention(stated.get("retention", {})),
    )


def _retention(stated: dict[str, Any]) -> Retention:
    return Retention(
        last=stated.get("last"),
        pushed_within=_span(stated.get("pushed_within")),
        pulled_within=_span(stated.get("pulled_within")),
        matching=stated.get("matching"),
    )


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
