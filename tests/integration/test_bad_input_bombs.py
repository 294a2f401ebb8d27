"""Images that are small and become large: each stops at a limit that the settings can move."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.layers.tar import END_OF_ARCHIVE
from nacre.layers.tar.header import encode_header
from nacre.layers.tar.pax import format_records
from nacre.testing.builders import a_layer, an_image
from tests.integration.unharmed import Unharmed
from tests.peers.nacre import NacreCli
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer, registry_server

MIB = 1 << 20


def a_hole(size: int) -> bytes:
    """Return a tar of one file that is nothing but a hole of so many bytes."""
    records = [(b"GNU.sparse.map", b""), (b"GNU.sparse.size", b"%d" % size)]
    body = format_records(records)
    header = encode_header(name=b"x", size=len(body), typeflag=b"x")
    file = encode_header(name=b"hole", typeflag=b"0")
    return header + body + bytes(-len(body) % 512) + file + END_OF_ARCHIVE


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
    "sparse": ("size = 8_000_000", a_hole(9_000_000), "more than 8000000 bytes of holes"),
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


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_not_imported(name: str, unharmed: Unharmed, tmp_path: Path) -> None:
    limit, tar, saying = BOMBS[name]
    bomb = tmp_path / "bomb.tar.gz"
    bomb.write_bytes(gzip.compress(tar))
    unharmed.cli.config.write_text(f"[limits]\n{limit}\n")
    said = unharmed.refuses("import", bomb, "bomb:1", saying=saying)
    assert "raise [limits] in the settings file" in said
    unharmed.cli.config.write_text("")
    unharmed.cli("import", bomb, "bomb:1")


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
