"""What can be said of a repository and of a namespace alike: who may pull, which tags stay."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nacre.cli.flags import Flag, Kind, UsageError
from nacre.cli.options import switch
from nacre.errors import Invalid
from nacre.hub.repositories.repository import Visibility

if TYPE_CHECKING:
    from nacre.cli.flags import Given
    from nacre.hub.repositories.policy import Policy

_KINDS = tuple(each.value for each in Visibility)


def _visibility(text: str) -> Visibility:
    if text not in _KINDS:
        raise ValueError(f"must be one of {', '.join(_KINDS)}")
    return Visibility(text)


FLAGS = (
    Flag(
        "visibility",
        Kind("string", _visibility, choices=_KINDS),
        None,
        "Who may pull without a role: public or private",
    ),
    Flag(
        "immutable",
        Kind("pattern", str),
        None,
        "Tags that can neither be moved nor deleted, as a regular expression; '' lifts it",
    ),
    switch("sparse", "Let manifests name content that is not here"),
    switch("no-sparse", "Refuse manifests that name content that is not here"),
)


def check_some(given: Given) -> None:
    """Check that the flags say anything at all.

    Raises:
        UsageError: they do not.
    """
    if (
        given.visibility is None
        and given.immutable is None
        and not (given.sparse or given.no_sparse)
    ):
        raise UsageError(
            "nothing is to be changed: use --visibility, --immutable, --sparse or --no-sparse"
        )


def changed(policy: Policy, given: Given) -> Policy | None:
    """Return a policy as the flags change it, or None when they do not.

    Raises:
        UsageError: they contradict each other.
        Invalid: the pattern is none.
    """
    if given.sparse and given.no_sparse:
        raise UsageError("conflicting options: cannot specify both --sparse and --no-sparse")
    new = policy
    if given.sparse or given.no_sparse:
        new = replace(new, sparse=bool(given.sparse))
    if given.immutable is not None:
        try:
            re.compile(given.immutable)
        except re.error as error:
            raise Invalid(f"--immutable is no regular expression: {error}") from None
        new = replace(new, immutable=given.immutable)
    return None if new == policy else new
