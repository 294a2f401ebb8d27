"""Which forms of a layer stay after a pull: the setting ``keep``, and ``--no-unpack``."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from nacre.cli.render.units import human_size
from nacre.engine.engine import Engine
from nacre.oci.digest import Digest
from nacre.testing.builders import an_image
from tests.peers.nacre import NacreCli
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer, registry_server
from tests.unit.layers.stacks import file, folder, tar_of

TARS = (
    tar_of([folder("etc"), file("etc/motd", b"m" * 5000)]),
    tar_of([folder("etc"), file("etc/top", b"t" * 7000)]),
)
IMAGE = an_image(TARS)
UNPACKED = {Digest.of(tar).encoded for tar in TARS}


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with registry_server() as running:
        publish(running, "team/app", "1", IMAGE)
        yield running


@pytest.fixture
def name(server: RegistryServer) -> str:
    return f"{server.host}/team/app:1"


def packed() -> set[str]:
    """Return the blobs of the layers as they are in the registry."""
    manifest = json.loads(IMAGE.blobs[IMAGE.root.digest])
    return {layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]}


def blobs(cli: NacreCli) -> set[str]:
    return {path.name for path in (cli.root / "blobs" / "sha256").iterdir()}


def keep(cli: NacreCli, what: str, driver: str = "copying") -> None:
    cli.config.write_text(f'keep = "{what}"\nstorage-driver = "{driver}"\n')


def trees(cli: NacreCli) -> list[str]:
    """Return the names of what the driver has unpacked."""
    return [path.name for path in (cli.root / "storage").rglob("trees/*")]


def is_ready(cli: NacreCli) -> bool:
    return any((cli.root / "storage").rglob("motd"))


def test_a_pull_is_ready_to_run_and_keeps_what_came(nacre_cli: NacreCli, name: str) -> None:
    keep(nacre_cli, "both")
    nacre_cli("pull", name)
    assert is_ready(nacre_cli)
    assert packed() <= blobs(nacre_cli)


@pytest.mark.root
def test_the_driver_erofs_keeps_raw_tars_besides(nacre_cli: NacreCli, name: str) -> None:
    keep(nacre_cli, "both", "erofs")
    nacre_cli("pull", name)
    assert packed() | UNPACKED <= blobs(nacre_cli)
    nacre_cli("rmi", name)
    assert blobs(nacre_cli) == set()


def test_unpacking_can_be_left_to_the_first_use(nacre_cli: NacreCli, name: str) -> None:
    keep(nacre_cli, "both")
    nacre_cli("pull", "--no-unpack", name)
    assert not is_ready(nacre_cli)
    assert nacre_cli("image", "cat", f"{name}:/etc/motd") == "m" * 5000


def test_only_what_came_is_kept(nacre_cli: NacreCli, name: str) -> None:
    keep(nacre_cli, "compressed")
    nacre_cli("pull", name)
    assert not is_ready(nacre_cli)
    assert not UNPACKED & blobs(nacre_cli)


def test_only_raw_tars_are_kept(nacre_cli: NacreCli, name: str) -> None:
    keep(nacre_cli, "unpacked")
    said = nacre_cli("pull", name)
    assert f"Digest: {IMAGE.root.digest}" in said
    assert blobs(nacre_cli) & (packed() | UNPACKED) == UNPACKED
    manifest = json.loads(IMAGE.blobs[IMAGE.root.digest])
    assert nacre_cli("images", "-q", "--no-trunc").strip() == manifest["config"]["digest"]
    nacre_cli("image", "verify", name)
    assert nacre_cli("image", "cat", f"{name}:/etc/top") == "t" * 7000


def test_what_is_kept_as_raw_tars_does_not_come_again(
    nacre_cli: NacreCli, server: RegistryServer, name: str
) -> None:
    keep(nacre_cli, "unpacked")
    nacre_cli("pull", name)
    server.requests.clear()
    assert "Image is up to date" in nacre_cli("pull", name)
    assert not [seen for seen in server.requests if any(blob in seen.path for blob in packed())]


def test_a_push_finds_at_the_registry_what_is_kept_as_raw_tars(
    nacre_cli: NacreCli, server: RegistryServer, name: str
) -> None:
    keep(nacre_cli, "unpacked")
    nacre_cli("pull", name)
    nacre_cli("tag", name, f"{server.host}/other/app:2")
    said = nacre_cli("push", f"{server.host}/other/app:2")
    assert said.count("Layer already exists") == 2  # mounted while looking
    assert f"2: digest: {IMAGE.root.digest}" in said
    assert server.manifests["other/app", "2"] == server.manifests["team/app", "1"]


def test_elsewhere_raw_tars_are_compressed_anew(nacre_cli: NacreCli, name: str) -> None:
    keep(nacre_cli, "unpacked")
    nacre_cli("pull", name)
    with registry_server() as other:
        nacre_cli("tag", name, f"{other.host}/app:1")
        assert "Pushed" in nacre_cli("push", f"{other.host}/app:1")
        nacre_cli("rmi", "--force", name, f"{other.host}/app:1")
        nacre_cli("pull", f"{other.host}/app:1")
    assert nacre_cli("image", "cat", f"{other.host}/app:1:/etc/top") == "t" * 7000


@pytest.mark.root
@pytest.mark.parametrize("driver", ["erofs", "overlay", "copying"])
def test_disk_use_tells_each_form(nacre_cli: NacreCli, name: str, driver: str) -> None:
    keep(nacre_cli, "both", driver)
    nacre_cli("pull", name)
    with Engine(root=nacre_cli.root, environment=nacre_cli.env) as engine:
        (use,) = engine.system.disk_use().images
    assert use.compressed == sum(len(IMAGE.blobs[Digest(f"sha256:{one}")]) for one in packed())
    assert use.unpacked >= sum(map(len, TARS)) if driver == "erofs" else use.unpacked >= 12_000
    assert use.shared == 0
    assert use.unique > use.compressed + use.unpacked
    (row,) = nacre_cli("system", "df", "-v").splitlines()[3:]
    assert row.split()[-2:] == [f"{use.compressed}B", human_size(use.unpacked, precision=3)]


def test_a_wrong_value_is_told(nacre_cli: NacreCli) -> None:
    keep(nacre_cli, "nothing")
    assert "keep must be one of both, unpacked, compressed" in nacre_cli.refused("images")
