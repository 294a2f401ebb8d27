"""A hub whose process is killed again and again, and what is left of it each time.

``awaits DATA`` kills a push at each of its awaits, once before what is waited for can have
happened and once after; ``random DATA COUNT SEED`` kills a hub under load. Both print a line of
JSON for whatever is wrong and end with ``done``, with how often they killed.

Everything is imported once, and each hub runs in a fork.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from nacre.hub.errors import ManifestBlobUnknown
from nacre.hub.jobs.checking import Checker, Fault
from nacre.hub.jobs.collecting import Collector
from nacre.hub.jobs.journalling import Scribe
from nacre.hub.rebuilding import Rebuilder
from nacre.hub.records import Records
from nacre.hub.registry.manifests import Terms
from nacre.hub.registry.rules import Rules
from nacre.hub.storage.folder import FolderPlace
from nacre.hub.storage.journal import FolderJournal
from nacre.hub.storage.sql import Keeping, SqlRecords, open_records
from nacre.oci import mediatypes
from tests.unit.hub.jobs.stocked import Pusher, record

_GRACE = timedelta(seconds=5)
_RULES = Rules(grace=_GRACE)
_KEEPING = Keeping(undo=timedelta(0), grace=_GRACE, trash=timedelta(milliseconds=100))
_WORKERS = 6
Words = list[str]


def now() -> datetime:
    return datetime.now(UTC)


def later() -> datetime:
    """When every upload was given up and every wait is over."""
    return now() + timedelta(days=30)


def opened(
    path: Path, clock: Callable[[], datetime] = now
) -> AbstractAsyncContextManager[SqlRecords]:
    return open_records(path, now=clock, keeping=_KEEPING)


def say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def wrong(what: str, **details: object) -> None:
    say({"wrong": what, **details})


def in_fork(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run something in a process of its own and return its number."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        asyncio.run(work())
        code = 0
    except BaseException:  # noqa: BLE001 - the fork must end here, whatever happens
        wrong("failed", trace=traceback.format_exc())
    finally:
        sys.stdout.flush()
        os._exit(code)


def ended(child: int) -> int:
    """Wait for a fork and return its exit code; negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class DyingAt:
    """Awaits something, and kills the process at one of the times that it waits."""

    def __init__(self, work: Coroutine[Any, Any, None], number: int, *, after: bool) -> None:
        self._work = work
        self._left = number
        self._after = after

    def __await__(self) -> Generator[Any, Any, None]:
        inner = self._work.__await__()
        while True:
            try:
                waited_for = inner.send(None)
            except StopIteration:
                return
            self._left -= 1
            if not self._left and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            yield waited_for
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


def kill_at_every_await(data: Path) -> int:
    killed = 0
    for after in (False, True):
        for number in count(1):
            code = ended(in_fork(lambda: dying_push(data, number, after=after)))  # noqa: B023
            ended(in_fork(lambda: check(data)))
            if code == 0:
                break
            if code != -signal.SIGKILL:
                wrong("did not die", code=code)
            killed += 1
    ended(in_fork(lambda: check_the_end(data)))
    return killed


async def dying_push(data: Path, number: int, *, after: bool) -> None:
    async with opened(data / "hub.db") as records:
        pusher = Pusher(records, FolderPlace(data / "blobs"), now, rules=_RULES)
        app = await pusher.repository("team/app")

        async def push() -> None:
            await pusher.blob(app, f"{number} {after}".encode())
            await pusher.image(app, b"shared", f"{number} {after}".encode(), tags=("v1",))

        await DyingAt(push(), number, after=after)


async def check(data: Path) -> None:
    """See that there is no record without bytes, and nothing half done."""
    async with opened(data / "hub.db") as records:
        checker = Checker(records.inventory, FolderPlace(data / "blobs"), verify=True)
        async for finding in checker.check(strays_before=later()):
            if finding.fault is not Fault.STRAY:
                wrong(finding.fault, about=finding.about, detail=finding.detail)


