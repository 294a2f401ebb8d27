"""Whoever sends too little for too long gives the place up for others."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from nacre.hub.api import body
from nacre.hub.api.request import Request
from nacre.hub.registry.chunk import TooSlow

PATIENCE = timedelta(milliseconds=100)


async def received(part: bytes, times: int, *, every: float) -> bytes:
    """Return what is taken of a body that comes in equal parts."""
    left = times

    async def receive() -> dict[str, Any]:
        nonlocal left
        await asyncio.sleep(every)
        left -= 1
        return {"type": "http.request", "body": part, "more_body": left > 0}

    request = Request({"method": "PATCH", "path": "/", "headers": []}, receive)
    taken = bytearray()
    try:
        async for some in body.buffers(request, body.Portions(), patience=PATIENCE):
            taken += some
    finally:
        assert bytes(taken) == part * (times - left), "what came is kept, to go on from there"
    return bytes(taken)


def test_a_byte_now_and_then_is_too_slow() -> None:
    with pytest.raises(TooSlow, match="less than 1024 bytes a second"):
        asyncio.run(received(b"x", 200, every=0.02))


def test_the_least_rate_is_enough_however_long_it_takes() -> None:
    part = bytes(body.LEAST_RATE // 10)
    assert len(asyncio.run(received(part, 20, every=0.05))) == 20 * len(part)


def test_silence_is_told_as_such() -> None:
    with pytest.raises(TooSlow, match="nothing was sent"):
        asyncio.run(received(b"x", 2, every=0.3))
