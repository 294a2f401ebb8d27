"""What came of each check: it passed, failed, or the registry said that it does not do that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum


class Feature(Enum):
    """The parts of the API that are counted apart, as OCI's suite counts them."""

    PING = "Ping"
    TAG_LIST = "Tag listing"
    TAG_DELETE = "Tag delete"
    TAG_DELETE_ATOMIC = "Tag delete atomic"
    BLOB_CANCEL = "Blob upload cancel"
    BLOB_PUSH = "Blob push"
    BLOB_POST_ONLY = "Blob post only"
    BLOB_POST_PUT = "Blob post put"
    BLOB_CHUNKED = "Blob chunked"
    BLOB_STREAM = "Blob streaming"
    BLOB_MOUNT = "Blob mount"
    BLOB_MOUNT_ANONYMOUS = "Blob anonymous mount"
    BLOB_GET = "Blob get"
    BLOB_GET_RANGE = "Blob get range"
    BLOB_HEAD = "Blob head"
    BLOB_DELETE = "Blob delete"
    BLOB_DELETE_ATOMIC = "Blob delete atomic"
    MANIFEST_PUT_DIGEST = "Manifest put by digest"
    MANIFEST_PUT_TAG = "Manifest put by tag"
    MANIFEST_PUT_TAG_PARAM = "Manifest put with tag params"
    MANIFEST_PUT_SUBJECT = "Manifest put with subject"
    MANIFEST_GET_DIGEST = "Manifest get by digest"
    MANIFEST_GET_TAG = "Manifest get by tag"
    MANIFEST_HEAD_DIGEST = "Manifest head by digest"
    MANIFEST_HEAD_TAG = "Manifest head by tag"
    MANIFEST_DELETE = "Manifest delete"
    MANIFEST_DELETE_ATOMIC = "Manifest delete atomic"
    REFERRERS = "Referrers"


class Status(Enum):
    """How a check ended."""

    PASS = "Pass"
    SKIP = "Skip"
    FAIL = "FAIL"


class Failed(Exception):
    """The registry does something else than the specification says."""


class Unsupported(Exception):
    """The registry does what the specification leaves to those that lack a feature."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check of some features on some data."""

    name: str
    data: str
    features: tuple[Feature, ...]
    status: Status
    why: str = ""


@dataclass(slots=True)
class Report:
    """All outcomes of a run, in order."""

    outcomes: list[Outcome] = field(default_factory=list)

    @contextmanager
    def check(self, name: str, *features: Feature, data: str = "") -> Iterator[None]:
        """Count what happens inside; nothing that the registry does ends the run."""
        status, why = Status.PASS, ""
        try:
            yield
        except Unsupported as error:
            status, why = Status.SKIP, str(error)
        except (Failed, OSError) as error:
            status, why = Status.FAIL, f"{type(error).__name__}: {error}"
        self.outcomes.append(Outcome(name, data, features, status, why))

    @property
    def counts(self) -> Counter[Status]:
        """How many checks ended how."""
        return Counter(outcome.status for outcome in self.outcomes)

    @property
    def passed(self) -> frozenset[Feature]:
        """The features that were seen to work at least once."""
        return frozenset(
            feature
            for outcome in self.outcomes
            if outcome.status is Status.PASS
            for feature in outcome.features
        )

    def complaints(self) -> list[str]:
        """Return a line for each check that did not pass."""
        return [
            f"{outcome.status.value} {outcome.data} {outcome.name}: {outcome.why}"
            for outcome in self.outcomes
            if outcome.status is not Status.PASS
        ]


def must(condition: object, why: str) -> None:
    """Fail the check that is under way unless ``condition`` holds."""
    if not condition:
        raise Failed(why)
