"""Trees of the drivers that unpack, against the union: any stack, and what only root can have."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nacre.layers.entry import Kind
from nacre.layers.ownership import KEEP
from nacre.layers.union import BadLayer, union
from nacre.storage.chain import Chain
from nacre.storage.driver import StorageDriver
from nacre.testing.hard_stacks import BASE, many
from nacre.testing.members import Member, file, folder, special
from nacre.testing.memory_layers import MemoryLayers
from nacre.testing.seen import Listing, expected, found
from tests.integration.driver_makers import DRIVERS
from tests.integration.test_union import LAYERS
from tests.peers.mounting import nothing_stays_mounted

pytestmark = pytest.mark.root


@pytest.fixture
def layers(tmp_path: Path) -> MemoryLayers:
    return MemoryLayers(tmp_path / "tars")


@pytest.fixture(params=DRIVERS)
def driver(
    request: pytest.FixtureRequest, layers: MemoryLayers, tmp_path: Path
) -> Iterator[StorageDriver]:
    with nothing_stays_mounted(tmp_path):
        yield DRIVERS[request.param](tmp_path, layers)


def shown(driver: StorageDriver, chain: Chain) -> Listing:
    with driver.mounted(chain) as tree:
        return found(tree, KEEP)


def wanted(layers: MemoryLayers, chain: Chain) -> Listing:
    return expected(union(map(layers.toc, chain.layers)), layers, KEEP)


@contextmanager
def fresh(name: str, where: Path) -> Iterator[tuple[StorageDriver, MemoryLayers]]:
    with tempfile.TemporaryDirectory(dir=where) as folder:
        layers = MemoryLayers(Path(folder) / "tars")
        yield DRIVERS[name](Path(folder), layers), layers


ANY_STACK = given(
    stack=st.lists(LAYERS, min_size=1, max_size=3),
    repeated=st.lists(st.integers(0, 2), max_size=2),
)
UNCHECKED = [HealthCheck.function_scoped_fixture]


@pytest.mark.parametrize("name", DRIVERS)
@settings(max_examples=12, suppress_health_check=UNCHECKED)
@ANY_STACK
def test_any_stack_is_shown_as_its_union(
    name: str, stack: list[list[Member]], repeated: list[int], tmp_path: Path
) -> None:
    check_stack(name, [*stack, *(stack[number % len(stack)] for number in repeated)], tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", DRIVERS)
@settings(max_examples=300, suppress_health_check=UNCHECKED)
@ANY_STACK
def test_any_of_many_stacks_is_shown_as_its_union(
    name: str, stack: list[list[Member]], repeated: list[int], tmp_path: Path
) -> None:
    check_stack(name, [*stack, *(stack[number % len(stack)] for number in repeated)], tmp_path)


def check_stack(name: str, stack: list[list[Member]], where: Path) -> None:
    with fresh(name, where) as (driver, layers):
        chain = layers.chain(*stack)
        try:
            listing = wanted(layers, chain)
        except BadLayer:
            return
        assert shown(driver, chain) == listing
        driver.prepare("top", chain)
        with driver.writable("top") as tree:
            assert found(tree, KEEP) == listing
        driver.remove("top")
        driver.prune([])


def test_devices_are_there(driver: StorageDriver, layers: MemoryLayers) -> None:
    null = special("null", Kind.CHR, mode=0o666, devmajor=1, devminor=3)
    chain = layers.chain([null, special("sda", Kind.BLK, devmajor=8)], [file("f")])
    assert shown(driver, chain) == wanted(layers, chain)


def test_capabilities_are_there(driver: StorageDriver, layers: MemoryLayers) -> None:
    capability = b"\x01\x00\x00\x02" + b"\x00\x20\x00\x00" + bytes(12)
    ping = file("ping", b"x", xattrs=((b"security.capability", capability),))
    chain = layers.chain([ping, folder("d", xattrs=((b"trusted.note", b"1"),))], [file("d/f")])
    assert shown(driver, chain) == wanted(layers, chain)


def test_attributes_that_overlayfs_would_obey_have_no_effect(
    driver: StorageDriver, layers: MemoryLayers
) -> None:
    commands = ((b"trusted.overlay.opaque", b"y"), (b"trusted.overlay.redirect", b"/etc"))
    chain = layers.chain(BASE, [folder("tmp", xattrs=commands), folder("home", xattrs=commands)])
    listing = shown(driver, chain)
    assert b"home/u/notes" in listing
    assert listing.keys() == wanted(layers, chain).keys()


def test_sparse_files_are_whole_and_stay_sparse(
    driver: StorageDriver, layers: MemoryLayers, tmp_path: Path
) -> None:
    with (tmp_path / "f").open("wb") as out:
        out.truncate(50 << 20)
        out.seek(30 << 20)
        out.write(b"data" * 1000)
    command = ["tar", "-cS", "--format=posix", "-C", str(tmp_path), "f"]
    done = subprocess.run(command, check=True, capture_output=True)
    chain = Chain.of([layers.add_tar(done.stdout), layers.add(file("d/g"))])
    assert shown(driver, chain) == wanted(layers, chain)
    with driver.mounted(chain) as tree:
        assert (tree / "f").stat().st_blocks * 512 < 1 << 20


def test_times_have_nanoseconds(driver: StorageDriver, layers: MemoryLayers) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("d", "d/f"):
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if name == "d" else tarfile.REGTYPE
            member.pax_headers = {"mtime": "1234567890.123456789"}
            tar.addfile(member)
    regular = layers.add_tar(out.getvalue())
    for chain in (Chain.of([regular]), Chain.of([regular, layers.add(file("d/g"))])):
        listing = shown(driver, chain)
        assert listing[b"d"].mtime_ns == listing[b"d/f"].mtime_ns == 1234567890123456789
        assert listing == wanted(layers, chain)


def test_a_device_that_is_a_whiteout_to_overlayfs_is_not_shown(
    driver: StorageDriver, layers: MemoryLayers
) -> None:
    chain = layers.chain([folder("d"), file("d/f")], [folder("d"), special("d/f", Kind.CHR)])
    assert (b"d/f" in shown(driver, chain)) == (driver.name == "copying")


def test_nobody_else_may_enter_where_layers_lie(
    driver: StorageDriver, layers: MemoryLayers, tmp_path: Path
) -> None:
    # A program with set-user-ID in an image must not be within reach (CVE-2021-41091).
    chain = layers.chain(BASE)
    driver.prepare("top", chain)
    with driver.mounted(chain), driver.writable("top"):
        for top in (tmp_path / "store", tmp_path / "run"):
            for program in top.rglob("usr/bin/su"):
                above = program.relative_to(tmp_path).parts
                folders = [tmp_path.joinpath(*above[:end]) for end in range(1, len(above))]
                assert any(os.stat(one).st_mode & 0o077 == 0 for one in folders)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_five_hundred_layers(driver: StorageDriver, layers: MemoryLayers) -> None:
    for count in (498, 499, 500, 600):
        chain = layers.chain(*many(count))
        assert shown(driver, chain) == wanted(layers, chain)
        driver.prepare("top", chain)
        with driver.writable("top") as tree:
            (tree / "etc" / "latest").unlink()
        with driver.changes("top") as (changes, _):
            assert len(changes) == 2
        driver.remove("top")
