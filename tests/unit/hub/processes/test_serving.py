"""The address that a hub listens on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from nacre.errors import Unavailable
from nacre.hub.configuration.options import Options, Server
from nacre.hub.configuration.settings import Settings, split_address
from nacre.hub.processes.serving import AddressInUse, free_address


def free(listen: str) -> tuple[str, int]:
    options = Options(server=Server(listen=listen))
    return free_address(Settings(options, Path("/nowhere"), address=split_address(listen)))


def test_a_name_becomes_the_address_that_it_means() -> None:
    host, port = free("localhost:0")
    assert host in {"127.0.0.1", "::1"}
    assert port > 0


def test_an_address_in_use_is_refused_under_the_name_that_was_given() -> None:
    with socket.create_server((free("localhost:0")[0], 0)) as other:
        listen = f"localhost:{other.getsockname()[1]}"
        with pytest.raises(AddressInUse, match=f"cannot listen on {listen}: it is in use"):
            free(listen)


@pytest.mark.parametrize("name", ["nacre.invalid", "a..b", "a" * 64])
def test_a_name_that_means_no_address_is_refused(name: str) -> None:
    with pytest.raises(Unavailable, match=f"cannot listen on {name}:0: ") as caught:
        free(f"{name}:0")
    assert caught.value.remedy == "choose another with --listen"
