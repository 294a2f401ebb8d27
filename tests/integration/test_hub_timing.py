"""Whether the time that an answer takes tells what its text does not.

Whoever may not see a repository asks for it, for one beside it that does not exist, and for one in
a namespace that does not exist: in turn, over one connection, many times over. What the hub reads
of its records it keeps until they change, so each turn begins with a change, and ends with the same
again, when it is kept: how much less that takes is what one look at the records costs, on this
machine and now. Two kinds may differ by less than half of that, as sure as the turns make it; two
private ones are compared, too, which shows how sure that is.
"""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import median

import pytest

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from tests.integration.hub_people import CONFIG, LAYER, People, image, index, settled
from tests.servers.hub import ADMIN, Hub, started_hub

BLOB = Digest.of(LAYER)
PRIVATE, OTHER, ABSENT, NOWHERE = "alpha/app", "alpha/two", "alpha/zzz", "zzzzz/app"
NAMES = (PRIVATE, OTHER, ABSENT, NOWHERE)
TURNS, MOST_TURNS = 150, 900
_TYPE = {"Content-Type": mediatypes.OCI_INDEX}


@dataclass(frozen=True)
class Question:
    """A request; ``{}`` is the name of the repository."""

    method: str
    target: str
    body: bytes | None = None


QUESTIONS = (
    Question("GET", "/v2/{}/manifests/latest"),
    Question("HEAD", f"/v2/{{}}/manifests/{Digest.of(image())}"),
    Question("GET", f"/v2/{{}}/blobs/{BLOB}"),
    Question("HEAD", f"/v2/{{}}/blobs/{BLOB}"),
    Question("GET", "/v2/{}/tags/list"),
    Question("GET", f"/v2/{{}}/referrers/{Digest.of(image())}"),
    Question("POST", "/v2/{}/blobs/uploads/"),
    Question("POST", f"/v2/{{}}/blobs/uploads/?mount={BLOB}&from=beta/app"),
    Question("PUT", "/v2/{}/manifests/latest", index()),
    Question("DELETE", "/v2/{}/manifests/latest"),
)


@dataclass(frozen=True)
class Difference:
    """How much two kinds of questions differ, in seconds: the middle, and how sure that is."""

    middle: float
    error: float

    @classmethod
    def of(cls, differences: Sequence[float]) -> Difference:
        """Return the median, and three standard errors of it as far as the middle half tells."""
        ordered = sorted(differences)
        size = len(ordered)
        spread = (ordered[size * 3 // 4] - ordered[size // 4]) / 1.35
        return cls(median(ordered), 3 * 1.25 * spread / size**0.5)

    def is_below(self, limit: float) -> bool:
        """Return whether it surely is."""
        return abs(self.middle) + self.error < limit

    def is_above(self, limit: float) -> bool:
        """Return whether it surely is."""
        return abs(self.middle) - self.error > limit


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    env = {"NACRE_HUB_LOG_ACCESS": "false", "NACRE_HUB_LIMITS_LOGINS": "100000/s"}
    with started_hub(tmp_path_factory.mktemp("hub"), env=env) as hub:
        people = settled(hub)
        for data in (LAYER, CONFIG):
            people[ADMIN].push_blob(OTHER, data)
        assert people[ADMIN].push_manifest(OTHER, "latest", image()).status == 201
        yield people


def stranger(people: People, who: str) -> Hub:
    """Return the hub as somebody sees it who may see nothing of all this."""
    if who == "anonymous":
        return people["anonymous"]
    return people.token(who, *(f"repository:{name}:pull,push,delete" for name in NAMES))


class Asking:
    """One connection on which somebody asks; ``changed`` makes the hub forget what it has read."""

    def __init__(self, hub: Hub) -> None:
        self._headers = {"Authorization": hub.authorization} if hub.authorization else {}
        self._connection = hub.connect()
        self._records = sqlite3.connect(hub.data / "hub.db", isolation_level=None)
        self._records.execute("PRAGMA synchronous=OFF")

    def close(self) -> None:
        self._connection.close()
        self._records.close()

    def changed(self) -> None:
        self._records.execute("UPDATE namespaces SET used = used + 1")

    def answer(self, question: Question, name: str) -> tuple[object, ...]:
        """Return all that an answer tells, without the name and the time."""
        self._ask(question, name)
        answer = self._connection.getresponse()
        headers = [(key, value) for key, value in answer.getheaders() if key.lower() != "date"]
        return answer.status, re.sub(name, "NAME", f"{headers}{answer.read().decode()}")

    def seconds(self, question: Question, name: str) -> float:
        """Return how long an answer takes."""
        began = time.perf_counter()
        self._ask(question, name)
        self._connection.getresponse().read()
        return time.perf_counter() - began

    def turn(self, question: Question) -> tuple[dict[str, float], dict[str, float]]:
        """Return how long each takes when nothing is kept, and how much less when it is."""
        self.changed()
        self.seconds(question, "nobody/any")  # pays for the change
        took = {name: self.seconds(question, name) for name in random.sample(NAMES, len(NAMES))}
        again = {name: self.seconds(question, name) for name in (PRIVATE, NOWHERE)}
        return took, {name: took[name] - seconds for name, seconds in again.items()}

    def _ask(self, question: Question, name: str) -> None:
        headers = {**self._headers, **(_TYPE if question.body else {})}
        self._connection.request(
            question.method, question.target.format(name), question.body, headers
        )


@pytest.mark.parametrize("who", ["anonymous", "owner"])
@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_neither_text_nor_time_tells_what_is_private(
    people: People, who: str, question: Question
) -> None:
    with closing(Asking(stranger(people, who))) as asking:
        first, *others = (asking.answer(question, name) for name in NAMES)
        assert others == [first] * len(others)
        turns: list[tuple[dict[str, float], dict[str, float]]] = []
        for _ in range(0, MOST_TURNS, TURNS):
            turns += [asking.turn(question) for _ in range(TURNS)]
            found = {
                name: Difference.of([took[name] - took[PRIVATE] for took, _ in turns])
                for name in NAMES[1:]
            }
            limit = min(median(less[name] for _, less in turns) for name in (PRIVATE, NOWHERE)) / 2
            if all(each.is_below(limit) or each.is_above(limit) for each in found.values()):
                break
        assert limit > 0, "a look at the records costs nothing"
        assert not any(each.is_above(limit) for each in found.values()), (limit, found)
