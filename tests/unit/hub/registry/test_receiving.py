"""Uploads seen from inside: leases, other processes, and what ends in the middle."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import cast

import pytest

from nacre.hub.errors import BlobUploadUnknown, Busy, DigestInvalid, OutOfSpace
from nacre.hub.registry.byteplace import Buffer
from nacre.hub.registry.chunk import Chunk, Interrupted
from nacre.hub.registry.pouring import Pouring
from nacre.hub.registry.receiving import Receiving
from nacre.hub.registry.rules import Rules
from nacre.hub.registry.uploads import Uploads
from nacre.hub.repositories.repository import Visibility
from nacre.oci.digest import Digest
from nacre.testing.hub_bytes import MemoryPlace
from nacre.testing.hub_records import MemoryRecords

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Scene:
    """A repository, a place, and as many processes as a test wants."""

    def __init__(self) -> None:
        self.records = MemoryRecords(now=lambda: NOW)
        self.place = MemoryPlace()
        self.ids = count(1)
        self.repository = 0

    def process(self, rules: Rules | None = None) -> Receiving:
        return Receiving(
            self.records.uploads,
            self.place,
            rules=rules or Rules(),
            now=lambda: NOW,
            new_id=lambda: f"id{next(self.ids)}",
        )

    async def append(self, process: Receiving, upload: str, *parts: bytes) -> int:
        chunk = Chunk(pieces(*parts))
        return await process.append(upload, chunk, repository=self.repository, owner="")

    async def finish(self, process: Receiving, upload: str, digest: Digest) -> int:
        found = await process.finish(
            upload, Chunk.empty(), digest, repository=self.repository, owner=""
        )
        return found.size

    async def offset(self, upload: str) -> int:
        found = await self.records.uploads.find(upload, repository=self.repository, owner="")
        return found.offset


async def pieces(*parts: bytes, then: Exception | None = None) -> AsyncIterator[Buffer]:
    for part in parts:
        yield part
    if then is not None:
        raise then


def on_scene(test: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        scene = Scene()
        made = await scene.records.repositories.ensure("team/app", Visibility.PUBLIC)
        scene.repository = made.id
        await test(scene)

    asyncio.run(main())


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_any_process_goes_on_with_any_upload(algorithm: str) -> None:
    async def test(scene: Scene) -> None:
        first, second = scene.process(), scene.process()
        upload = (await first.start(scene.repository, "")).id
        await scene.append(first, upload, b"one ")
        await scene.append(second, upload, b"two ")
        await scene.append(first, upload, b"three")
        digest = Digest.of(b"one two three", algorithm)
        assert await scene.finish(second, upload, digest) == 13

    on_scene(test)


def test_an_upload_that_is_cancelled_meanwhile_makes_no_blob() -> None:
    async def test(scene: Scene) -> None:
        process = scene.process(Rules(lease=timedelta(milliseconds=3)))
        upload = (await process.start(scene.repository, "")).id

        async def body() -> AsyncIterator[Buffer]:
            yield b"one"
            await scene.process().cancel(upload, repository=scene.repository, owner="")
            await asyncio.sleep(0.1)
            yield b"two"

        with pytest.raises(BlobUploadUnknown):
            await process.append(upload, Chunk(body()), repository=scene.repository, owner="")

    on_scene(test)


def test_bytes_that_go_while_they_are_recorded_make_no_blob() -> None:
    class Forgetful(MemoryPlace):
        """A place that somebody tidies up between the last byte and its sealing."""

        def seal(self, key: str) -> None:
            self.delete([key])
            super().seal(key)

    async def test(scene: Scene) -> None:
        scene.place = Forgetful()
        process = scene.process()
        upload = (await process.start(scene.repository, "")).id
        await scene.append(process, upload, b"data")
        with pytest.raises(Busy):
            await scene.finish(process, upload, Digest.of(b"data"))
        assert await scene.records.uploads.known(Digest.of(b"data")) is None

    on_scene(test)


def test_an_upload_that_was_given_back_is_not_taken_again_by_a_late_renewal() -> None:
    class SlowToAnswer:
        """Records whose answer to a ``leave`` takes longer than a lease lives."""

        def __init__(self, uploads: Uploads) -> None:
            self._uploads = uploads

        def __getattr__(self, name: str) -> object:
            return getattr(self._uploads, name)

        async def leave(
            self, upload: str, *, holder: str, offset: int, digest: Digest | None
        ) -> None:
            await self._uploads.leave(upload, holder=holder, offset=offset, digest=digest)
            await asyncio.sleep(0.1)

    async def test(scene: Scene) -> None:
        rules = Rules(lease=timedelta(milliseconds=30))
        process = Receiving(
            cast("Uploads", SlowToAnswer(scene.records.uploads)),
            scene.place,
            rules=rules,
            now=lambda: NOW,
            new_id=lambda: f"id{next(scene.ids)}",
        )
        upload = (await process.start(scene.repository, "")).id
        await scene.append(process, upload, b"one")
        assert await scene.append(scene.process(), upload, b"two") == 6

    on_scene(test)


def test_a_request_that_is_answered_with_an_error_changes_nothing() -> None:
    async def test(scene: Scene) -> None:
        process = scene.process()
        upload = (await process.start(scene.repository, "")).id
        await scene.append(process, upload, b"kept")
        failing = Chunk(pieces(b"lost", then=OutOfSpace("full")))
        with pytest.raises(OutOfSpace):
            await process.append(upload, failing, repository=scene.repository, owner="")
        assert await scene.offset(upload) == 4
        await scene.append(process, upload, b"!")
        assert await scene.finish(process, upload, Digest.of(b"kept!")) == 5

    on_scene(test)


def test_a_client_that_goes_away_leaves_what_it_sent() -> None:
    async def test(scene: Scene) -> None:
        process = scene.process()
        upload = (await process.start(scene.repository, "")).id
        half = Chunk(pieces(b"half", then=Interrupted("gone")))
        with pytest.raises(Interrupted):
            await process.append(upload, half, repository=scene.repository, owner="")
        assert await scene.offset(upload) == 4
        await scene.append(process, upload, b" and half")
        assert await scene.finish(process, upload, Digest.of(b"half and half")) == 13

    on_scene(test)


def test_a_wrong_digest_ends_the_upload() -> None:
    async def test(scene: Scene) -> None:
        process = scene.process()
        upload = (await process.start(scene.repository, "")).id
        await scene.append(process, upload, b"data")
        with pytest.raises(DigestInvalid):
            await scene.finish(process, upload, Digest.of(b"other"))
        with pytest.raises(BlobUploadUnknown):
            await scene.offset(upload)

    on_scene(test)


def test_a_failed_single_post_leaves_no_upload() -> None:
    async def test(scene: Scene) -> None:
        process = scene.process()
        chunk = Chunk(pieces(b"half", then=Interrupted("gone")))
        with pytest.raises(Interrupted):
            await process.whole(scene.repository, "", chunk, Digest.of(b"whole"))
        with pytest.raises(BlobUploadUnknown):
            await scene.offset("id1")

    on_scene(test)


def test_a_request_that_is_stopped_gives_its_upload_back() -> None:
    async def test(scene: Scene) -> None:
        process = scene.process()
        upload = (await process.start(scene.repository, "")).id
        came = asyncio.Event()

        async def body() -> AsyncIterator[Buffer]:
            yield b"some"
            came.set()
            await asyncio.sleep(3600)

        chunk = Chunk(body())
        request = asyncio.ensure_future(
            process.append(upload, chunk, repository=scene.repository, owner="")
        )
        await came.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert await scene.append(process, upload, b" more") == 9

    on_scene(test)


def test_two_requests_never_write_at_once() -> None:
    async def test(scene: Scene) -> None:
        process = scene.process()
        upload = (await process.start(scene.repository, "")).id

        async def body() -> AsyncIterator[Buffer]:
            with pytest.raises(Busy):
                await scene.append(scene.process(), upload, b"intruder")
            yield b"mine"

        await process.append(upload, Chunk(body()), repository=scene.repository, owner="")
        assert await scene.finish(process, upload, Digest.of(b"mine")) == 4

    on_scene(test)


class SlowPlace(MemoryPlace):
    """A place whose writes wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.began = threading.Event()

    def wait(self) -> None:
        self.began.set()
        assert self.go.wait(20)


def test_a_file_is_closed_only_after_its_last_write_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []

    async def main() -> None:
        place = SlowPlace()

        async def pour() -> None:
            async with Pouring(place, "key", 0, None) as pouring:
                await pouring.put(b"data")
                await asyncio.sleep(3600)

        write = Pouring._write

        def slow_write(self: Pouring, data: Buffer) -> None:
            place.wait()
            write(self, data)
            order.append("written")

        monkeypatch.setattr(Pouring, "_write", slow_write)
        pouring = asyncio.ensure_future(pour())
        await asyncio.to_thread(place.began.wait, 20)
        pouring.cancel()
        await asyncio.sleep(0.05)
        assert not pouring.done()
        place.go.set()
        with pytest.raises(asyncio.CancelledError):
            await pouring
        order.append("closed")

    asyncio.run(main())
    assert order == ["written", "closed"]
