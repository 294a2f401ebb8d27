"""Policies: what a namespace or a repository allows beyond who may do what."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    """Which tags are kept; one that any rule keeps, stays. No rule at all keeps everything.

    Attributes:
        last: keep this many tags, the latest pushed first.
        pushed_within: keep what was pushed so recently.
        pulled_within: keep what was pulled so recently.
        matching: keep tags that match this pattern (a whole match).
    """

    last: int | None = None
    pushed_within: timedelta | None = None
    pulled_within: timedelta | None = None
    matching: str | None = None

    @property
    def is_empty(self) -> bool:
        """Say whether there is no rule, so that everything is kept."""
        rules = (self.last, self.pushed_within, self.pulled_within, self.matching)
        return all(rule is None for rule in rules)


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds in a repository; what it does not state itself, its namespace does.

    Attributes:
        sparse: manifests may name content that is not here (distribution-spec: MAY reject).
        immutable: tags matching this pattern (a whole match) cannot be moved or deleted; "" is
            none, ".*" all.
        retention: which tags retention keeps.
    """

    sparse: bool = False
    immutable: str = ""
    retention: Retention = field(default_factory=Retention)

    def filled_from(self, namespace: Policy) -> Policy:
        """Return what holds: this, and the namespace's where this states nothing."""
        return Policy(
            sparse=self.sparse or namespace.sparse,
            immutable=self.immutable or namespace.immutable,
            retention=namespace.retention if self.retention.is_empty else self.retention,
        )

    def beyond(self, namespace: Policy) -> Policy:
        """Return what has to be stated so that this holds: all but what the namespace says."""
        return Policy(
            sparse=self.sparse and not namespace.sparse,
            immutable="" if self.immutable == namespace.immutable else self.immutable,
            retention=Retention() if self.retention == namespace.retention else self.retention,
        )

    def keeps_still(self, tag: str) -> bool:
        """Say whether ``tag``, once pushed, may be neither moved nor deleted."""
        return bool(self.immutable) and re.fullmatch(self.immutable, tag) is not None
