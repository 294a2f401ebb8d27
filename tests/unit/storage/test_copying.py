from __future__ import annotations

from pathlib import Path

import pytest

from nacre.errors import Unsupported
from nacre.storage.copying import CopyingDriver, probe
from nacre.testing.hard_stacks import BASE
from nacre.testing.memory_layers import MemoryLayers
from tests.unit.layers.trees import ownership


@pytest.fixture
def layers(tmp_path: Path) -> MemoryLayers:
    return MemoryLayers(tmp_path / "tars")


@pytest.fixture
def driver(tmp_path: Path, layers: MemoryLayers) -> CopyingDriver:
    return CopyingDriver(tmp_path / "store", layers, ownership=ownership())


def test_mounting_is_refused_with_what_to_do_instead(
    driver: CopyingDriver, layers: MemoryLayers, tmp_path: Path
) -> None:
    with pytest.raises(Unsupported, match="cannot mount an image") as caught:
        driver.attach(layers.chain(BASE), tmp_path)
    assert "nacre image cp" in caught.value.remedy
    assert "nacre image export" in caught.value.remedy


def test_a_tree_stays_as_long_as_one_of_many_uses_it(
    driver: CopyingDriver, layers: MemoryLayers
) -> None:
    chain = layers.chain(BASE)
    with driver.mounted(chain) as one:
        with driver.mounted(chain):
            assert driver.prune([]) == 0
        assert driver.prune([]) == 0
        assert (one / "etc").is_dir()
    assert driver.prune([]) > 0
    assert not one.exists()


def test_layers_are_here_when_they_are_anywhere(
    driver: CopyingDriver, layers: MemoryLayers
) -> None:
    layer = layers.add(*BASE)
    assert driver.has(layer)
    layers.drop(layer)
    assert not driver.has(layer)


def test_it_works_wherever_one_can_write(tmp_path: Path) -> None:
    assert probe(tmp_path) is None
    assert (
        probe(tmp_path / "missing")
        == f"{tmp_path / 'missing'} cannot be written to: No such file or directory"
    )
