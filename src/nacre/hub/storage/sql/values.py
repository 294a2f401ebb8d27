"""How values look in the tables: times, policies, and the rows of repositories."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from nacre.hub.repositories.policy import Policy
from nacre.hub.repositories.written import facts_of, policy_of

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
    return json.dumps(facts_of(policy))


@lru_cache(maxsize=1024)
def policy_from(text: str) -> Policy:
    """Return the policy that a text states; kept, as most of a hub's are the same few."""
    return _NO_POLICY if text == EMPTY_POLICY else policy_of(json.loads(text))