async def check_the_end(data: Path) -> None:
    """Repair and collect; see that there are no bytes without a record, and no trash."""
    place = FolderPlace(data / "blobs")
    async with opened(data / "hub.db", later) as records:
        checker = Checker(records.inventory, place, verify=True, repair=True)
        async for finding in checker.check(strays_before=later()):
            if finding.is_wrong or finding.fault is not Fault.STRAY:
                wrong(finding.fault, about=finding.about, detail=finding.detail)
        collector = Collector(
            records.garbage, records.uploads, place, upload_idle=timedelta(0), now=later
        )
        await collector.collect_at_once(spare=timedelta(0))
        blobs = await records.inventory.blobs(after="", limit=1_000_000)
        keys, kept = {blob.key for blob in blobs}, {each.key for each in place}
        if keys != kept:
            wrong("bytes", lost=sorted(keys - kept), left=sorted(kept - keys))
        if trash := await records.garbage.trash(later() + timedelta(days=99), 100):
            wrong("trash", left=list(trash))


class Told:
    """What the hub said before it died: what it began, what was done, what was in the journal."""

    def __init__(self) -> None:
        self.tries: dict[str, list[str]] = {}
        self.done: dict[str, int] = {}
        self.carried: dict[str, int] = {}

    def take(self, words: Words) -> None:
        match words:
            case ["try", tag, digest]:
                self.tries.setdefault(tag, ["-"]).append(digest)
            case ["done", tag, digest]:
                if self.tries[tag][-1] != digest:
                    wrong("order", tag=tag)
                self.done[tag] = len(self.tries[tag]) - 1
            case ["carrying"]:
                self._carrying = dict(self.done)
            case ["carried"]:
                self.carried = self._carrying

    def compare(self, what: str, known: dict[str, int], found: dict[str, str]) -> None:
        """See that each tag is what it was by the last word on it, or what was begun since."""
        for tag, last in known.items():
            if found.get(tag, "-") not in self.tries[tag][last:]:
                wrong(what, tag=tag, found=found.get(tag, "-"), tries=self.tries[tag][last:])

    def begin_again(self, found: dict[str, str]) -> None:
        """Go on with what there is now."""
        self.tries = {tag: [digest] for tag, digest in found.items()}
        self.done = dict.fromkeys(found, 0)
        self.carried = {}


def kill_at_random(data: Path, times: int, chance: random.Random) -> int:
    told, carried = Told(), 0
    for _ in range(times):
        reading, writing = os.pipe()
        child = in_fork(lambda: under_load(data, writing))  # noqa: B023
        os.close(writing)
        with os.fdopen(reading, "rb") as words:
            lines = [words.readline()]
            until = time.monotonic() + chance.uniform(0.05, 0.8)
            while (left := until - time.monotonic()) > 0:
                if select.select([words], [], [], left)[0]:
                    lines.append(words.readline())
            os.kill(child, signal.SIGKILL)
            if (code := ended(child)) != -signal.SIGKILL:
                wrong("did not die", code=code)
            lines += words.readlines()
        for line in lines:
            if line.endswith(b"\n"):
                told.take(line.decode().split())
        ended(in_fork(lambda: check(data)))
        found = tags_of(data)
        told.compare("lost", told.done, found)
        ended(in_fork(lambda: rebuild(data, found)))  # noqa: B023
        told.compare("not rebuilt", told.carried, tags_of(data / "rebuilt"))
        shutil.rmtree(data / "rebuilt")
        carried += len(told.carried)
        told.begin_again(found)
    if not carried:
        wrong("the journal was never written")
    ended(in_fork(lambda: check_the_end(data)))
    return times


