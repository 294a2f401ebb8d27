"""What is sent with a request that is refused is read, or else its sender may see no reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.hub.api.driver import Hub, ask, on_hub

CHUNKED = {"transfer-encoding": "chunked"}
TARGET = "/v2/app/manifests/latest"
MIB = 1 << 20


def read_of(hub: Hub, taken: list[int]) -> Any:
    """Return the hub's application, which notes how many bytes it asks for."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def counting() -> Any:
            message = await receive()
            taken.append(len(message.get("body", b"")))
            return message

        await hub.app(scope, counting, send)

    return app


def refused(body: Any, headers: Mapping[str, str], **options: Any) -> list[int]:
    """Push without a token; return the sizes of what was read of it."""
    taken: list[int] = []

    async def test(hub: Hub) -> None:
        app = read_of(hub, taken)
        answer = await ask(app, "PUT", TARGET, body, headers=headers, **options)
        assert answer.status == 401

    on_hub(test, anonymous_push=False)
    return taken


def test_a_stream_is_read_to_its_end() -> None:
    assert refused([b"a" * MIB] * 4, CHUNKED) == [MIB] * 4 + [0]


def test_a_body_with_a_length_is_read_to_its_end() -> None:
    assert refused(b"a" * MIB, {}) == [MIB, 0]


def test_only_so_much_of_an_endless_stream_is_read() -> None:
    assert refused([b"a" * MIB] * 100, CHUNKED) == [MIB] * 17


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (None, {}),
        (None, {"content-length": "0"}),
        (b"a" * MIB, {"expect": "100-continue"}),
        (None, {"content-length": str(100 * MIB)}),
    ],
    ids=["none", "empty", "asks first", "large"],
)
def test_nothing_is_read_of(body: Any, headers: Mapping[str, str]) -> None:
    assert refused(body, headers) == []


def test_a_client_that_leaves_harms_nothing() -> None:
    assert refused([b"a" * MIB], CHUNKED, cut_off=True) == [MIB, 0]


def test_what_was_looked_at_is_not_read_on() -> None:
    """The end of a body comes once: after it there is nothing but the end of the connection."""

    async def test(hub: Hub) -> None:
        taken: list[int] = []
        app = read_of(hub, taken)
        answer = await ask(app, "PUT", TARGET, [b"{}"], headers=CHUNKED)
        assert answer.status == 400
        assert taken == [2, 0]

    on_hub(test)
