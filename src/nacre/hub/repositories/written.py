"""Policies as JSON has them: what a policy states and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from nacre.hub.repositories.policy import Policy, Retention


def facts_of(policy: Policy) -> dict[str, object]:
    """Return what a policy states; times are in seconds.

    >>> facts_of(Policy(immutable="v.*", retention=Retention(last=3)))
    {'immutable': 'v.*', 'retention': {'last': 3}}
    """
    stated: dict[str, object] = {}
    if policy.sparse:
        stated["sparse"] = True
    if policy.immutable:
        stated["immutable"] = policy.immutable
    if not policy.retention.is_empty:
        stated["retention"] = _rules(policy.retention)
    return stated


def _rules(retention: Retention) -> dict[str, object]:
    rules = {
        "last": retention.last,
        "pushed_within": _seconds(retention.pushed_within),
        "pulled_within": _seconds(retention.pulled_within),
        "matching": retention.matching,
    }
    return {name: rule for name, rule in rules.items() if rule is not None}


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def policy_of(facts: Mapping[str, Any]) -> Policy:
    """Return the policy that states this."""
    rules = facts.get("retention", {})
    return Policy(
        sparse=facts.get("sparse", False),
        immutable=facts.get("immutable", ""),
        retention=Retention(
            last=rules.get("last"),
            pushed_within=_span(rules.get("pushed_within")),
            pulled_within=_span(rules.get("pulled_within")),
            matching=rules.get("matching"),
        ),
    )


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
