"""Bytes on their way: sizes of pieces, clients that leave, what lies on the disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nacre.hub.api import sending
from nacre.hub.api.reply import Bytes, Reply
from nacre.hub.api.sending import Lost, deliver, ready
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.threads import in_thread
from nacre.hub.storage.folder import FolderPlace
from nacre.testing.hub_bytes import MemoryPlace

KIB = 1024
DATA = os.urandom(3_000_000)
GET, HEAD = {"method": "GET"}, {"method": "HEAD"}


@pytest.fixture(params=["folder", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> BytePlace:
    return FolderPlace(tmp_path) if request.param == "folder" else MemoryPlace()


def reply_of(place: BytePlace, data: bytes, first: int = 0, last: int | None = None) -> Reply:
    """Return a reply with a blob's bytes, or a part of them."""
    key = place.new_key()
    with place.append(key, 0) as end:
        end.write(data)
    place.seal(key)
    length = (len(data) if last is None else last + 1) - first
    return Reply(200, content=Bytes(place, key, len(data), first, length))


class Client:
    """Takes what is sent: one piece each ``pause`` seconds; leaves after ``most`` pieces."""

    def __init__(self, pause: float = 0, most: int | None = None) -> None:
        self.pieces: list[bytes] = []
        self.ended = 0
        self._pause = pause
        self._most = most
        self._left = asyncio.Event()

    async def send(self, message: Any) -> None:
        if message["type"] != "http.response.body":
            return
        self.ended += not message.get("more_body", False)
        if message["body"]:
            self.pieces.append(message["body"])
        if self._pause:
            await asyncio.sleep(self._pause)
        if len(self.pieces) == self._most:
            self._left.set()

    async def receive(self) -> Any:
        await self._left.wait()
        return {"type": "http.disconnect"}


def sent(reply: Reply, make_client: Callable[[], Client] = Client) -> Client:
    """Return the client after it was sent a reply."""

    async def main() -> Client:
        client = make_client()
        await deliver(await ready(reply, GET), GET, client.receive, client.send)
        return client

    return asyncio.run(main())


@pytest.mark.parametrize("size", [0, 1, 64 * KIB, 64 * KIB + 1, len(DATA)])
def test_all_bytes_arrive(place: BytePlace, size: int) -> None:
    client = sent(reply_of(place, DATA[:size]))
    assert (b"".join(client.pieces), client.ended) == (DATA[:size], 1)


@pytest.mark.parametrize("part", [(0, 0), (1, 99), (70_000, 2_999_998), (2_999_999, 2_999_999)])
def test_a_part_arrives(place: BytePlace, part: tuple[int, int]) -> None:
    first, last = part
    client = sent(reply_of(place, DATA, first, last))
    assert b"".join(client.pieces) == DATA[first : last + 1]


def test_pieces_are_small_until_a_client_has_shown_that_it_is_fast(place: BytePlace) -> None:
    data = DATA * 8
    fast = [len(piece) for piece in sent(reply_of(place, data)).pieces]
    assert set(fast[: sending._PROOF // sending._SMALL]) == {sending._SMALL}
    assert set(fast[sending._PROOF // sending._SMALL : -1]) == {sending._LARGE}


def test_pieces_for_a_slow_client_stay_small(
    place: BytePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_PROOF", sending._SMALL)
    slow = sent(reply_of(place, DATA[:300_000]), lambda: Client(pause=0.02))
    assert {len(piece) for piece in slow.pieces[:-1]} == {sending._SMALL}


def test_nothing_more_is_read_for_a_client_that_left(place: BytePlace) -> None:
    reply = reply_of(place, DATA)
    client = sent(reply, lambda: Client(most=2))
    assert 2 <= len(client.pieces) <= 4
    assert client.ended == 1


def test_what_is_on_the_disk_is_read_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = reply_of(FolderPlace(tmp_path), DATA)
    asked: list[object] = []

    async def noted(work: Any, *args: Any) -> Any:
        asked.append(work)
        return await in_thread(work, *args)

    monkeypatch.setattr("nacre.hub.api.sending.in_thread", noted)
    assert b"".join(sent(reply).pieces) == DATA
    assert asked == []  # just written, so in memory
    monkeypatch.setattr(sending, "_is_at_hand", lambda *_: False)
    assert b"".join(sent(reply).pieces) == DATA
    assert set(asked) == {os.pread}


def test_what_is_written_is_at_hand_and_what_is_not_there_is_not(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 10_000)
    with file.open("rb") as opened:
        assert sending._is_at_hand(opened.fileno(), 9_999)
        assert not sending._is_at_hand(opened.fileno(), 10_000)


def test_others_are_let_in_while_a_blob_is_sent(place: BytePlace) -> None:
    """A server takes pieces without a pause as long as the client does."""

    async def main() -> None:
        client, turns = Client(), 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(other())
        await deliver(await ready(reply_of(place, DATA), GET), GET, client.receive, client.send)
        beside.cancel()
        assert turns >= len(client.pieces)

    asyncio.run(main())


@pytest.mark.parametrize("scope", [GET, HEAD], ids=["GET", "HEAD"])
def test_bytes_that_are_missing_or_short_are_told_before_anything_is_sent(
    tmp_path: Path, scope: dict[str, str]
) -> None:
    place = FolderPlace(tmp_path)
    for harm in (Path.unlink, lambda path: os.truncate(path, 100)):
        reply = reply_of(place, DATA)
        assert reply.content is not None
        harm(tmp_path / reply.content.key)
        with pytest.raises(Lost):
            asyncio.run(ready(reply, scope))


def test_what_was_opened_is_closed(place: BytePlace) -> None:
    async def main(scope: dict[str, str]) -> None:
        reply, client = await ready(reply_of(place, DATA), scope), Client()
        await deliver(reply, scope, client.receive, client.send)
        assert reply.content is not None
        assert reply.content.source is None or reply.content.source.closed
        assert bool(client.pieces) == (scope is GET)

    for scope in (GET, HEAD):
        asyncio.run(main(scope))