async def under_load(data: Path, out: int) -> None:
    def tell(*words: str) -> None:
        os.write(out, (" ".join(words) + "\n").encode())

    place = FolderPlace(data / "blobs")
    async with opened(data / "hub.db") as records:
        tell("open")
        collector = Collector(records.garbage, records.uploads, place, upload_idle=_GRACE, now=now)
        scribe = Scribe(records.outbox, FolderJournal(data / "journal"))

        async def carry() -> None:
            tell("carrying")
            await scribe.write()
            tell("carried")

        await asyncio.gather(
            repeated(collector.collect, 0.01),
            repeated(carry, 0.03),
            *(pushing(records, place, number, tell) for number in range(_WORKERS)),
        )


async def repeated(work: Callable[[], Awaitable[object]], pause: float) -> None:
    while True:
        await work()
        await asyncio.sleep(pause)


async def pushing(
    records: Records, place: FolderPlace, worker: int, tell: Callable[..., None]
) -> None:
    """Push, move and delete tags of a repository of its own; layers are shared with others."""
    pusher = Pusher(records, place, now, rules=_RULES)
    app = await pusher.repository(f"team/w{worker}")
    salt = os.urandom(4).hex()
    for number in count():
        tag = f"t{number % 3}"
        name = f"{app.name}:{tag}"
        if number % 5 == 4:
            tell("try", name, "-")
            await records.manifests.delete_tag(app.id, tag, terms=Terms(by="bob"))
            tell("done", name, "-")
            continue
        layers = [b"shared" * (1 + number % 4) * 1000, f"{worker} {number} {salt}".encode()]
        named = [
            {
                "mediaType": mediatypes.OCI_LAYER_GZIP,
                "digest": await pusher.blob(app, layer),
                "size": len(layer),
            }
            for layer in layers
        ]
        made = record(mediatypes.OCI_MANIFEST, {"config": named[1], "layers": named})
        tell("try", name, made.digest)
        # On a slow machine the grace may be over before the manifest comes: nothing was done then.
        with suppress(ManifestBlobUnknown):
            await pusher.put(app, made, (tag,), by="alice")
            tell("done", name, made.digest)


async def rebuild(data: Path, found: dict[str, str]) -> None:
    """Make records from the journal; what ``found`` says is still there must be whole."""
    made = data / "rebuilt"
    made.mkdir()
    place, journal = FolderPlace(data / "blobs"), FolderJournal(data / "journal")
    async with opened(made / "hub.db") as records:
        done = await Rebuilder(records, journal, place, now=now).rebuild()
        # Blobs may have been collected after the last word in the journal, nothing else.
        for problem in done.problems:
            if not problem.startswith("blob sha256:"):
                wrong("rebuilding", problem=problem)
        missing = {
            (held.name, held.digest): sorted(held.missing)
            for held in await records.inventory.manifests(after=(0, ""), limit=1_000_000)
            if held.missing
        }
        for tag, digest in found.items():
            stays = (tag.partition(":")[0], digest)
            if stays in missing:
                wrong("blobs were not rebuilt", tag=tag, missing=missing[stays])


def tags_of(data: Path) -> dict[str, str]:
    """Return where all tags point to."""

    async def look() -> dict[str, str]:
        async with opened(data / "hub.db") as records:
            found = {}
            for repository in await records.inventory.repositories(after="", limit=100):
                for tag in await records.manifests.tag_list(repository.id):
                    found[f"{repository.name}:{tag.name}"] = str(tag.digest)
            return found

    reading, writing = os.pipe()

    async def send() -> None:
        with os.fdopen(writing, "w") as out:
            json.dump(await look(), out)

    child = in_fork(send)
    os.close(writing)
    with os.fdopen(reading) as answer:
        found: dict[str, str] = json.load(answer)
    ended(child)
    return found


def main() -> None:
    how, data, *rest = sys.argv[1:]
    (Path(data) / "blobs").mkdir()
    if how == "awaits":
        killed = kill_at_every_await(Path(data))
    else:
        killed = kill_at_random(Path(data), int(rest[0]), random.Random(int(rest[1])))
    say({"done": killed})


if __name__ == "__main__":
    main()
