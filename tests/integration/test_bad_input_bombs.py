"""Images that are small and become large: each stops at a limit that the settings can move."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nacre.testing.builders import a_layer, an_image
from tests.integration.unharmed import Unharmed
from tests.peers.nacre import NacreCli
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer, registry_server

MIB = 1 << 20
BOMBS = {
    "size": ("size = 8_000_000", a_layer({"zeros": bytes(8 * MIB)}), "more than 8000000 bytes"),
    "ratio": (
        "ratio = 100\ngrace = 16_000_000",
        a_layer({"zeros": bytes(32 * MIB)}),
        "more than 100 times its size and 16000000 bytes beyond",
    ),
    "entries": ("entries = 50", a_layer(dict.fromkeys(map(str, range(51)))), "more than 50"),
    "depth": ("depth = 20", a_layer({"/".join("d" * 22): b"x"}), "20"),
    "name": ("name = 50", a_layer({"n" * 51: b"x"}), "50"),
}


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with registry_server() as running:
        yield running


@pytest.fixture
def unharmed(nacre_cli: NacreCli) -> Unharmed:
    return Unharmed(nacre_cli)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_stops_at_its_limit(name: str, unharmed: Unharmed, server: RegistryServer) -> None:
    limit, tar, saying = BOMBS[name]
    publish(server, "bomb", "1", an_image([tar]))
    unharmed.cli.config.write_text(f"[limits]\n{limit}\n")
    said = unharmed.refuses("pull", f"{server.host}/bomb:1", saying=saying)
    assert "raise [limits] in the settings file" in said
    unharmed.cli.config.write_text("")
    unharmed.cli("pull", f"{server.host}/bomb:1")


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        ("limits = 5", "limits must be a table"),
        ("[limits]\nsise = 5", "unknown key 'sise'"),
        ("[limits]\nsize = 0", "a size that is no number above 0"),
        ("[limits]\nratio = true", "a ratio that is no number above 0"),
    ],
)
def test_limits_that_are_none_are_told(text: str, saying: str, unharmed: Unharmed) -> None:
    unharmed.cli.config.write_text(text)
    said = unharmed.cli.refused("images")
    assert saying in said
